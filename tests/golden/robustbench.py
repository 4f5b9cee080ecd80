#!/usr/bin/env python3
"""Networks with the names and shapes of RobustBench's model zoo (normalisation mu and sigma as (1, 3, 1, 1), an unused sub_block1,
ResNets' shortcut and linear), written as functions of a state dict: names, shapes and logits of the rule's weights -> robustbench.json."""
import torch
import torch.nn.functional as F

from rule import full, save, u, value


def conv(s, name, x, stride=1):
    w = s[name + ".weight"]
    return F.conv2d(x, w, stride=stride, padding=w.shape[2] // 2)


def norm(s, name, x):
    return F.batch_norm(x, s[name + ".running_mean"], s[name + ".running_var"], s[name + ".weight"], s[name + ".bias"])


def normalized(s, x):
    return (x - s["mu"]) / s["sigma"]


def head(s, name, x):
    return F.linear(x.mean((2, 3)), s[name + ".weight"], s[name + ".bias"])


def wide(s, x):
    x = conv(s, "conv1", normalized(s, x))
    for group in (1, 2, 3):
        b = "block%d.layer.0." % group
        stride = 2 if group > 1 else 1
        a = F.relu(norm(s, b + "bn1", x))
        y = F.relu(norm(s, b + "bn2", conv(s, b + "conv1", a, stride)))
        x = conv(s, b + "conv2", y) + conv(s, b + "convShortcut", a, stride)
    return head(s, "fc", F.relu(norm(s, "bn1", x)))


def preact(s, x):
    x = conv(s, "conv1", normalized(s, x))
    for stage, stride in ((1, 1), (2, 2)):
        b = "layer%d.0." % stage
        y = conv(s, b + "conv1", F.relu(norm(s, b + "bn1", x)), stride)
        y = conv(s, b + "conv2", F.relu(norm(s, b + "bn2", y)))
        x = y + (conv(s, b + "shortcut.0", x, stride) if stage > 1 else x)
    return head(s, "linear", F.relu(norm(s, "bn", x)))


def plain(s, x):
    x = F.relu(norm(s, "bn1", conv(s, "conv1", normalized(s, x))))
    b = "layer1.0."
    y = F.relu(norm(s, b + "bn1", conv(s, b + "conv1", x, 2)))
    y = norm(s, b + "bn2", conv(s, b + "conv2", y))
    x = F.relu(y + norm(s, b + "shortcut.1", conv(s, b + "shortcut.0", x, 2)))
    return head(s, "linear", x)


def bn(name, n):
    return {name + "." + k: (n,) for k in ("weight", "bias", "running_mean", "running_var")}


def dense(name, i, o=10):
    return {name + ".weight": (o, i), name + ".bias": (o,)}


def block(name, i, o):
    return {**bn(name + "bn1", i), name + "conv1.weight": (o, i, 3, 3), **bn(name + "bn2", o), name + "conv2.weight": (o, o, 3, 3)}


NORMALIZATION = {"mu": (1, 3, 1, 1), "sigma": (1, 3, 1, 1)}
WIDE = {**NORMALIZATION, "conv1.weight": (16, 3, 3, 3)}
for g, (i, o) in enumerate(((16, 32), (32, 64), (64, 128))):
    WIDE.update({**block("block%d.layer.0." % (g + 1), i, o), "block%d.layer.0.convShortcut.weight" % (g + 1): (o, i, 1, 1)})
WIDE.update({**bn("bn1", 128), **dense("fc", 128), **block("sub_block1.layer.0.", 16, 32)})
PREACT = {**NORMALIZATION, "conv1.weight": (8, 3, 3, 3), **block("layer1.0.", 8, 8), **block("layer2.0.", 8, 16),
          "layer2.0.shortcut.0.weight": (16, 8, 1, 1), **bn("bn", 16), **dense("linear", 16)}
PLAIN = {**NORMALIZATION, "conv1.weight": (8, 3, 3, 3), **bn("bn1", 8), "layer1.0.conv1.weight": (16, 8, 3, 3), **bn("layer1.0.bn1", 16),
         "layer1.0.conv2.weight": (16, 16, 3, 3), **bn("layer1.0.bn2", 16), "layer1.0.shortcut.0.weight": (16, 8, 1, 1),
         **bn("layer1.0.shortcut.1", 16), **dense("linear", 16)}


def state(shapes):
    known = {"mu": "normalize.mean", "sigma": "normalize.std"}
    return {name: value(known.get(name, name), shape).reshape(shape) for name, shape in shapes.items()}


if __name__ == "__main__":
    x = u("input.0", 2, 3, 32, 32)
    save("robustbench.json", {name: {"tensors": [{"name": k, "shape": list(v)} for k, v in shapes.items()],
                                     "logits": full(forward(state(shapes), x))}
                              for name, shapes, forward in (("wide", WIDE, wide), ("preact", PREACT, preact), ("plain", PLAIN, plain))})
