"""The measured networks in PyTorch: ResNets from tests/golden/models.py, WRN-22-8 and VGG-11 (with batch norm) as in include/rnx/models/."""
import os
import sys

from torch import nn
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "golden"))
import models


class WideBlock(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(cin)
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.same = cin == cout and stride == 1
        if not self.same:
            self.convShortcut = nn.Conv2d(cin, cout, 1, stride, bias=False)

    def forward(self, x):
        y = F.relu(self.bn1(x))
        shortcut = x if self.same else self.convShortcut(y)
        return self.conv2(F.relu(self.bn2(self.conv1(y)))) + shortcut


class WideResNet(nn.Module):
    def __init__(self, depth, widen, classes=10):
        super().__init__()
        self.normalize = models.Normalize()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        blocks, cin = [], 16
        for group in range(3):
            for b in range((depth - 4) // 6):
                blocks.append(WideBlock(cin, 16 * widen << group, 2 if group and not b else 1))
                cin = 16 * widen << group
        self.blocks = nn.Sequential(*blocks)
        self.bn1 = nn.BatchNorm2d(cin)
        self.fc = nn.Linear(cin, classes)

    def forward(self, x):
        return self.fc(F.relu(self.bn1(self.blocks(self.conv1(self.normalize(x))))).mean((2, 3)))


class Vgg(nn.Module):
    def __init__(self, plan, classes=10):
        super().__init__()
        self.normalize = models.Normalize()
        layers, cin = [], 3
        for width in plan:
            if width:
                layers += [nn.Conv2d(cin, width, 3, 1, 1), nn.BatchNorm2d(width), nn.ReLU()]
                cin = width
            else:
                layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(cin, classes)

    def forward(self, x):
        return self.classifier(self.features(self.normalize(x)).mean((2, 3)))


BATCH = {"resnet20": 128, "resnet18": 64, "wrn22x8": 32, "vgg11": 64}


def build(name):
    if name == "wrn22x8":
        return WideResNet(22, 8)
    if name == "vgg11":
        return Vgg((64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0))
    return models.build(name)
