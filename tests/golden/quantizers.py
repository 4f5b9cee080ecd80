"""Weight maps and activation maps as their papers and published codes compute them, with autograd
through the surrogates. See README.md, quantizers.json."""
import torch

from rule import u

SHAPE = (3, 4, 2, 2)  # filters, input channels, kernel
X = (2, 3, 2, 3)  # samples, height, width, channels
PAD = 1


class Surrogate(torch.autograd.Function):
    """value forward; the gradient times slope backward."""

    @staticmethod
    def forward(ctx, x, value, slope):
        ctx.save_for_backward(slope)
        return value

    @staticmethod
    def backward(ctx, g):
        return g * ctx.saved_tensors[0], None, None


def sign(x):
    return torch.where(x >= 0, 1.0, -1.0)


def hard_tanh(x):
    return (x.abs() <= 1).double()


def approx_sign(x):
    return (2 - 2 * x.abs()).clamp(min=0)


def binary(x, slope):
    return Surrogate.apply(x, sign(x.detach()), slope(x.detach()))


def rounded(x):
    return Surrogate.apply(x, x.detach().round(), torch.ones_like(x))


def dorefa(k):
    def of(w):
        if k == 1:
            return Surrogate.apply(w, sign(w.detach()) * w.detach().abs().mean(), torch.ones_like(w))
        t = w.tanh()
        levels = 2 ** k - 1
        return 2 * rounded((t / (2 * t.abs().max()) + 0.5) * levels) / levels - 1
    return of


def ternary(per_filter):
    def of(w):
        v = w.detach()
        axes = (1, 2, 3) if per_filter else (0, 1, 2, 3)
        kept = (v.abs() > 0.7 * v.abs().mean(axes, keepdim=True)).double()
        alpha = (v.abs() * kept).sum(axes, keepdim=True) / kept.sum(axes, keepdim=True)
        return Surrogate.apply(w, alpha * kept * v.sign(), torch.ones_like(w))
    return of


def bi_real(w):
    v = w.detach()
    return Surrogate.apply(w, v.abs().mean((1, 2, 3), keepdim=True) * sign(v), hard_tanh(v))


def int8(w):
    scale = w.detach().abs().amax((1, 2, 3), keepdim=True) / 127
    return Surrogate.apply(w, (w.detach() / scale).round() * scale, torch.ones_like(w))


def lsq(x, step):
    """Esser et al. 2020, algorithm 1: 8 bits with a sign, features those of a sample."""
    g = 1 / (127 * x[0].numel()) ** 0.5
    step = step * g + (step - step * g).detach()
    v = (x / step).clamp(-128, 127)
    return (v + (v.round() - v).detach()) * step


def xnor(w, g):
    """XNOR-Net's steps on the stored weight, then its rule for the gradient, without the factor n."""
    centred = w - w.mean(1, keepdim=True)
    clipped = centred.clamp(-1, 1)
    alpha = clipped.abs().mean((1, 2, 3), keepdim=True)
    through = alpha * (centred.abs() <= 1).double() * g
    along = sign(clipped) * (sign(clipped) * g).mean((1, 2, 3), keepdim=True)
    return alpha * sign(clipped), (through + along) * (1 - 1 / w.shape[1])


def bases(v, m):
    shifts = [0.0] if m == 1 else [-1 + 2 * i / (m - 1) for i in range(m)]
    return torch.stack([sign(v - v.mean() + s * v.std(unbiased=False)).reshape(-1) for s in shifts], 1)


def multi_bit(w, m, alpha=None):
    """sum_i alpha_i B_i of the layer; alpha: learned, else by least squares."""
    b = bases(w.detach(), m)
    if alpha is None:
        alpha = torch.linalg.lstsq(b, w.detach().reshape(-1, 1)).solution.reshape(-1)
    columns = [Surrogate.apply(w, b[:, i].reshape(w.shape), hard_tanh(w.detach())) for i in range(m)]
    return sum(alpha[i] * columns[i] for i in range(m))


def weights(name, w, g):
    w = w.clone().requires_grad_()
    learned = {}
    if name == "xnor":
        value, dw = xnor(w.detach(), g)
    else:
        if name.startswith("learned"):
            learned["alpha"] = (u("alpha", SHAPE[0], 3) - 0.3).requires_grad_()
        maps = {"sign": lambda: binary(w, hard_tanh),
                "sign identity": lambda: binary(w, torch.ones_like),
                "sign approx": lambda: binary(w, approx_sign),
                "dorefa 1": lambda: dorefa(1)(w), "dorefa 2": lambda: dorefa(2)(w),
                "dorefa 4": lambda: dorefa(4)(w), "ternary": lambda: ternary(False)(w),
                "ternary filter": lambda: ternary(True)(w), "bi-real": lambda: bi_real(w),
                "int8": lambda: int8(w),
                "multi-bit 1": lambda: multi_bit(w, 1), "multi-bit 3": lambda: multi_bit(w, 3),
                "multi-bit 3 filter": lambda: torch.stack([multi_bit(f, 3) for f in w]),
                "learned 3": lambda: multi_bit(w, 3, learned["alpha"][0]),
                "learned 3 filter": lambda: torch.stack(
                    [multi_bit(f, 3, a) for f, a in zip(w, learned["alpha"])])}
        value = maps[name]()
        value.backward(g)
        dw = w.grad
    out = {"value": value, "dtheta": dw}
    if learned:
        out["dalpha"] = learned["alpha"].grad
    return {k: v.detach().reshape(-1).tolist() for k, v in out.items()}


WEIGHTS = ["sign", "sign identity", "sign approx", "dorefa 1", "dorefa 2", "dorefa 4", "xnor", "ternary",
           "ternary filter", "bi-real", "int8", "multi-bit 1", "multi-bit 3", "multi-bit 3 filter", "learned 3",
           "learned 3 filter"]


def pact(x, clip, k):
    levels = 2 ** k - 1
    y = 0.5 * (x.abs() - (x - clip).abs() + clip)  # the paper's eq. 1
    return Surrogate.apply(y, (y.detach() * levels / clip.detach()).round() * clip.detach() / levels,
                           torch.ones_like(y))


def activations(name, x, g):
    x = x.clone().requires_grad_()
    padded = torch.nn.functional.pad
    box = (0, 0, PAD, PAD, PAD, PAD)
    p = {}
    if name.startswith("multi-bit"):
        n = int(name[-1])
        p["beta"] = (u("beta", n) - 0.3).requires_grad_()
        p["shift"] = (u("shift", n) - 0.5).requires_grad_()
        total = 0
        for i in range(n):
            h = x + p["shift"][i]
            a = Surrogate.apply(h, sign(h.detach() - 0.5), ((h >= 0) & (h <= 1)).double())
            total = total + p["beta"][i] * padded(a, box, value=1.0)
    elif name.startswith("pact"):
        p["clip"] = torch.tensor([0.8]).requires_grad_()
        total = padded(pact(x, p["clip"][0], int(name[-1])), box)
    elif name == "int8":
        p["step"] = torch.tensor([0.007]).requires_grad_()
        total = padded(lsq(x, p["step"][0]), box)
    elif name.startswith("round"):
        levels = 2 ** int(name[-1]) - 1
        total = padded(rounded(x.clamp(0, 1) * levels) / levels, box)
    else:
        slope = {"sign": hard_tanh, "sign identity": torch.ones_like, "sign approx": approx_sign}[name]
        total = padded(binary(x, slope), box, value=1.0)
    total.backward(g)
    out = {"value": total, "dx": x.grad, **{"d" + k: v.grad for k, v in p.items()}}
    return {k: v.detach().reshape(-1).tolist() for k, v in out.items()}


ACTIVATIONS = ["sign", "sign identity", "sign approx", "round 2", "pact 2", "pact 4", "int8", "multi-bit 1",
               "multi-bit 3"]


def goldens():
    w, gw = 2.6 * u("theta", *SHAPE) - 1.3, 2 * u("dsum", *SHAPE) - 1
    x, gx = 2.6 * u("x", *X) - 1.3, 2 * u("dx", X[0], X[1] + 2 * PAD, X[2] + 2 * PAD, X[3]) - 1
    return {"weights": {n: weights(n, w, gw) for n in WEIGHTS},
            "activations": {n: activations(n, x, gx) for n in ACTIVATIONS}}
