"""Paper 002: representation matching through an added linear layer, as its two scripts compute it,
and a robustified image's inversion. See README.md, rrm.json."""
import torch
from torch import nn
import torch.nn.functional as F

from objectives import running, summary
from rule import fill, labels, u

N, CLASSES, WIDTH = 7, 5, 12
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2471, 0.2435, 0.2616)


class Net(nn.Module):
    """Features of `width` numbers; added: a linear layer brings them to WIDTH."""

    def __init__(self, width, added):
        super().__init__()
        self.normalize = nn.Module()
        for name, v in (("mean", MEAN), ("std", STD)):
            self.normalize.register_buffer(name, torch.tensor(v))
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(6)
        self.conv2 = nn.Conv2d(6, width, 3, stride=2, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.added_linear = nn.Linear(width, WIDTH) if added else nn.Identity()
        self.fc = nn.Linear(WIDTH if added else width, CLASSES)

    def features(self, x):
        shape = (1, 3, 1, 1)
        x = (x - self.normalize.mean.view(shape)) / self.normalize.std.view(shape)
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return self.added_linear(x.mean((2, 3)))


def networks():
    return fill(Net(8, True)).train(), fill(Net(WIDTH, False), "teacher.").eval()


def objective(distance, net, teacher, x, y, weight=5e-3):
    s = net.features(x)
    with torch.no_grad():
        t = teacher.features(x)
    ce = F.cross_entropy(net.fc(s), y)
    if distance == "cosine":
        match = -F.cosine_similarity(s, t, dim=1, eps=1e-6).mean()
    else:
        match = ((s - t).norm(dim=1) / t.norm(dim=1)).mean()
    return weight * ce + match


def steps(distance):
    """Three steps of SGD on batches 0, 1, 2; of the first the gradients, too."""
    net, teacher = networks()
    sgd = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    out = {"losses": []}
    for k in range(3):
        loss = objective(distance, net, teacher, u("input.%d" % k, N, 3, 8, 8), labels(k, N, CLASSES))
        sgd.zero_grad()
        loss.backward()
        if k == 0:
            out["grads"] = {n: summary(n, p.grad) for n, p in net.named_parameters()}
        sgd.step()
        out["losses"].append(loss.item())
    out["parameters"] = {n: summary(n, p) for n, p in net.named_parameters()}
    out["running"] = running(net)
    return out


def inversion(eps, count=10, length=0.1):
    """Towards the features of batch 0, from batch 1; the nearest of start, iterates and end."""
    _, teacher = networks()
    x, start = u("input.0", N, 3, 8, 8), u("input.1", N, 3, 8, 8)
    with torch.no_grad():
        goal = teacher.features(x)
    at, best, least = start.clone(), start.clone(), None
    out = {"eps": eps, "distances": []}
    for k in range(count + 1):
        at.requires_grad_()
        d = (teacher.features(at) - goal).norm(dim=1)
        g = torch.autograd.grad(d.sum(), at)[0]
        at, d = at.detach(), d.detach()
        out["distances"].append(d.tolist())
        nearer = torch.ones(N, dtype=torch.bool) if least is None else d < least
        best[nearer], least = at[nearer], d if least is None else torch.minimum(d, least)
        at = at - length * g / g.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        delta = at - start
        size = delta.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        at = (start + delta * (eps / (size + 1e-7)).clamp(max=1)).clamp(0, 1)
    out["least"] = least.tolist()
    out["images"] = [float(v) for v in (best.flatten(1) * (2 * u("direction.image", 192) - 1)).sum(1)]
    return out


def goldens():
    return {"n": N, "steps": {d: steps(d) for d in ("cosine", "relative l2")},
            "inversion": [inversion(1000.0), inversion(0.5)]}
