"""An elastic stage (sliced inverted-residual blocks, kernel transforms) in plain PyTorch."""
import torch
from torch import nn
import torch.nn.functional as F

from rule import fill, full, grads, labels, rec, running, u

C_IN, WIDTH_MAX, E_MAX, CLASSES, N = 16, 24, 4, 5, 4

SUBNETS = {  # per active block: expansion, width, kernel
    "A": ((3, 16, 5), (2, 24, 3)),
    "B": ((4, 24, 7),),
    "C": ((2, 24, 3), (4, 24, 7)),
}


def md8(v):
    r = max(8, int(v + 4) // 8 * 8)
    return r + 8 if r < 0.9 * v else r


def hard_sigmoid(x):
    return F.relu6(x + 3) / 6


def hard_swish(x):
    return x * hard_sigmoid(x)


class SlicedBN(nn.BatchNorm2d):
    def forward(self, x):
        c = x.shape[1]
        # Slices of the buffers are views: only the first c entries are updated.
        return F.batch_norm(x, self.running_mean[:c], self.running_var[:c], self.weight[:c],
                            self.bias[:c], self.training, self.momentum, self.eps)


class ElasticDepthwise(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(channels, 1, 7, 7))
        self.transform_7to5 = nn.Parameter(torch.zeros(25, 25))
        self.transform_5to3 = nn.Parameter(torch.zeros(9, 9))

    def forward(self, x, k):
        c = x.shape[1]
        w = self.weight[:c]
        if k <= 5:
            w = F.linear(w[:, :, 1:6, 1:6].reshape(c, 25), self.transform_7to5).reshape(c, 1, 5, 5)
        if k <= 3:
            w = F.linear(w[:, :, 1:4, 1:4].reshape(c, 9), self.transform_5to3).reshape(c, 1, 3, 3)
        return F.conv2d(x, w, padding=k // 2, groups=c)


class SE(nn.Module):
    def __init__(self, mid):
        super().__init__()
        self.fc1 = nn.Conv2d(mid, md8(mid / 4), 1)
        self.fc2 = nn.Conv2d(md8(mid / 4), mid, 1)

    def forward(self, x):
        m = x.shape[1]
        r = md8(m / 4)
        g = x.mean((2, 3), keepdim=True)
        g = F.relu(F.conv2d(g, self.fc1.weight[:r, :m], self.fc1.bias[:r]))
        return x * hard_sigmoid(F.conv2d(g, self.fc2.weight[:m, :r], self.fc2.bias[:m]))


class Block(nn.Module):
    def __init__(self, cin):
        super().__init__()
        mid = cin * E_MAX
        self.conv1 = nn.Conv2d(cin, mid, 1, bias=False)
        self.bn1 = SlicedBN(mid)
        self.conv2 = ElasticDepthwise(mid)
        self.bn2 = SlicedBN(mid)
        self.se = SE(mid)
        self.conv3 = nn.Conv2d(mid, WIDTH_MAX, 1, bias=False)
        self.bn3 = SlicedBN(WIDTH_MAX)

    def forward(self, x, e, width, k):
        cin = x.shape[1]
        mid = e * cin
        y = hard_swish(self.bn1(F.conv2d(x, self.conv1.weight[:mid, :cin])))
        y = hard_swish(self.bn2(self.conv2(y, k)))
        y = self.se(y)
        y = self.bn3(F.conv2d(y, self.conv3.weight[:width, :mid]))
        return x + y if cin == width else y


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stage = nn.ModuleList([Block(C_IN), Block(WIDTH_MAX)])
        self.fc = nn.Linear(WIDTH_MAX, CLASSES)

    def forward(self, x, subnet):
        for block, choice in zip(self.stage, subnet):
            x = block(x, *choice)
        x = x.mean((2, 3))
        return F.linear(x, self.fc.weight[:, :x.shape[1]], self.fc.bias)


def zero_grads(model):
    for p in model.parameters():
        p.grad = torch.zeros_like(p)


def loss_of(model, name, k):
    logits = model(u("input.%d" % k, N, C_IN, 8, 8) * 2 - 1, SUBNETS[name])
    return logits, F.cross_entropy(logits, labels(k, N, CLASSES))


def goldens():
    out = {"n": N, "labels": [labels(k, N, CLASSES).tolist() for k in range(3)],
           "subnets": {k: [dict(zip(("expansion", "width", "kernel"), c)) for c in s]
                       for k, s in SUBNETS.items()}}
    for name in SUBNETS:
        model = fill(Net()).train()
        zero_grads(model)
        logits, loss = loss_of(model, name, 0)
        loss.backward()
        out[name] = {"logits": full(logits), "loss_mean": loss.item(),
                     "grads": grads(model), "running": running(model)}
        with torch.no_grad():  # eval mode, with the running statistics that this one step left
            out[name]["eval_logits_after"] = full(loss_of(model.eval(), name, 0)[0])
    model = fill(Net()).train()
    opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    losses = []
    for k, name in enumerate("ABA"):
        zero_grads(model)
        loss = loss_of(model, name, k)[1]
        loss.backward()
        opt.step()
        losses.append(loss.item())
    out["sgd"] = {"lr": 0.05, "momentum": 0.9, "weight_decay": 1e-4, "order": list("ABA"),
                  "losses": losses,
                  "params": {n: rec(p) for n, p in model.named_parameters()},
                  "running": running(model)}
    return out
