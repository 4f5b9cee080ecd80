"""What Pillow makes of a small picture, and AugMix's mixture of it as in the published code
(github.com/google-research/augmix): writes augmix.json. Random numbers: stream.py, in the order of
data/augmix.hpp.

    python3 augmix.py        # needs NumPy and Pillow (the committed file: 13.0)
"""
import json
import math
import os

import numpy as np
from PIL import Image, ImageOps

from stream import Stream

HERE = os.path.dirname(os.path.abspath(__file__))
H, W = 17, 19
AUGMENT = 6  # Purpose::augment


def picture(k):
    """(y, x, c): waves of which channel 2 has only some levels."""
    y, x = np.mgrid[:H, :W]
    wave = [128 + 90 * np.sin(0.3 * x + 0.2 * k * y), 60 + 7 * x + (y * y) % 31, 40 + 16 * ((x * y + k) % 9)]
    return Image.fromarray(np.stack(wave, -1).astype(np.uint8))


def affine(image, *numbers):
    return image.transform(image.size, Image.Transform.AFFINE, numbers, resample=Image.Resampling.BILINEAR)


def rotate(image, degrees):
    return image.rotate(degrees, resample=Image.Resampling.BILINEAR)


class Draws:
    def __init__(self, stream, first):
        self.stream, self.at = stream, first

    def uniform(self, low=0.0, high=1.0):
        self.at += 1
        return low + (high - low) * self.stream.uniform(self.at - 1)

    def below(self, n):
        return int(self.uniform() * n)  # as long as the unbiased way need not draw again


def augmix(image, draws, width, depth, severity):
    def part(most):
        return draws.uniform(0.1, severity) * most / 10

    def signed(v):
        return -v if draws.uniform() > 0.5 else v

    operations = [
        ImageOps.autocontrast,
        ImageOps.equalize,
        lambda p: ImageOps.posterize(p, 4 - int(part(4))),
        lambda p: ImageOps.solarize(p, 256 - int(part(256))),
        lambda p: rotate(p, signed(int(part(30)))),
        lambda p: affine(p, 1, signed(part(0.3)), 0, 0, 1, 0),
        lambda p: affine(p, 1, 0, 0, signed(part(0.3)), 1, 0),
        lambda p: affine(p, 1, 0, signed(int(part(W / 3))), 0, 1, 0),
        lambda p: affine(p, 1, 0, 0, 0, 1, signed(int(part(H / 3)))),
    ]
    weights = np.array([-math.log1p(-draws.uniform()) for _ in range(width)])
    weights /= weights.sum()
    m = draws.uniform()
    x = np.asarray(image) / 255
    mixture = np.zeros_like(x)
    for w in weights:
        chain = image.copy()
        for _ in range(depth or 1 + draws.below(3)):
            chain = operations[draws.below(9)](chain)
        mixture += w * np.asarray(chain) / 255
    return (1 - m) * x + m * mixture


def text(image):
    return np.asarray(image).tobytes().hex()


p = picture(1)
flat = Image.fromarray(np.full((H, W, 3), 77, np.uint8))
record = {
    "h": H, "w": W, "picture": text(p),
    "auto_contrast": text(ImageOps.autocontrast(p)),
    "equalize": text(ImageOps.equalize(p)),
    "flat": text(ImageOps.equalize(ImageOps.autocontrast(flat))),
    "posterize": [[b, text(ImageOps.posterize(p, b))] for b in (1, 3, 4)],
    "solarize": [[t, text(ImageOps.solarize(p, t))] for t in (0, 100, 256)],
    "rotate": [[d, text(rotate(p, d))] for d in (-9, -1, 0, 4, 30)],
    "affine": [[a, text(affine(p, *a))] for a in (
        [1, 0.089, 0, 0, 1, 0], [1, -0.05, 0, 0, 1, 0], [1, 0, 0, 0.071, 1, 0], [1, 0, -5, 0, 1, 0],
        [1, 0, 0, 0, 1, 3], [0.9, 0.2, 1.3, -0.1, 1.1, -0.7])],
    "augmix": [],
}
for sample, (width, depth, severity) in enumerate(8 * [(3, 0, 3)] + [(1, 4, 10), (5, 0, 1)]):
    draws = Draws(Stream(11, AUGMENT, 2, 1 << 32 | sample), 1 << 32)
    mixed = augmix(picture(sample), draws, width, depth, severity)
    record["augmix"].append({"picture": text(picture(sample)), "width": width, "depth": depth, "severity": severity,
                             "mixed": [round(float(v), 9) for v in mixed.reshape(-1)[::7]]})
with open(os.path.join(HERE, "augmix.json"), "w") as f:
    json.dump(record, f)
    f.write("\n")
