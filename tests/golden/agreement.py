#!/usr/bin/env python3
"""Usage: agreement.py FILE.safetensors DATA fgsm|pgd N PER_SAMPLE.csv
Attacks PyTorch's ResNet-20 with the file's weights on the first N test images of CIFAR-10 (binary version in DATA): FGSM 8/255, or PGD-20 (step
2/255, no random start), and compares prediction and outcome with rnx-eval's per_sample.csv: Cohen's kappa of both."""
import csv
import sys

import numpy as np
import torch
import torch.nn.functional as F

from check_strict import read_safetensors
import models


def kappa(a, b):
    a, b = np.asarray(a), np.asarray(b)
    observed = np.mean(a == b)
    expected = sum(np.mean(a == v) * np.mean(b == v) for v in np.union1d(a, b))
    return 1.0 if expected == 1 else (observed - expected) / (1 - expected)


def attack(model, x, y, kind, eps=8 / 255, step=2 / 255, steps=20):
    if kind == "fgsm":
        step, steps = eps, 1
    moved = x.clone()
    for _ in range(steps):
        moved.requires_grad_(True)
        gradient, = torch.autograd.grad(F.cross_entropy(model(moved), y, reduction="sum"), moved)
        moved = (moved.detach() + step * gradient.sign()).clamp(x - eps, x + eps).clamp(0, 1)
    return moved


def main():
    if len(sys.argv) != 6 or sys.argv[3] not in ("fgsm", "pgd"):
        sys.exit(__doc__)
    weights, data, kind, n, table = sys.argv[1:]
    n = int(n)
    model = models.build("resnet20").float()
    state = read_safetensors(weights)
    for k in model.state_dict():
        if k.endswith("num_batches_tracked"):
            state.setdefault(k, torch.zeros((), dtype=torch.int64))
    model.load_state_dict(state, strict=True)
    model.eval()
    records = np.fromfile(data + "/test_batch.bin", np.uint8, n * 3073).reshape(n, 3073)
    x, y = torch.from_numpy(records[:, 1:].reshape(n, 3, 32, 32).astype(np.float32) / np.float32(255)), torch.from_numpy(records[:, 0].astype(np.int64))
    clean, attacked = [], []
    for first in range(0, n, 250):
        part, labels = x[first:first + 250], y[first:first + 250]
        with torch.no_grad():
            clean.append(model(part).argmax(1))
        moved = attack(model, part, labels, kind)
        with torch.no_grad():
            attacked.append(model(moved).argmax(1))
    clean, attacked, y = torch.cat(clean).numpy(), torch.cat(attacked).numpy(), y.numpy()
    with open(table) as f:
        rows = list(csv.DictReader(f))[:n]
    ours = {k: np.array([int(r[k]) for r in rows]) for k in ("label", "clean_pred", "attacked_pred", "robust")}
    assert (ours["label"] == y).all(), "other images"
    robust = ((clean == y) & (attacked == y)).astype(int)
    print("torch %s, %s, n = %d" % (torch.__version__, kind, n))
    print("clean: PyTorch %.4f, rnx %.4f, kappa of predictions %.4f" % (np.mean(clean == y), np.mean(ours["clean_pred"] == y), kappa(clean, ours["clean_pred"])))
    print("attacked: PyTorch %.4f, rnx %.4f, kappa of outcomes %.4f, of predictions %.4f, samples that differ %d" %
          (robust.mean(), ours["robust"].mean(), kappa(robust, ours["robust"]), kappa(attacked, ours["attacked_pred"]), (robust != ours["robust"]).sum()))


if __name__ == "__main__":
    main()
