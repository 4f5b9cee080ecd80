"""Losses that couple a batch, as their papers and published codes compute them: values and gradients
with respect to the student's rows. See README.md, batch_losses.json."""
import torch
import torch.nn.functional as F

from rule import u

N, STUDENT, TEACHER = 6, 7, 5
NEWEST, BATCHES, TEMPERATURE = 7, (6, 4, 6, 5), 0.2


def rows(name, n, width):
    return u(name, n, width) * 4 - 2


def similarity(s, t):
    """Tung & Mori 2019: row-normalised Gram matrices."""
    gs, gt = (F.normalize(x @ x.T) for x in (s, t))
    return (gs - gt).pow(2).sum() / len(s) ** 2


def scaled_distances(x):
    d = torch.stack([torch.stack([(a - b).norm() if i != j else torch.zeros(())
                                  for j, b in enumerate(x)]) for i, a in enumerate(x)])
    return d / d[~torch.eye(len(x), dtype=torch.bool)].mean()


def distance(s, t):
    """Park et al. 2019: pairs. The mean over all n^2 entries, as in their code."""
    return F.smooth_l1_loss(scaled_distances(s), scaled_distances(t))


def cosines(x):
    """At each row, of each pair of differences to it."""
    e = F.normalize(x[None, :, :] - x[:, None, :], dim=2)
    return e @ e.transpose(1, 2)


def angle(s, t):
    """Park et al. 2019: triplets, the mean over all n^3 entries."""
    return F.smooth_l1_loss(cosines(s), cosines(t))


def contrast(s, t, queue):
    """He et al. 2020 with the batch's keys as further negatives: cross-entropy of the positions."""
    keys = F.normalize(torch.cat([t, queue]))
    z = F.normalize(s) @ keys.T / TEMPERATURE
    return F.cross_entropy(z, torch.arange(len(s)))


def entry(f, s):
    s = s.clone().requires_grad_()
    value = f(s)
    value.backward()
    return {"value": value.item(), "grad": s.grad.tolist()}


def goldens():
    s, t = rows("s", N, STUDENT), rows("t", N, TEACHER)
    out = {"s": s.tolist(), "t": t.tolist()}
    for name, f in (("similarity", similarity), ("distance", distance), ("angle", angle)):
        out[name] = entry(lambda v: f(v, t), s)
    out.update(newest=NEWEST, temperature=TEMPERATURE, contrast=[])
    queue = torch.zeros(0, STUDENT)
    for k, n in enumerate(BATCHES):
        own, keys = rows("s.%d" % k, n, STUDENT), rows("t.%d" % k, n, STUDENT)
        step = {"s": own.tolist(), "t": keys.tolist()}
        step.update(entry(lambda v: contrast(v, keys, queue), own))
        out["contrast"].append(step)
        queue = torch.cat([queue, keys])[-NEWEST:]
    return out
