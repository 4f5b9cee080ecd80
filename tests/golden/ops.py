"""Goldens of single pieces: dual batch norm, losses, optimisers and schedules."""
import math

import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

from rule import fill, rec, u


# ---- dual batch norm -------------------------------------------------------------------

def dual_bn():
    inputs = [(0, u("input.0", 6, 5, 4, 4) * 2 - 1), (0, u("input.1", 6, 5, 4, 4) * 3 - 1),
              (1, u("input.2", 6, 5, 4, 4) - 0.2)]
    prefix = ("bn.", "bn.paths.1.")
    out = {"path_of_input": [p for p, _ in inputs], "momentum": 0.1, "eps": 1e-5}
    for key, order in (("order_012", (0, 1, 2)), ("order_102", (1, 0, 2))):
        paths = [fill(nn.BatchNorm2d(5), p).train() for p in prefix]
        y = {i: paths[inputs[i][0]](inputs[i][1]) for i in order}
        out["outputs"] = [rec(y[i]) for i in range(3)]  # the order does not change them
        out[key] = {pre + s: rec(getattr(m, s)) for pre, m in zip(prefix, paths)
                    for s in ("running_mean", "running_var")}
    return out


# ---- losses ----------------------------------------------------------------------------

def kl(p_logits, q_logits, T):
    """Per sample KL(softmax(p/T) || softmax(q/T)) * T^2."""
    p, q = F.log_softmax(p_logits / T, 1), F.log_softmax(q_logits / T, 1)
    return (p.exp() * (p - q)).sum(1) * T * T


def losses():
    t = u("t", 5, 7) * 4 - 2
    y = (u("y", 5) * 7).long()
    s0 = u("s", 5, 7) * 4 - 2

    def entry(per_sample, reduce=torch.mean):
        s = s0.clone().requires_grad_()
        each = per_sample(s)
        value = reduce(each)
        value.backward()
        return {"per_sample": each.tolist(), "value": value.item(), "grad": s.grad.tolist()}

    out = {"s": s0.tolist(), "t": t.tolist(), "labels": y.tolist()}
    out["cross_entropy"] = entry(lambda s: F.cross_entropy(s, y, reduction="none"))
    out["label_smoothing_0.1"] = entry(
        lambda s: F.cross_entropy(s, y, reduction="none", label_smoothing=0.1))
    for T in (1, 4):
        for red, div in (("batchmean", 5), ("mean", 35)):
            fwd = entry(lambda s: kl(t, s, T), lambda v: v.sum() / div)
            ref = F.kl_div(F.log_softmax(s0 / T, 1), F.softmax(t / T, 1), reduction="batchmean")
            assert abs(ref.item() * T * T * 5 / div - fwd["value"]) < 1e-13
            out["kl_t_s_T%d_%s" % (T, red)] = fwd
            out["kl_s_t_T%d_%s" % (T, red)] = entry(lambda s: kl(s, t, T), lambda v: v.sum() / div)
    p_t = F.softmax(t / 4, 1)
    out["kl_floor_T4"] = entry(lambda s: 16 * (p_t * torch.log(
        1e-2 + p_t / (F.softmax(s / 4, 1) + 1e-2))).sum(1))
    out["mse_mean"] = entry(lambda s: ((s - t) ** 2).mean(1))
    out["cosine"] = entry(
        lambda s: -(s * t).sum(1) / (s.norm(dim=1) * t.norm(dim=1)).clamp(min=1e-6))
    assert abs(out["cosine"]["value"] + F.cosine_similarity(s0, t, 1, 1e-6).mean().item()) < 1e-14
    out["l2"] = entry(lambda s: (s - t).norm(dim=1))
    out["relative_l2"] = entry(lambda s: (s - t).norm(dim=1) / t.norm(dim=1))
    return out


# ---- optimisers and schedules ----------------------------------------------------------

def trajectory(make, ema_decay=None):
    p = nn.Parameter(u("p", 6))
    opt = make([p])
    ema, steps, averages = p.detach().clone(), [], []
    for k in range(6):
        p.grad = u("g.%d" % k, 6) - 0.5
        opt.step()
        steps.append(p.tolist())
        if ema_decay is not None:
            ema = ema_decay * ema + (1 - ema_decay) * p.detach()
            averages.append(ema.tolist())
    return (steps, averages) if ema_decay is not None else steps


def schedule(base, make, momentum=False):
    opt = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=base, momentum=0.9)
    sched = make(opt)
    lr, mom = [], []
    for _ in range(20):
        lr.append(opt.param_groups[0]["lr"])
        mom.append(opt.param_groups[0]["momentum"])
        opt.step()
        if len(lr) < 20:
            sched.step()
    return {"lr": lr, "momentum": mom} if momentum else {"lr": lr}


def warmup_cosine(k):
    return 0.1 * (k + 1) / 5 if k < 5 else 0.1 * 0.5 * (1 + math.cos(math.pi * (k - 5) / 15))


def optim():
    S, L = torch.optim, torch.optim.lr_scheduler
    sgd = lambda **kw: lambda ps: S.SGD(ps, lr=0.1, weight_decay=0.01, **kw)
    out = {"p": u("p", 6).tolist(), "g": [(u("g.%d" % k, 6) - 0.5).tolist() for k in range(6)],
           "sgd_lr": 0.1, "sgd_weight_decay": 0.01,
           "sgd_plain": trajectory(sgd()),
           "sgd_nesterov": trajectory(sgd(momentum=0.9, nesterov=True)),
           "adam": trajectory(lambda ps: S.Adam(ps, lr=0.01, betas=(0.9, 0.999), eps=1e-8,
                                                weight_decay=0.1))}
    out["sgd_momentum"], out["ema_0.9_of_sgd_momentum"] = trajectory(sgd(momentum=0.9), 0.9)

    p = nn.Parameter(u("p", 6))
    for key, size in (("clip_grad_norm", 0.5), ("clip_grad_norm_idle", 5.0)):
        p.grad = u("g.0", 6) - 0.5
        norm = nn.utils.clip_grad_norm_([p], size)
        out[key] = {"max_norm": size, "norm": norm.item(), "clipped": p.grad.tolist()}
    assert out["clip_grad_norm"]["norm"] > 0.5

    multi = schedule(0.1, lambda o: L.MultiStepLR(o, [6, 12], 0.1))
    cosine = {"lr": [1e-6 + (0.1 - 1e-6) * (1 + math.cos(math.pi * k / 20)) / 2 for k in range(20)]}
    torch_cosine = schedule(0.1, lambda o: L.CosineAnnealingLR(o, 20, 1e-6))
    assert np.allclose(cosine["lr"], torch_cosine["lr"], rtol=1e-12, atol=0)
    one = lambda how: schedule(0.1, lambda o: L.OneCycleLR(
        o, max_lr=0.2, total_steps=20, pct_start=0.4, anneal_strategy=how,
        base_momentum=0.85, max_momentum=0.95), True)
    out["schedules"] = {
        "multistep": dict(multi, base=0.1, milestones=[6, 12], gamma=0.1),
        "cosine": dict(cosine, base=0.1, T_max=20, eta_min=1e-6),
        "triangular": {"lr": [float(np.interp(k, [0, 10, 20], [0, 0.2, 0])) for k in range(20)],
                       "max": 0.2, "total": 20},
        "onecycle_linear": dict(one("linear"), max=0.2, total=20, pct_start=0.4,
                                div_factor=25.0, final_div_factor=1e4),
        "onecycle_cos": dict(one("cos"), max=0.2, total=20, pct_start=0.4,
                             div_factor=25.0, final_div_factor=1e4),
        "warmup_cosine": {"lr": [warmup_cosine(k) for k in range(20)],
                          "base": 0.1, "warmup": 5, "total": 20},
    }
    return out
