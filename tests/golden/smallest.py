"""What searches for the smallest perturbation find on the small network of attacks.py, in float64: the attack of
Carlini & Wagner in L2 (github.com/carlini/nn_robust_attacks, l2_attack.py, untargeted, with PyTorch's Adam) and
DeepFool (github.com/LTS4/DeepFool; clipped to [0, 1] as foolbox 3.3 does), each on one image at a time. Writes
smallest.json; needs what attacks.py needs.
"""
import json
import os

import torch

from attacks import CLASSES, N, model, numbers, projection, x, y
from rule import HERE


def margin(z, label, confidence=0.0):
    others = torch.cat([z[:, :label], z[:, label + 1:]], 1)
    return z[:, label] - others.max(1)[0] + confidence


def carlini_wagner(image, label, constants, steps, rate, constant, confidence):
    """The image that was found (or the clean one), and the last constant."""
    start = torch.atanh((2 * image - 1) * 0.999999)
    begin = (torch.tanh(start) + 1) / 2
    lower, upper, best, size = 0.0, 1e10, image.clone(), float("inf")
    for search in range(constants):
        if constants >= 10 and search == constants - 1:
            constant = upper
        w = start.clone().requires_grad_()
        adam = torch.optim.Adam([w], lr=rate)
        found, before = False, float("inf")
        for step in range(steps):
            now = (torch.tanh(w) + 1) / 2
            z = model(now)
            over = margin(z, label, confidence).clamp(min=0)
            loss = ((now - begin) ** 2).sum() + constant * over.sum()
            if step % -(-steps // 10) == 0:
                if loss.item() > 0.9999 * before:
                    break
                before = loss.item()
            adam.zero_grad()
            loss.backward()
            shifted = z.detach().clone()
            shifted[0, label] += confidence
            if shifted.argmax(1).item() != label:
                found = True
                length = (now.detach() - image).norm().item()
                if length < size:
                    size, best = length, now.detach().clone()
            adam.step()
        if found:
            upper = min(upper, constant)
        else:
            lower = max(lower, constant)
        constant = (lower + upper) / 2 if upper < 1e9 else constant * 10
    return best, constant


def deep_fool(image, label, norm, steps, candidates=CLASSES, overshoot=0.02):
    order = model(image)[0].argsort(descending=True)[:candidates]
    assert order[0] == label
    total, at = torch.zeros_like(image), image
    for _ in range(steps):
        at = at.detach().requires_grad_()
        z = model(at)[0]
        if z.argmax() != label:
            break
        nearest = float("inf")
        own = torch.autograd.grad(z[label], at, retain_graph=True)[0]
        for k in order[1:]:
            w = torch.autograd.grad(z[k], at, retain_graph=True)[0] - own
            length = w.norm() if norm == "L2" else w.abs().sum()
            distance = ((z[k] - z[label]).abs() / length).item()
            if distance < nearest:
                nearest, way = distance, w / length if norm == "L2" else w.sign()
        total = total + (nearest + 1e-4) * way
        at = (image + (1 + overshoot) * total).clamp(0, 1)
    return at.detach()


def each(attack, *rest, **options):
    found = [attack(x[i:i + 1], int(y[i]), *rest, **options) for i in range(N)]
    return found


if __name__ == "__main__":
    cases = [dict(constants=1, steps=25, rate=0.05, constant=1.0, confidence=0.0),
             dict(constants=4, steps=30, rate=0.05, constant=0.01, confidence=0.0),
             dict(constants=3, steps=40, rate=0.02, constant=0.5, confidence=0.25),
             dict(constants=10, steps=20, rate=0.05, constant=0.01, confidence=0.0)]
    out = {"cw": [], "deepfool": {}}
    for case in cases:
        found = each(carlini_wagner, **case)
        best = torch.cat([b for b, _ in found])
        out["cw"].append(dict(case, found=numbers(projection(best)),
                              size=[float((best[i] - x[i]).norm()) for i in range(N)]))
        print(case, out["cw"][-1]["size"], [c for _, c in found])
    for norm in ("L2", "Linf"):
        runs = {"path": [], "three": numbers(projection(torch.cat(each(deep_fool, norm, 50, candidates=3))))}
        for steps in (1, 2, 3, 50):
            a = torch.cat(each(deep_fool, norm, steps))
            runs["path"].append({"steps": steps, "found": numbers(projection(a)),
                                 "wrong": [int(model(a[i:i + 1]).argmax() != y[i]) for i in range(N)]})
        out["deepfool"][norm] = runs
        print(norm, runs["path"][-1], [p["wrong"] for p in runs["path"]])
    with open(os.path.join(HERE, "smallest.json"), "w") as f:
        json.dump(out, f, separators=(",", ":"))
        f.write("\n")
