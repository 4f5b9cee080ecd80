"""One training step of each objective, written as its published code computes it: losses, gradients,
running statistics. See README.md, objectives.json."""
import torch
from torch import nn
import torch.nn.functional as F

from rule import fill, labels, u

N, CLASSES, EPS, STEPS = 7, 5, 8 / 255, 3


class DualBN(nn.BatchNorm2d):
    """Path 0 is the batch norm itself, path 1 its child."""

    def __init__(self, channels):
        super().__init__(channels)
        self.paths = nn.ModuleDict({"1": nn.BatchNorm2d(channels)})

    def forward(self, x, path):
        return super().forward(x) if path == 0 else self.paths["1"](x)


class SingleBN(nn.BatchNorm2d):
    def forward(self, x, path):
        return super().forward(x)


class Net(nn.Module):
    def __init__(self, width, norm):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.bn1 = norm(width)
        self.conv2 = nn.Conv2d(width, 8, 3, stride=2, padding=1, bias=False)
        self.bn2 = norm(8)
        self.fc = nn.Linear(8, CLASSES)

    def maps(self, x, path=0):
        """Outputs of the convolutions and of the activations, the pooled features, the logits."""
        c1 = self.conv1(x)
        r1 = F.relu(self.bn1(c1, path))
        c2 = self.conv2(r1)
        r2 = F.relu(self.bn2(c2, path))
        pooled = r2.mean((2, 3))
        return {"conv": [c1, c2], "relu": [r1, r2], "pooled": pooled, "logits": self.fc(pooled)}

    def forward(self, x, path=0):
        return self.maps(x, path)["logits"]


def pgd(loss, x, start=None, step=4 / 255):
    """Linf steps by the sign of the gradient, each projected onto the ball around x, then [0, 1]."""
    adv = (x if start is None else start).clone()
    for _ in range(STEPS):
        adv.requires_grad_()
        g = torch.autograd.grad(loss(adv), adv)[0]
        adv = adv.detach() + step * g.sign()
        adv = torch.min(torch.max(adv, x - EPS), x + EPS).clamp(0, 1)
    return adv


def summed_kl(student, teacher):
    """The divergence that attacks climb: KLDivLoss(size_average=False)."""
    return F.kl_div(F.log_softmax(student, 1), F.softmax(teacher, 1), reduction="sum")


def kd(student, teacher, temperature):
    """KLDivLoss of softened logits times T^2, over the batch (RLNet's DistillKL)."""
    return F.kl_div(F.log_softmax(student / temperature, 1), F.softmax(teacher / temperature, 1),
                    reduction="batchmean") * temperature ** 2


class Step:
    """The networks, the batch and a second view of it; what an objective finds goes to `out`."""

    def __init__(self):
        self.net = fill(Net(6, DualBN)).train()
        self.teacher = fill(Net(10, SingleBN), "teacher.").eval()
        self.x, self.aug = u("input.0", N, 3, 8, 8), u("input.1", N, 3, 8, 8)
        self.y = labels(0, N, CLASSES)
        with torch.no_grad():
            self.t, self.t_aug = self.teacher.maps(self.x), self.teacher.maps(self.aug)
        self.part = None  # further parameters

    def attacked(self, loss, x, **options):
        """By an attack on the network in eval mode."""
        self.net.eval()
        adv = pgd(loss, x, **options)
        self.net.train()
        return adv


def summary(name, t):
    """[norm, projection on the rule's direction]"""
    f = t.detach().reshape(-1)
    return [float(f.norm()), float((f * (2 * u("direction." + name, f.numel()) - 1)).sum())]


def running(net):
    return {n: summary(n, b) for n, b in net.named_buffers() if "running" in n}


def entry(objective):
    s = Step()
    loss, terms = objective(s)
    loss.backward()
    grads = {n: p.grad if p.grad is not None else torch.zeros_like(p)
             for n, p in s.net.named_parameters()}
    out = {"loss": loss.item(), "terms": {n: float(v) for n, v in terms.items()},
           "grads": {n: summary(n, g) for n, g in grads.items()}, "running": running(s.net)}
    if s.part is not None:
        out["part"] = s.part.grad.flatten().tolist()
    return out


def rslad(reduction):
    """Zi et al. 2021. Their value has log(p_t + 1e-5) in the teacher's entropy, a constant."""
    def objective(s):
        adv = s.attacked(lambda v: summed_kl(s.net(v), s.t["logits"]), s.x)
        p, losses = F.softmax(s.t["logits"], 1), []
        for view in (adv, s.x):
            losses.append(F.kl_div(F.log_softmax(s.net(view), 1), p, reduction=reduction))
        scale = CLASSES if reduction == "mean" else 1
        return (5 / 6 * losses[0] + 1 / 6 * losses[1],
                {"kl.adv": losses[0] * scale, "kl.clean": losses[1] * scale})
    return objective


def ard(folded):
    """Goldblum et al. 2020: the attack sees the network in train mode. folded: its forwards reach
    the running statistics, as in the published code."""
    def objective(s, alpha=0.9, temperature=30):
        norms = [m for m in s.net.modules() if isinstance(m, nn.BatchNorm2d)]
        for m in norms:
            m.momentum = 0.1 if folded else 0.0
        adv = pgd(lambda v: F.cross_entropy(s.net(v), s.y, reduction="sum"), s.x)
        for m in norms:
            m.momentum = 0.1
        outputs = s.net(adv)
        basic = s.net(s.x)
        divergence = F.kl_div(F.log_softmax(outputs / temperature, 1),
                              F.softmax(s.t["logits"] / temperature, 1), reduction="mean")
        ce = F.cross_entropy(basic, s.y)
        return (alpha * temperature ** 2 * divergence + (1 - alpha) * ce,
                {"kl.adv": divergence * temperature ** 2 * CLASSES, "ce.clean": ce})
    return objective


def trades(third_forward):
    """Zhang et al. 2019, from a given start; the steps stay inside the ball. third_forward: the
    published code runs the clean images again for the divergence."""
    def objective(s, beta=6):
        start = (s.x + 0.001 * (2 * s.aug - 1)).clamp(0, 1)
        s.net.eval()
        with torch.no_grad():
            natural = s.net(s.x)
        s.net.train()
        adv = s.attacked(lambda v: summed_kl(s.net(v), natural), s.x, start=start, step=2 / 255)
        clean = s.net(s.x)
        ce = F.cross_entropy(clean, s.y)
        moved = s.net(adv)
        robust = summed_kl(moved, s.net(s.x) if third_forward else clean) / N
        return ce + beta * robust, {"ce.clean": ce, "kl.adv": robust}
    return objective


def hinton(s, alpha=0.7, temperature=30):
    """Paper 002's baseline: student and teacher divide their logits by T inside."""
    z, t = s.net(s.x) / temperature, s.t["logits"] / temperature
    divergence = F.kl_div(F.log_softmax(z, 1), F.softmax(t, 1), reduction="mean")
    ce = F.cross_entropy(z, s.y)
    return (alpha * temperature ** 2 * divergence + (1 - alpha) * ce,
            {"kl.clean": divergence * temperature ** 2 * CLASSES, "ce.clean": ce})


def rrm(distance):
    """Paper 002's l_inf and l_2 scripts."""
    def objective(s, weight=5e-3):
        out = s.net.maps(s.x)
        ce = F.cross_entropy(out["logits"], s.y)
        a, b = out["pooled"], s.t["pooled"]
        if distance == "cosine":
            match = -F.cosine_similarity(a, b, dim=1, eps=1e-6).mean()
        else:
            match = ((a - b).norm(dim=1) / b.norm(dim=1)).mean()
        return weight * ce + match, {"ce.clean": ce, "match.clean": match}
    return objective


def attention(student, teacher):
    def q(f):
        return F.normalize(f.pow(2).mean(1).flatten(1))
    return sum((q(a) - q(b)).pow(2).mean() for a, b in zip(student["relu"], teacher["relu"]))


def rlnet(distilled, attended):
    """Paper 000: eq. 1 (the teacher's training), eq. 6 and 7. Halves: clean and augmented images on
    path 0, adversarial ones on path 1."""
    def objective(s, temperature=4, beta=1000):
        half = N // 2
        t = s.t["logits"]
        clean, aug = s.net.maps(s.x[:half]), s.net.maps(s.aug[:half])
        x2, y2 = s.x[half:], s.y[half:]
        if distilled:
            climbed = lambda v: kd(s.net(v, 1), t[half:], temperature)
        else:
            climbed = lambda v: F.cross_entropy(s.net(v, 1), y2, reduction="sum")
        adv = s.net(s.attacked(climbed, x2), 1)
        passes = {"clean": (clean["logits"], s.y[:half], t[:half]),
                  "aug": (aug["logits"], s.y[:half], t[:half]), "adv": (adv, y2, t[half:])}
        terms = {"ce." + k: F.cross_entropy(z, y) for k, (z, y, _) in passes.items()}
        loss = sum(terms.values()) / 3
        if distilled:
            kl = {"kl." + k: kd(z, target, temperature) for k, (z, _, target) in passes.items()}
            loss = 0.5 * loss + 0.5 * sum(kl.values()) / 3
            terms.update(kl)
        if attended:
            first = lambda maps: {"relu": [f[:half] for f in maps["relu"]]}
            at = {"attention.clean": attention(clean, first(s.t)),
                  "attention.aug": attention(aug, first(s.t_aug))}
            loss = loss + beta * sum(at.values()) / 2
            terms.update(at)
        return loss, terms
    return objective


def resized(f):
    """Attention maps at 14x14, a row per sample."""
    return F.interpolate(f.pow(2).sum(1, keepdim=True), size=(14, 14), mode="bilinear",
                         align_corners=False).flatten(1)


def rnas(s, gamma=2):
    """Paper 001, eq. 3 with the tutors found: CE + KL(teacher || student) + gamma L_attn. Maps of the
    student's activations and of the teacher's convolutions, normalised per sample."""
    out = s.net.maps(s.x)
    students, teachers = [[F.normalize(resized(f)) for f in fs]
                          for fs in (out["relu"], s.t["conv"])]
    g = F.one_hot(u("tutor.logits", len(students), len(teachers)).argmax(1), len(teachers))
    tutor = sum(g[i, j] * (a - b).norm(dim=1) for i, a in enumerate(students)
                for j, b in enumerate(teachers)).mean() / (len(students) * len(teachers))
    ce = F.cross_entropy(out["logits"], s.y)
    kl = F.kl_div(F.log_softmax(out["logits"], 1), F.softmax(s.t["logits"], 1),
                  reduction="batchmean")
    return ce + kl + gamma * tutor, {"ce.clean": ce, "kl.clean": kl, "tutor.clean": tutor}


def rnas_released(s, gamma=2, floor=1e-6):
    """The same as paper 001's code computes it while it searches, but for its gain: a batch's maps
    of a layer are one vector, the tutors of a layer one norm; a divergence with a floor."""
    out = s.net.maps(s.x)
    students, teachers = [[F.normalize(resized(f).flatten(), dim=0) for f in fs]
                          for fs in (out["relu"], s.t["conv"])]
    s.part = u("tutor.logits", len(students), len(teachers)).requires_grad_()
    g = F.softmax(s.part / 0.7, 1)
    tutor = sum((g[i, :, None] * (torch.stack(teachers) - a)).norm()
                for i, a in enumerate(students))
    ce = F.cross_entropy(out["logits"], s.y)
    p, q = F.softmax(s.t["logits"], 1), F.softmax(out["logits"], 1)
    kl = (p * torch.log(floor + p / (q + floor))).sum(1).mean()
    return ce + kl + gamma * tutor, {"ce.clean": ce, "kl.clean": kl, "tutor.clean": tutor}


def goldens():
    objectives = {
        "rslad": rslad("mean"), "rslad_batchmean": rslad("batchmean"), "ard": ard(False),
        "ard_published": ard(True), "trades": trades(False), "trades_published": trades(True),
        "kd": hinton, "rrm_cosine": rrm("cosine"), "rrm_relative_l2": rrm("relative l2"),
        "rlnet_eq1": rlnet(False, False), "rlnet_eq6": rlnet(True, False),
        "rlnet_eq7": rlnet(True, True), "rnas_eq3": rnas, "rnas_released": rnas_released}
    return {"n": N, "objectives": {name: entry(f) for name, f in objectives.items()}}
