"""Paper 000 (RLNet): one step of each stage on a masked network with two batch-norm paths, as its
published code computes it. See README.md, rlnet.json."""
import torch
import torch.nn.functional as F

from objectives import CLASSES, N, DualBN, Net, attention, kd, pgd, running, summary
from rule import fill, labels, u

BUDGET = [150, 40]
SIDES = [(6, 8, 8), (8, 4, 4)]  # of what stands behind the ReLUs


class MaskedNet(Net):
    """relu(x m) + x (1 - m) in place of its ReLUs; m without a channel of its own for each path."""

    def __init__(self, width, masks):
        super().__init__(width, DualBN)
        self.masks = masks

    def relu(self, k, x):
        m = self.masks[k]
        return F.relu(x * m) + x * (1 - m)

    def maps(self, x, path=0):
        r1 = self.relu(0, self.bn1(self.conv1(x), path))
        r2 = self.relu(1, self.bn2(self.conv2(r1), path))
        return {"relu": [r1, r2], "logits": self.fc(r2.mean((2, 3)))}


def top(scores, r):
    """The r largest, of equal ones the first."""
    order = sorted(range(scores.numel()), key=lambda i: (-float(scores.flatten()[i]), i))
    mask = torch.zeros(scores.numel())
    mask[order[:r]] = 1
    return mask.reshape(scores.shape)


def eq4(student, teacher):
    """PRAM as printed: both activations on the unit sphere, by the norm."""
    q = lambda f: F.normalize(f.flatten(1))
    return sum((q(a) - q(b)).norm(dim=1).mean() for a, b in zip(student["relu"], teacher["relu"]))


class Networks:
    def __init__(self):
        masks = [top(u("mask.relu%d" % (k + 1), *side), r)
                 for k, (side, r) in enumerate(zip(SIDES, BUDGET))]
        self.net = fill(MaskedNet(6, masks)).train()
        self.teacher = fill(MaskedNet(6, [torch.ones(s) for s in SIDES]), "teacher.").eval()
        self.x, self.aug = u("input.0", N, 3, 8, 8), u("input.1", N, 3, 8, 8)
        self.y = labels(0, N, CLASSES)


def attacked(s, climbed, x):
    s.net.eval()
    adv = pgd(climbed, x)
    s.net.train()
    return adv


def step(stage, halves=True, ce=.5, kl=.5, beta=0, pram=None, adv_pram=False,
         only=("clean", "aug", "adv")):
    """stage: teach (eq. 1), search (eq. 6), tune (eq. 7)."""
    s, temperature = Networks(), 4
    half = N // 2
    first, second = (slice(0, half), slice(half, N)) if halves else (slice(0, N), slice(0, N))
    taught = stage != "teach"
    with torch.no_grad():
        t = s.teacher.maps(s.x)
    committed, terms, scores, loss = {}, {}, None, 0
    for view in only:
        rows, path, x = first, 0, s.x
        if view == "aug":
            x = s.aug
        if view == "adv":
            rows, path = second, 1
            if taught:
                climbed = lambda v: kd(s.net(v, 1), t["logits"][rows], temperature)
            else:
                climbed = lambda v: F.cross_entropy(s.net(v, 1), s.y[rows], reduction="sum")
            inputs = attacked(s, climbed, s.x[rows])
        else:
            inputs = x[rows]
        out = s.net.maps(inputs, path)
        committed[view] = running(s.net)
        terms["ce." + view] = F.cross_entropy(out["logits"], s.y[rows])
        loss = loss + (ce if taught else 1) / 3 * terms["ce." + view]
        if taught:
            terms["kl." + view] = kd(out["logits"], t["logits"][rows], temperature)
            loss = loss + kl / 3 * terms["kl." + view]
        if pram and (view != "adv" or adv_pram):
            with torch.no_grad():
                other = s.teacher.maps(inputs, path)
            terms["attention." + view] = pram(out, other)
            loss = loss + beta / 2 * terms["attention." + view]
        if stage == "search" and view == "clean":
            scores = [(a[rows] - b).abs().sum(0).detach() for a, b in zip(t["relu"], out["relu"])]
    loss.backward()
    grads = {n: p.grad if p.grad is not None else torch.zeros_like(p)
             for n, p in s.net.named_parameters()}
    entry = {"loss": loss.item(), "terms": {n: v.item() for n, v in terms.items()},
             "grads": {n: summary(n, g) for n, g in grads.items()}, "running": committed}
    if scores:
        entry["scores"] = [summary("scores.relu%d" % (k + 1), f) for k, f in enumerate(scores)]
        entry["masks"] = ["".join(str(int(v)) for v in top(f, r).flatten())
                          for f, r in zip(scores, BUDGET)]
    return entry


def goldens():
    return {"n": N, "budget": BUDGET, "steps": {
        "teach": step("teach"),
        "teach whole": step("teach", halves=False),
        "search": step("search"),
        "search printed": step("search", halves=False, ce=1, kl=1),
        "tune": step("tune", beta=1000, pram=attention),
        "tune eq. 4": step("tune", ce=1, kl=1, beta=2, pram=eq4, adv_pram=True),
        "clean alone": step("search", halves=False, only=("clean",))}}
