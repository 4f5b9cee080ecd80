"""Step by step what the code of AutoAttack (github.com/fra31/auto-attack, commit a392200) does to a
small network in float64: writes attacks.json. It needs PyTorch and that code as the package
`autoattack`:

    PYTHONPATH=auto-attack python3 attacks.py

Random numbers of Square and of starts come from outside: `Stream` is rnx's generator.
"""
import json
import os

import torch
from torch import nn
import torch.nn.functional as F

from rule import HERE, fill, u
from stream import Stream

torch.Tensor.float = torch.Tensor.double  # the code casts to float32 here and there
from autoattack import autopgd_base, fab_pt, square  # noqa: E402

N, CLASSES, SIDE = 6, 6, 11
ATTACK = 4  # Purpose::attack
EPS = {"Linf": 0.06, "L2": 0.5, "L1": 6.0}


class Small(nn.Module):
    """conv3x3/2 - hard swish - conv3x3/2 - ReLU - global average - linear."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(3, 8, 3, 2, 1, bias=False)
        self.b = nn.Conv2d(8, 12, 3, 2, 1, bias=False)
        self.fc = nn.Linear(12, CLASSES)
        self.seen = []

    def forward(self, x):
        y = F.relu(self.b(F.hardswish(self.a(x))))
        z = 8 * self.fc(y.mean((2, 3)))
        self.seen.append(z.detach().clone())
        return z


model = fill(Small()).eval()
x = u("attacks.x", N, 3, SIDE, SIDE)
with torch.no_grad():
    order = model(x).sort(dim=1)[1]
y = order[:, -1].clone()
target = order[:, -2].clone()
direction = 2 * u("attacks.direction", 3, SIDE, SIDE) - 1


def start(norm):
    d = 2 * u("attacks.start", N, 3, SIDE, SIDE) - 1
    flat = d.reshape(N, -1)
    length = {"Linf": flat.abs().max(1)[0], "L2": (flat ** 2).sum(1).sqrt(), "L1": flat.abs().sum(1)}[norm]
    return (x + EPS[norm] * d / length.view(-1, 1, 1, 1)).clamp(0, 1)


def projection(t):
    return (t * direction).reshape(t.shape[0], -1).sum(1)


def numbers(t):
    return [float(v) for v in t.detach().reshape(-1)]


def losses(logits, name):
    if name == "ce":
        return F.cross_entropy(logits, y, reduction="none")
    a = autopgd_base.APGDAttack_targeted(model, eps=1.0)
    a.y_target = target
    return a.dlr_loss(logits, y) if name == "dlr" else a.dlr_loss_targeted(logits, y)


def apgd(norm, name, steps=100):
    kind = autopgd_base.APGDAttack_targeted if name == "dlr-targeted" else autopgd_base.APGDAttack
    a = kind(model, n_iter=steps, norm=norm, eps=EPS[norm])
    a.loss, a.y_target = name, target
    a.init_hyperparam(x)
    model.seen = []
    best, acc, loss_best, adversarial = a.attack_single_run(x, y, x_init=start(norm))
    each = torch.stack([losses(z, name) for z in model.seen])
    return {"losses": [numbers(row) for row in each[:58]], "fooled": numbers(1 - acc.double()),
            "loss_best": numbers(loss_best), "best": numbers(projection(best)),
            "adversarial": numbers(projection(adversarial))}


def fab(norm, targeted, most=20):
    """What is found after 1, 2, ... steps."""
    path = []
    for steps in range(1, most + 1):
        a = fab_pt.FABAttack_PT(model, norm=norm, n_iter=steps, eps=EPS[norm], targeted=targeted)
        a.target_class = 2
        path.append(numbers(projection(a.attack_single_run(x, y, is_targeted=targeted))))
    return {"path": path}


class Square(square.SquareAttack):
    """Takes rnx's random numbers, by the samples that are still attacked, and remembers the best images."""

    def begin(self, seed):
        self.given_seed, self.draw, self.tile, self.at = seed, 0, 0, 0
        self.active, self.margins, self.images, self.path = list(range(N)), None, None, []

    def shared(self):
        return Stream(self.given_seed, ATTACK, self.draw, (1 << 63) - 1)

    def random_int(self, low=0, high=1, shape=[1]):
        v = low + (high - low) * self.shared().uniform(self.at)
        self.at += 1
        return torch.tensor([v]).long()

    def random_choice(self, shape):
        if len(shape) == 3:  # of the channels, in Linf
            signs = [self.shared().uniform(8 + c) for c in range(shape[0])]
            return torch.sign(2 * torch.tensor(signs) - 1).reshape(shape)
        count, rows = shape[1] * shape[3], []
        assert shape[0] == len(self.active)
        for i in self.active:
            at = Stream(self.given_seed, ATTACK, self.draw, i)
            rows.append([at.uniform(self.tile * count + k) for k in range(count)])
        if self.draw == 0:
            self.tile += 1
        return torch.sign(2 * torch.tensor(rows) - 1).reshape(shape)

    def eta(self, s):
        plain = torch.rand
        index = 16 + self.tile if self.draw == 0 else 4
        torch.rand = lambda shape: torch.tensor([self.shared().uniform(index)])
        delta = super().eta(s)
        torch.rand = plain
        return delta

    def margin_and_loss(self, z, labels):
        margin, loss = super().margin_and_loss(z, labels)
        if self.margins is None:
            self.margins, self.images = margin.clone(), z.clone()
        else:
            for k, i in enumerate(self.active):  # the loss is the margin
                if margin[k] < self.margins[i] or margin[k] <= 0:
                    self.margins[i], self.images[i] = margin[k], z[k]
        self.path.append(numbers(projection(self.images)))
        self.active = [i for i in range(N) if self.margins[i] > 0]
        self.draw, self.tile, self.at = self.draw + 1, 0, 0
        return margin, loss


def run_square(norm, queries=60):
    a = Square(model, norm=norm, n_queries=queries, eps=EPS[norm], p_init=0.8, resc_schedule=False)
    a.init_hyperparam(x)
    a.begin(5)
    _, best = a.attack_single_run(x, y)
    assert (best == a.images).all()
    return {"path": a.path, "margins": numbers(a.margins)}


if __name__ == "__main__":
    out = {"labels": numbers(y), "targets": numbers(target), "eps": EPS,
           "apgd": {n: {l: apgd(n, l) for l in ("ce", "dlr", "dlr-targeted")} for n in EPS},
           "fab": {n: {"fab": fab(n, False), "fab-t": fab(n, True)} for n in EPS},
           "square": {n: run_square(n) for n in EPS}}
    for n in EPS:
        print(n, [(k, v["fooled"], [round(q, 3) for q in v["loss_best"]]) for k, v in out["apgd"][n].items()])
        print("  square", len(out["square"][n]["path"]), [round(m, 3) for m in out["square"][n]["margins"]])
    with open(os.path.join(HERE, "attacks.json"), "w") as f:
        json.dump(out, f, separators=(",", ":"))
        f.write("\n")
