#!/usr/bin/env python3
"""Writes families.json: counts and names of every model of the registry, and values of one small
member of each family that resnet*.json do not cover. Usage: families.py [--names MODEL]

`models`, per name: the input (c, h, w), classes, parameters, multiply-accumulates of one sample
(products of convolutions and linear layers, no biases), ReLU outputs of one sample, and
`tensors` and `names`: how many tensors the state dict has without num_batches_tracked, and
fnv1a32 of its sorted lines "name d0,d1,..." joined by newlines (--names prints them).

`values`, per name: batch 0 of n samples of the input's shape, labels as everywhere. `eval`: eval
mode, cross-entropy summed; `train` (networks with norms): train mode, mean cross-entropy. Each:
logits, loss, input_grad, and `grads`, [l2 norm, sum over i of g_i (2 u("direction." + name, i) - 1)]
of every parameter's gradient. Dropout is left out of train mode: those networks have eval only.
"""
import sys

import torch
from torch import nn
import torch.nn.functional as F

from models import Normalize, PadShortcut
from rule import fill, fnv1a32, full, labels, rec, save, u


def conv(i, o, k, s=1, bias=False, pad=None):
    return nn.Conv2d(i, o, k, s, k // 2 if pad is None else pad, bias=bias)


def pooled(x):
    return x.mean((2, 3))


class Block(nn.Module):
    """Basic block or bottleneck; kind: the shortcut, "a" or "b" and its name."""

    def __init__(self, i, width, s, bottleneck, kind, name):
        super().__init__()
        o = 4 * width if bottleneck else width
        shapes = [(i, width, 1, 1), (width, width, 3, s), (width, o, 1, 1)] if bottleneck else [(i, o, 3, s), (o, o, 3, 1)]
        self.count, self.relu, self.name = len(shapes), nn.ReLU(), name
        for k, (a, b, size, stride) in enumerate(shapes):
            setattr(self, "conv%d" % (k + 1), conv(a, b, size, stride))
            setattr(self, "bn%d" % (k + 1), nn.BatchNorm2d(b))
        shortcut = nn.Sequential()
        if s != 1 or i != o:
            shortcut = PadShortcut((o - i) // 2) if kind == "a" else nn.Sequential(conv(i, o, 1, s), nn.BatchNorm2d(o))
        setattr(self, name, shortcut)

    def forward(self, x):
        y = x
        for k in range(1, self.count + 1):
            y = getattr(self, "bn%d" % k)(getattr(self, "conv%d" % k)(y))
            if k < self.count:
                y = self.relu(y)
        return self.relu(y + getattr(self, self.name)(x))


class ResNet(nn.Module):
    def __init__(self, depths, widths=(64, 128, 256, 512), bottleneck=False, kind="b", imagenet=False, rrm=False,
                 classes=10, channels=3):
        super().__init__()
        self.normalize, self.relu = Normalize(), nn.ReLU()
        i = widths[0]
        self.conv1 = conv(channels, i, 7, 2) if imagenet else conv(channels, i, 3)
        self.bn1 = nn.BatchNorm2d(i)
        self.maxpool = nn.MaxPool2d(3, 2, 1) if imagenet else nn.Identity()
        self.layers = []
        for n, (width, depth) in enumerate(zip(widths, depths)):
            blocks = []
            for b in range(depth):
                blocks.append(Block(i, width, 2 if n and not b else 1, bottleneck, kind, "shortcut" if rrm else "downsample"))
                i = 4 * width if bottleneck else width
            self.layers.append("layer%d" % (n + 1))
            setattr(self, self.layers[-1], nn.Sequential(*blocks))
        self.head = []
        if rrm:
            self.added_linear = nn.Linear(i, 512)
            self.head, i = ["added_linear"], 512
        self.head.append("linear" if rrm else "fc")
        setattr(self, self.head[-1], nn.Linear(i, classes))

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(self.normalize(x)))))
        for name in self.layers:
            x = getattr(self, name)(x)
        x = pooled(x)
        for name in self.head:
            x = getattr(self, name)(x)
        return x


class Stem(nn.Module):
    """ImageNet's stem, pooled, and a classifier."""

    def __init__(self, classes=10):
        super().__init__()
        self.normalize, self.relu, self.maxpool = Normalize(), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
        self.conv1, self.bn1, self.fc = conv(3, 64, 7, 2), nn.BatchNorm2d(64), nn.Linear(64, classes)

    def forward(self, x):
        return self.fc(pooled(self.maxpool(self.relu(self.bn1(self.conv1(self.normalize(x)))))))


class WideBlock(nn.Module):
    def __init__(self, i, o, s):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(i), conv(i, o, 3, s)
        self.bn2, self.conv2 = nn.BatchNorm2d(o), conv(o, o, 3)
        self.relu, self.widens = nn.ReLU(), i != o
        if self.widens:
            self.convShortcut = conv(i, o, 1, s)

    def forward(self, x):
        a = self.relu(self.bn1(x))
        y = self.conv2(self.relu(self.bn2(self.conv1(a))))
        return y + (self.convShortcut(a) if self.widens else x)


class WideGroup(nn.Module):
    def __init__(self, n, i, o, s):
        super().__init__()
        self.layer = nn.Sequential(*[WideBlock(o if b else i, o, 1 if b else s) for b in range(n)])

    def forward(self, x):
        return self.layer(x)


class WideResNet(nn.Module):
    def __init__(self, depth, k, classes=10):
        super().__init__()
        n = (depth - 4) // 6
        self.normalize, self.conv1, self.relu = Normalize(), conv(3, 16, 3), nn.ReLU()
        self.block1, self.block2, self.block3 = WideGroup(n, 16, 16 * k, 1), WideGroup(n, 16 * k, 32 * k, 2), WideGroup(n, 32 * k, 64 * k, 2)
        self.bn1, self.fc = nn.BatchNorm2d(64 * k), nn.Linear(64 * k, classes)

    def forward(self, x):
        x = self.block3(self.block2(self.block1(self.conv1(self.normalize(x)))))
        return self.fc(pooled(self.relu(self.bn1(x))))


class PreActBlock(nn.Module):
    """The shortcut's convolution reads x itself."""

    def __init__(self, i, o, s):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(i), conv(i, o, 3, s)
        self.bn2, self.conv2 = nn.BatchNorm2d(o), conv(o, o, 3)
        self.relu = nn.ReLU()
        self.shortcut = nn.Sequential(conv(i, o, 1, s)) if s != 1 or i != o else nn.Sequential()

    def forward(self, x):
        return self.conv2(self.relu(self.bn2(self.conv1(self.relu(self.bn1(x)))))) + self.shortcut(x)


class PreActResNet18(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.normalize, self.conv1, self.relu = Normalize(), conv(3, 64, 3), nn.ReLU()
        i = 64
        for n, o in enumerate((64, 128, 256, 512)):
            setattr(self, "layer%d" % (n + 1), nn.Sequential(PreActBlock(i, o, 2 if n else 1), PreActBlock(o, o, 1)))
            i = o
        self.bn, self.linear = nn.BatchNorm2d(512), nn.Linear(512, classes)

    def forward(self, x):
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.conv1(self.normalize(x))))))
        return self.linear(pooled(self.relu(self.bn(x))))


VGG = {"A": "64 M 128 M 256 256 M 512 512 M 512 512 M", "D": "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M",
       "E": "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512 M"}


class Vgg(nn.Module):
    """latent 0: one linear layer after the pools; otherwise torchvision's three, the second of that width."""

    def __init__(self, plan, classes=10, latent=0, norm=True):
        super().__init__()
        self.normalize, parts, i = Normalize(), [], 3
        for word in VGG[plan].split():
            if word == "M":
                parts.append(nn.MaxPool2d(2))
                continue
            o = int(word)
            parts += [conv(i, o, 3, bias=True)] + ([nn.BatchNorm2d(o)] if norm else []) + [nn.ReLU()]
            i = o
        self.features = nn.Sequential(*parts)
        self.classifier = nn.Linear(512, classes) if not latent else nn.Sequential(
            nn.Linear(25088, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, latent), nn.ReLU(), nn.Dropout(), nn.Linear(latent, classes))

    def forward(self, x):
        return self.classifier(self.features(self.normalize(x)).flatten(1))


class AlexNet(nn.Module):
    """rrm: paper 002's, 2048 features and its names. pixels: of the last map, in a row."""

    def __init__(self, classes=1000, rrm=False, pixels=6):
        super().__init__()
        self.normalize, self.rrm, parts = Normalize(), rrm, []
        for o, arguments, pool in ((64, (3, 64, 11, 4, True, 2), 1), (192, (64, 192, 5, 1, True), 1), (384, (192, 384, 3, 1, True), 0),
                                   (256, (384, 256, 3, 1, True), 0), (256, (256, 256, 3, 1, True), 1)):
            parts += [conv(*arguments), nn.ReLU()] + ([nn.MaxPool2d(3, 2)] if pool else [])
        self.features = nn.Sequential(*parts)
        head = [nn.Dropout(), nn.Linear(256 * pixels * pixels, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 2048 if rrm else 4096)]
        if rrm:
            self.last_relu, self.last_layer = nn.ReLU(), nn.Linear(2048, classes)
        else:
            head += [nn.ReLU(), nn.Linear(4096, classes)]
        self.classifier = nn.Sequential(*head)

    def forward(self, x):
        y = self.classifier(self.features(self.normalize(x)).flatten(1))
        return self.last_layer(self.last_relu(y)) if self.rrm else y


class Dnn(nn.Module):
    def __init__(self, classes=10, channels=3, pixels=4):
        super().__init__()
        self.normalize, parts, i = Normalize(), [], channels
        for o in (32, 64, 128):
            parts += [conv(i, o, 3, bias=True), nn.ReLU(), conv(o, o, 3, bias=True), nn.ReLU(), nn.MaxPool2d(2)]
            i = o
        self.features = nn.Sequential(*parts, nn.Flatten(), nn.Linear(128 * pixels * pixels, 512), nn.ReLU())
        self.classifier = nn.Linear(512, classes)

    def forward(self, x):
        return self.classifier(self.features(self.normalize(x)))


def thin(depth, **more):
    return lambda: ResNet([(depth - 2) // 6] * 3, (16, 32, 64), kind="a", **more)


CIFAR, LARGE, GREY = (3, 32, 32), (3, 224, 224), (1, 28, 28)
R18, R34, R50 = (2, 2, 2, 2), (3, 4, 6, 3), (3, 4, 6, 3)
MODELS = {  # name: (factory, input)
    **{"resnet%d" % d: (thin(d), CIFAR) for d in (20, 32, 44, 56, 110)},
    "resnet20 grey": (thin(20, channels=1), GREY),
    "resnet18": (lambda: ResNet(R18), CIFAR),
    "resnet34": (lambda: ResNet(R34), CIFAR),
    "resnet34 100": (lambda: ResNet(R34, classes=100), CIFAR),
    "resnet50": (lambda: ResNet(R50, bottleneck=True), CIFAR),
    "resnet50_rrm": (lambda: ResNet(R50, bottleneck=True, rrm=True), CIFAR),
    "resnet18_imagenet": (lambda: ResNet(R18, imagenet=True, classes=1000), LARGE),
    "resnet34_imagenet": (lambda: ResNet(R34, imagenet=True, classes=1000), LARGE),
    "resnet50_imagenet": (lambda: ResNet(R50, bottleneck=True, imagenet=True, classes=1000), LARGE),
    "preact_resnet18": (PreActResNet18, CIFAR),
    "wrn_22_8": (lambda: WideResNet(22, 8), CIFAR),
    "wrn_22_8 100": (lambda: WideResNet(22, 8, 100), CIFAR),
    "wrn_34_10": (lambda: WideResNet(34, 10), CIFAR),
    "vgg11_bn": (lambda: Vgg("A"), CIFAR),
    "vgg16_bn": (lambda: Vgg("D"), CIFAR),
    "vgg19_bn": (lambda: Vgg("E"), CIFAR),
    "vgg16_bn imagenet": (lambda: Vgg("D", 1000, 4096), LARGE),
    "vgg16 rrm": (lambda: Vgg("D", 9, 2048, norm=False), LARGE),
    "alexnet": (AlexNet, LARGE),
    "alexnet rrm": (lambda: AlexNet(9, True), LARGE),
    "dnn": (Dnn, CIFAR),
    "dnn grey": (lambda: Dnn(10, 1, 3), GREY),
}
VALUES = {  # name: (factory, input, classes, n, whether train mode too)
    "preact_resnet18": (PreActResNet18, CIFAR, 10, 2, True),
    "wrn_10_2": (lambda: WideResNet(10, 2), CIFAR, 10, 4, True),
    "stem": (Stem, (3, 37, 37), 10, 4, True),
    "vgg11_bn": (lambda: Vgg("A"), CIFAR, 10, 2, True),
    "alexnet rrm": (lambda: AlexNet(9, True, 1), (3, 64, 64), 9, 2, False),
    "dnn": (Dnn, CIFAR, 10, 4, False),
}


def lines(model):
    return sorted("%s %s" % (name, ",".join(map(str, t.shape))) for name, t in model.state_dict().items()
                  if not name.endswith("num_batches_tracked"))


def build(factory, shape):
    model = factory().eval()
    model.normalize.mean, model.normalize.std = torch.zeros(shape[0]), torch.ones(shape[0])
    return model


def counts(factory, shape):
    model = build(factory, shape)
    total = {"macs": 0, "relus": 0}

    def count(module, _, y):
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            total["macs"] += y.numel() * (module.weight.numel() // module.weight.shape[0])
        elif isinstance(module, nn.ReLU):
            total["relus"] += y.numel()

    for module in model.modules():
        module.register_forward_hook(count)
    with torch.no_grad():
        classes = model(torch.zeros(1, *shape)).shape[1]
    return {"in": shape, "classes": classes, "parameters": sum(p.numel() for p in model.parameters()), **total,
            "tensors": len(lines(model)), "names": fnv1a32("\n".join(lines(model)))}


def run(model, x, y, reduction):
    model.zero_grad()
    x = x.clone().requires_grad_()
    logits = model(x)
    loss = F.cross_entropy(logits, y, reduction=reduction)
    loss.backward()
    projected = {name: [float(p.grad.norm()), float((p.grad * (2 * u("direction." + name, *p.shape) - 1)).sum())]
                 for name, p in model.named_parameters()}
    return {"logits": full(logits), "loss": loss.item(), "input_grad": rec(x.grad), "grads": projected}


def values(factory, shape, classes, n, train):
    model = fill(factory())
    x, y = u("input.0", n, *shape), labels(0, n, classes)
    out = {"n": n, "eval": run(model.eval(), x, y, "sum")}
    if train:
        out["train"] = run(model.train(), x, y, "mean")
    return out


if __name__ == "__main__":
    if sys.argv[1:2] == ["--names"]:
        print("\n".join(lines(build(*MODELS[sys.argv[2]]))))
    else:
        save("families.json", {"models": {name: counts(*m) for name, m in MODELS.items()}, "values": {name: values(*v) for name, v in VALUES.items()}})
