#!/usr/bin/env python3
"""Writes the golden values. Usage: make_goldens.py [NAME ...]  (default: all; see README.md)"""
import sys

import torch
import torch.nn.functional as F

from rule import batch, fill, full, grads, labels, rec, running, save
import models


def sgd_run(name, n, lr, dtype=torch.float64, nudge=0.0):
    """Ten training steps from the rule's weights; losses, then eval logits of two samples."""
    model = fill(models.build(name))
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(1 + nudge)
    model = model.to(dtype).train()
    opt = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, weight_decay=5e-4)
    losses = []
    for k in range(10):
        opt.zero_grad()
        loss = F.cross_entropy(model(batch(k, n).to(dtype)), labels(k, n, 10))
        loss.backward()
        opt.step()
        losses.append(loss.item())
    with torch.no_grad():
        return losses, model.eval()(batch(0, 2).to(dtype))


def sgd(name, n, lr):
    losses, after = sgd_run(name, n, lr)
    out = {"n": n, "lr": lr, "momentum": 0.9, "weight_decay": 5e-4,
           "losses": losses, "eval_logits_after": full(after)}
    # Scales for tolerances: PyTorch against itself, in float32, and in float64 from
    # weights times (1 + 1e-15). The largest absolute difference.
    for key, args in (("float32", (torch.float32,)), ("nudged", (torch.float64, 1e-15))):
        l, a = sgd_run(name, n, lr, *args)
        out["deviation_" + key] = {"losses": [abs(p - q) for p, q in zip(losses, l)],
                                   "logits": (after - a).abs().max().item()}
    return out


def evaluation(name, wanted=None):
    n = models.SPECS[name][2]
    model = fill(models.build(name)).eval()
    x, y = batch(0, n).requires_grad_(), labels(0, n, 10)
    logits = model(x)
    loss = F.cross_entropy(logits, y, reduction="sum")
    loss.backward()
    g = grads(model)
    return {"labels": y.tolist(), "logits": full(logits), "loss_sum": loss.item(),
            "input_grad": rec(x.grad),
            "grads": g if wanted is None else {k: g[k] for k in wanted}}


def resnet(name, n_train):
    n = models.SPECS[name][2]
    out = {"model": name, "parameters": models.SPECS[name][1], "n": n, "eval": evaluation(name)}
    model = fill(models.build(name)).train()
    x, y = batch(0, n).requires_grad_(), labels(0, n, 10)
    logits = model(x)
    loss = F.cross_entropy(logits, y)
    loss.backward()
    out["train"] = {"logits": full(logits), "loss_mean": loss.item(), "input_grad": rec(x.grad),
                    "grads": grads(model), "running": running(model)}
    out["sgd"] = sgd(name, n_train, 0.05)
    out["sgd_gentle"] = sgd(name, n_train, 0.001)
    save(name + ".json", out)


def resnet_eval(name, wanted):
    out = {"model": name, "parameters": models.SPECS[name][1], "n": models.SPECS[name][2]}
    e = evaluation(name, wanted)
    if not wanted:
        e = {"labels": e["labels"], "logits": e["logits"], "loss_sum": e["loss_sum"]}
    out["eval"] = e
    save(name + ".json", out)


def dual_bn():
    import ops
    save("dual_bn.json", ops.dual_bn())


def elastic():
    import elastic as e
    save("elastic.json", e.goldens())


def objectives():
    import objectives as o
    save("objectives.json", o.goldens())


def rrm():
    import rrm as r
    save("rrm.json", r.goldens())


def quantizers():
    import quantizers as q
    save("quantizers.json", q.goldens())


def rlnet():
    import rlnet as r
    save("rlnet.json", r.goldens())


def batch_losses():
    import batch_losses as b
    save("batch_losses.json", b.goldens())


def losses():
    import ops
    save("losses.json", ops.losses())


def optim():
    import ops
    save("optim.json", ops.optim())


JOBS = {
    "resnet20": lambda: resnet("resnet20", 8),
    "resnet56": lambda: resnet_eval("resnet56", []),
    "dual_bn": dual_bn,
    "elastic": elastic,
    "objectives": objectives,
    "rrm": rrm,
    "quantizers": quantizers,
    "rlnet": rlnet,
    "losses": losses,
    "batch_losses": batch_losses,
    "optim": optim,
    "resnet18": lambda: resnet("resnet18", 4),
    "resnet50": lambda: resnet_eval(
        "resnet50", ["conv1.weight", "layer3.2.conv2.weight", "fc.weight"]),
}

if __name__ == "__main__":
    for job in sys.argv[1:] or JOBS:
        JOBS[job]()
