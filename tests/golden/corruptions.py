"""The common corruptions of a small picture, with the libraries of the published make_cifar_c.py and
make_tinyimagenet_c.py (github.com/hendrycks/robustness): SciPy, OpenCV, Pillow. Writes
corruptions.json. Motion blur is that of the package imagecorruptions; random numbers come from
stream.py, in the order of rnx/data/corruption/.

    python3 corruptions.py   # needs NumPy, SciPy, Pillow, OpenCV 4 (the committed file: 4.10)
"""
import io
import json
import math
import os
import re

import cv2
import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates, zoom as scipy_zoom

from stream import Stream, mix, philox

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = 7  # Purpose::data
SIDE = 32
NAMES = ["gaussian_noise", "shot_noise", "impulse_noise", "defocus_blur", "glass_blur", "motion_blur", "zoom_blur",
         "snow", "frost", "fog", "brightness", "contrast", "elastic_transform", "pixelate", "jpeg_compression",
         "speckle_noise", "gaussian_blur", "spatter", "saturate"]


class Draws:
    """data::Draws"""

    def __init__(self, seed, draw, site):
        self.stream, self.at = Stream(seed, DATA, draw, site), 0

    def uniform(self, low=0.0, high=1.0):
        self.at += 1
        return low + (high - low) * self.stream.uniform(self.at - 1)

    def below(self, n):
        return int(self.uniform() * n)

    def normal(self):
        b = philox(self.stream.key, self.stream.high ^ 0x5555555555555555, self.at)
        self.at += 1
        return math.sqrt(-2 * math.log((b[0] + 0.5) / 2**32)) * math.cos(2 * math.pi * b[1] / 2**32)

    def normals(self, *shape):
        return np.array([self.normal() for _ in range(int(np.prod(shape)))]).reshape(shape)

    def uniforms(self, low, high, *shape):
        return np.array([self.uniform(low, high) for _ in range(int(np.prod(shape)))]).reshape(shape)

    def poisson(self, mean):  # Draws::poisson; its distribution is tested in C++
        if mean < 10:
            events, product = 0, self.uniform()
            while product > math.exp(-mean):
                events += 1
                product *= self.uniform()
            return events
        b = 0.931 + 2.53 * math.sqrt(mean)
        a = -0.059 + 0.02483 * b
        scale, sure = 1.1239 + 1.1328 / (b - 3.4), 0.9277 - 3.6224 / (b - 2)
        while True:
            u, v = self.uniform() - 0.5, self.uniform()
            d = 0.5 - abs(u)
            events = math.floor((2 * a / d + b) * u + mean + 0.43)
            if d >= 0.07 and v <= sure:
                return events
            if events < 0 or (d < 0.013 and v > d):
                continue
            if math.log(v * scale / (a / (d * d) + b)) <= events * math.log(mean) - mean - math.lgamma(events + 1):
                return events


def picture():
    y, x = np.mgrid[:SIDE, :SIDE]
    wave = [128 + 110 * np.sin(0.35 * x + 0.2 * y), 20 + 6 * x + (y * y) % 37, 30 + 24 * ((x // 4 + y // 5) % 9)]
    return np.stack(wave, -1).astype(np.uint8)


def smooth(x, sigma, mode="nearest", truncate=4.0):
    if x.ndim == 3:
        return gaussian_filter(x, (sigma, sigma, 0), mode=mode, truncate=truncate)
    return gaussian_filter(x, sigma, mode=mode, truncate=truncate)


def clipped_zoom(x, factor):
    n = x.shape[0]
    middle = int(np.ceil(n / factor))
    top = (n - middle) // 2
    z = scipy_zoom(x[top:top + middle, top:top + middle], (factor, factor) + (1,) * (x.ndim - 2), order=1)
    trim = (z.shape[0] - n) // 2
    return z[trim:trim + n, trim:trim + n]


def motion(x, radius, sigma, angle):
    """Shifted copies, the edge repeated: in levels, rounded as an image file holds them."""
    n = 2 * radius + 1
    k = np.exp(-np.arange(n) ** 2 / (2 * sigma * sigma))
    k /= k.sum()
    a = math.radians(angle)
    out = np.zeros(x.shape)
    for i in range(n):
        dy, dx = -math.ceil(i * math.sin(a) - 0.5), -math.ceil(i * math.cos(a) - 0.5)
        if abs(dy) >= x.shape[0] or abs(dx) >= x.shape[1]:
            break
        rows = np.clip(np.arange(x.shape[0]) - dy, 0, x.shape[0] - 1)
        columns = np.clip(np.arange(x.shape[1]) - dx, 0, x.shape[1] - 1)
        out += k[i] * x[rows][:, columns]
    return np.rint(out)


def plasma(side, decay, draws):
    m = np.zeros((side, side))
    step, wibble = side, 100.0
    while step >= 2:
        half = step // 2

        def mean(total):
            return total / 4 + wibble * draws.uniforms(-wibble, wibble, *total.shape)

        corner = m[::step, ::step]
        total = corner + np.roll(corner, -1, 0)
        m[half::step, half::step] = mean(total + np.roll(total, -1, 1))
        centre = m[half::step, half::step]
        m[::step, half::step] = mean(centre + np.roll(centre, 1, 0) + corner + np.roll(corner, -1, 1))
        m[half::step, ::step] = mean(centre + np.roll(centre, 1, 1) + corner + np.roll(corner, -1, 0))
        step //= 2
        wibble /= decay
    m -= m.min()
    return m / m.max()


def hsv(x):
    """Hue, saturation, value in [0, 1]."""
    v, low = x.max(-1), x.min(-1)
    d = v - low
    with np.errstate(all="ignore"):
        h = (x[..., 1] - x[..., 2]) / d
        h = np.where(x[..., 1] == v, 2 + (x[..., 2] - x[..., 0]) / d, h)
        h = np.where(x[..., 2] == v, 4 + (x[..., 0] - x[..., 1]) / d, h)
        s = np.where(d == 0, 0, d / v)
    return np.where(d == 0, 0, (h / 6) % 1), s, v


def rgb(h, s, v):
    sector = np.floor(h * 6)
    f = h * 6 - sector
    p, q, t = v * (1 - s), v * (1 - f * s), v * (1 - (1 - f) * s)
    choices = [(v, t, p), (q, v, p), (p, v, t), (p, q, v), (t, p, v), (v, p, q)]
    return np.stack([np.choose(sector.astype(int) % 6, [c[k] for c in choices]) for k in range(3)], -1)


def defocus(x, radius, rim):
    grid = np.arange(-8, 9)
    X, Y = np.meshgrid(grid, grid)
    disk = (X ** 2 + Y ** 2 <= radius ** 2).astype(np.float32)
    disk /= disk.sum()
    disk = cv2.GaussianBlur(disk, ksize=(3, 3), sigmaX=rim)
    return np.stack([cv2.filter2D(x[:, :, k], -1, disk) for k in range(3)], -1)


def glass(x, sigma, reach, rounds, draws):
    x = (smooth(x, sigma) * 255).astype(np.uint8)
    for _ in range(rounds):
        for y in range(SIDE - reach, reach, -1):
            for c in range(SIDE - reach, reach, -1):
                dx = draws.below(2 * reach) - reach
                dy = draws.below(2 * reach) - reach
                x[y, c] = x[y + dy, c + dx]
    return smooth(x / 255, sigma)


def elastic(x, amount, sigma, jitter, draws):
    x = x.astype(np.float32)
    centre = np.float32(x.shape[:2]) // 2
    d = min(x.shape[:2]) // 3
    before = np.float32([centre + d, [centre[0] + d, centre[1] - d], centre - d])
    after = before + draws.uniforms(-jitter, jitter, 3, 2).astype(np.float32)
    x = cv2.warpAffine(x, cv2.getAffineTransform(before, after), x.shape[1::-1], borderMode=cv2.BORDER_REFLECT_101)
    dx = smooth(draws.uniforms(-1, 1, *x.shape[:2]), sigma, "reflect", 3) * amount
    dy = smooth(draws.uniforms(-1, 1, *x.shape[:2]), sigma, "reflect", 3) * amount
    rows, columns, k = np.meshgrid(*[np.arange(n) for n in x.shape], indexing="ij")
    where = rows + dy[..., None], columns + dx[..., None], k
    return map_coordinates(x, [w.reshape(-1) for w in where], order=1, mode="reflect").reshape(x.shape)


def spatter(x, mean, deviation, sigma, threshold, strength, mud, draws):
    x = x.astype(np.float32)
    drops = smooth(mean + deviation * draws.normals(*x.shape[:2]), sigma)
    if mud:
        m = smooth((drops > threshold).astype(np.float32), strength)
        m[m < 0.8] = 0
        return x * (1 - m[..., None]) + np.float32([63, 42, 20]) / 255 * m[..., None]
    drops[drops < threshold] = 0
    drops = (drops * 255).astype(np.uint8)
    d = cv2.distanceTransform(255 - cv2.Canny(drops, 50, 150), cv2.DIST_L2, 5)
    d = cv2.equalizeHist(cv2.blur(np.minimum(d, 20), (3, 3)).astype(np.uint8))
    d = cv2.filter2D(d, cv2.CV_8U, np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]))
    m = drops * cv2.blur(d, (3, 3)).astype(np.float32)
    return x + (m / m.max() * strength)[..., None] * np.float32([175, 238, 238]) / 255


def corrupt(image, kind, severity, c, draws):
    """`c`: the constants of rnx/data/corruption/constants.hpp."""
    x = image / 255
    if kind in ("gaussian_noise", "speckle_noise"):
        return x + (x if kind == "speckle_noise" else 1) * c[0] * draws.normals(*x.shape)
    if kind == "shot_noise":
        return np.array([draws.poisson(v * c[0]) for v in x.reshape(-1)]).reshape(x.shape) / c[0]
    if kind == "impulse_noise":
        hit = draws.uniforms(0, 1, *x.shape) <= c[0]
        salt = draws.uniforms(0, 1, *x.shape) <= 0.5
        return np.where(hit, salt * 1.0, x)
    if kind == "defocus_blur":
        return defocus(x, c[0], c[1])
    if kind == "glass_blur":
        return glass(x, c[0], int(c[1]), int(c[2]), draws)
    if kind == "motion_blur":
        return motion(image.astype(float), int(c[0]), c[1], draws.uniform(-45, 45)) / 255 + 1e-9
    if kind == "zoom_blur":
        zooms = np.arange(1, 1 + 0.01 * c[0], 0.01)
        assert severity > 2 or len(zooms) == c[0] + 1
        x = x.astype(np.float32)
        return (x + sum(clipped_zoom(x, z) for z in zooms)) / (len(zooms) + 1)
    if kind == "snow":
        layer = clipped_zoom(c[0] + c[1] * draws.normals(*x.shape[:2]), c[2])
        layer[layer < c[3]] = 0
        layer = (np.clip(layer, 0, 1) * 255).astype(np.uint8)
        layer = motion(layer.astype(float), int(c[4]), c[5], draws.uniform(-135, -45))[..., None] / 255
        x = x.astype(np.float32)
        grey = cv2.cvtColor(x, cv2.COLOR_RGB2GRAY)[..., None]
        return c[6] * x + (1 - c[6]) * np.maximum(x, grey * 1.5 + 0.5) + layer + np.rot90(layer, k=2)
    if kind == "frost":  # a window of the picture turned upside down, in a larger one
        ice = np.tile(image[::-1], (2, 2, 1))[:45, :50]
        draws.below(1)
        top, left = draws.below(45 - SIDE), draws.below(50 - SIDE)
        return c[0] * x + c[1] * ice[top:top + SIDE, left:left + SIDE] / 255
    if kind == "fog":
        most = x.max()
        return (x + c[0] * plasma(SIDE, c[1], draws)[..., None]) * most / (most + c[0])
    if kind == "brightness":
        h, s, v = hsv(x)
        return rgb(h, s, np.clip(v + c[0], 0, 1))
    if kind == "saturate":
        h, s, v = hsv(x)
        return rgb(h, np.clip(s * c[0] + c[1], 0, 1), v)
    if kind == "contrast":
        mean = x.mean((0, 1), keepdims=True)
        return (x - mean) * c[0] + mean
    if kind == "elastic_transform":
        return elastic(x, c[0] * SIDE, c[1] * SIDE, c[2] * SIDE, draws)
    if kind == "pixelate":
        small = Image.fromarray(image).resize((int(SIDE * c[0]),) * 2, Image.Resampling.BOX)
        return np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BOX)) / 255 + 1e-9
    if kind == "jpeg_compression":
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=int(c[0]))
        return np.asarray(Image.open(file)) / 255 + 1e-9
    if kind == "gaussian_blur":
        return smooth(x, c[0])
    return spatter(x, *c[:6], draws)


def constants():
    """Read from the header, so that both sides use the same."""
    text = open(os.path.join(HERE, "../../include/rnx/data/corruption/constants.hpp")).read()
    sets = {}
    for name in ("cifar", "tiny_imagenet"):
        body = text.split("Severities " + name + "[] = {")[1].split("};")[0]
        rows = [[float(v) for v in r.split(",")] + 7 * [0.0] for r in re.findall(r"\{([^{}]+)\}", body)]
        assert len(rows) == 95
        sets[name] = rows
    return sets


image = picture()
record = {"side": SIDE, "picture": image.tobytes().hex(), "cases": []}
for name, rows in constants().items():
    for k, kind in enumerate(NAMES):
        for severity in (1, 3, 5) if name == "cifar" else (2, 4):
            draws = Draws(9, k << 8 | severity, 1)
            x = corrupt(image, kind, severity, rows[5 * k + severity - 1], draws)
            record["cases"].append([name, kind, severity,
                                    (np.clip(x, 0, 1) * 255).astype(np.uint8).reshape(-1)[::4].tobytes().hex()])
with open(os.path.join(HERE, "corruptions.json"), "w") as f:
    json.dump(record, f)
    f.write("\n")
