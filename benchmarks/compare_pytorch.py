#!/usr/bin/env python3
"""The workloads of networks.cpp in PyTorch on the CPU.

    compare_pytorch.py [--compile] [--seconds 2] [--filter resnet20/inference]
        lines of `name images_per_second images_per_cpu_second mode`
    compare_pytorch.py [--compile] --memory resnet18 64 5
        peak resident memory in MB of five training steps: after the import of PyTorch, and at the end
    compare_pytorch.py [--compile] --serve
        reads `prepare NAME`, `choose`, `keep` and `time SECONDS`, one answer a line (compare.py)

Channels-last, inference_mode, set_to_none, fused SGD, all threads (or OMP_NUM_THREADS). Attacks compute no weight gradients.
With --compile the fastest of several ways to compile a workload is kept.
"""
import argparse
import os
import resource
import sys
import time

threads = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count())

import torch
import torch.nn.functional as F

import pytorch_models

EPS, STEP, BETA = 8 / 255, 2 / 255, 6
WORKLOADS = ("inference", "latency", "input_gradient", "training_step", "pgd7_step", "trades_step")


def megabytes():
    return 1.024e-3 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def cross_entropy_sum(model, x, y):
    return F.cross_entropy(model(x), y, reduction="sum")


def divergence_sum(model, x, target):
    return F.kl_div(F.log_softmax(model(x), 1), target, reduction="sum")


def trades_loss(model, clean, moved, y):
    z, moved_z = model(clean), model(moved)
    return F.cross_entropy(z, y) + BETA * F.kl_div(F.log_softmax(moved_z, 1), F.softmax(z, 1), reduction="batchmean")


def mean_loss(model, x, y):
    return F.cross_entropy(model(x), y)


def moved_by(g, moved, x):
    moved = moved + STEP * g.sign()
    return torch.min(torch.max(moved, x - EPS), x + EPS).clamp(0, 1)


class Problem:
    """One network with its data. `compiler` is applied to every function that is worth compiling."""

    def __init__(self, name, batch, compiler=lambda f: f, functional=False):
        torch.manual_seed(1)
        self.model = pytorch_models.build(name).to(memory_format=torch.channels_last)
        self.x = torch.rand(batch, 3, 32, 32).to(memory_format=torch.channels_last)
        self.y = torch.randint(10, (batch,))
        self.one = self.x[:1].contiguous(memory_format=torch.channels_last)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4, fused=True)
        model = self.model
        self.logits = compiler(lambda x: model(x))
        self.mean_loss = compiler(lambda x, y: mean_loss(model, x, y))
        self.trades_loss = compiler(lambda x, moved, y: trades_loss(model, x, moved, y))
        self.moved_by = compiler(moved_by)
        losses = (lambda x, y: cross_entropy_sum(model, x, y)), (lambda x, target: divergence_sum(model, x, target))
        if functional:  # forward and backward in one graph
            self.gradient, self.divergence_gradient = (compiler(torch.func.grad(f)) for f in losses)
        else:
            self.gradient, self.divergence_gradient = (self.autograd(compiler(f)) for f in losses)

    @staticmethod
    def autograd(f):
        def gradient(x, y):
            with torch.enable_grad():
                x = x.detach().requires_grad_(True)
                return torch.autograd.grad(f(x, y), x)[0]
        return gradient

    def mode(self, training):
        self.model.train(training)
        for p in self.model.parameters():
            p.requires_grad_(training)

    def inference(self):
        self.mode(False)
        with torch.inference_mode():
            return self.logits(self.x)

    def latency(self):
        with torch.inference_mode():
            return self.logits(self.one)

    def input_gradient(self):
        self.mode(False)
        with torch.no_grad():
            return self.gradient(self.x, self.y)

    def descend(self, f, *arguments):
        self.mode(True)
        self.optimizer.zero_grad(set_to_none=True)
        f(*arguments).backward()
        self.optimizer.step()

    def training_step(self):
        self.descend(self.mean_loss, self.x, self.y)

    def attack(self, gradient, y, start, steps):
        moved = start
        for _ in range(steps):
            moved = self.moved_by(gradient(moved, y), moved, self.x)
        return moved

    def pgd7_step(self):
        self.mode(False)
        with torch.no_grad():
            start = (self.x + torch.empty_like(self.x).uniform_(-EPS, EPS)).clamp_(0, 1)
            moved = self.attack(self.gradient, self.y, start, 7)
        self.descend(self.mean_loss, moved, self.y)

    def trades_step(self):
        self.mode(False)
        with torch.no_grad():
            target = F.softmax(self.logits(self.x), 1)
            moved = self.attack(self.divergence_gradient, target, (self.x + 0.001 * torch.randn_like(self.x)).clamp_(0, 1), 10)
        self.descend(self.trades_loss, self.x, moved, self.y)


def modes(compiled, what):
    """Ways to run a workload: name and (arguments of torch.compile or None, weights frozen, gradients in one graph)."""
    if not compiled:
        return {"eager": (None, False, False)}
    plain, tuned = {"dynamic": False}, {"dynamic": False, "mode": "max-autotune-no-cudagraphs"}
    if what in ("inference", "latency"):
        return {"compile": (plain, False, False), "frozen": (plain, True, False), "max-autotune frozen": (tuned, True, False)}
    if what == "training_step":
        return {"compile": (plain, False, False), "max-autotune": (tuned, False, False)}
    return {"compile": (plain, False, False), "one graph": (plain, False, True)}


class Workload:
    """NAME/WHAT: prepare() compiles every mode, choose() times them, keep() leaves the fastest alone in the process."""

    def __init__(self, name, compiled):
        self.network, self.what = name.split("/")
        self.batch = 1 if self.what == "latency" else pytorch_models.BATCH[self.network]
        self.modes, self.compiled, self.ready, self.times = modes(compiled, self.what), compiled, {}, {}

    def make(self, mode):
        """Builds, compiles and warms up."""
        arguments, frozen, functional = self.modes[mode]
        if self.compiled:
            import torch._inductor.config
            torch._inductor.config.freezing = frozen
        problem = Problem(self.network, pytorch_models.BATCH[self.network], (lambda f: torch.compile(f, **arguments)) if arguments else (lambda f: f), functional)
        problem.mode(False)
        run = getattr(problem, self.what)
        for _ in range(2 if self.compiled else 1):
            run()
        return run

    def prepare(self):
        for mode in self.modes:
            try:
                self.ready[mode] = self.make(mode)
            except Exception as error:  # a mode that PyTorch cannot compile is not a competitor
                print("%s/%s: %s: %s" % (self.network, self.what, mode, str(error).split("\n")[0]), file=sys.stderr)

    def choose(self):
        """Images a second in each mode."""
        for mode, self.run in self.ready.items():
            self.times[mode] = self.rate(0.3 if len(self.ready) > 1 else 0)[0]
        return self.times

    def keep(self):
        if not self.times:
            return "none"
        self.mode = max(self.times, key=self.times.get)
        self.run = self.ready[self.mode]
        if len(self.ready) > 1:
            self.ready = {}
            torch._dynamo.reset()  # the other modes' guards cost time in every call
            self.run = self.make(self.mode)
        return self.mode

    def rate(self, seconds):
        """Images a second of wall time and of CPU time."""
        count, start, cpu = 0, time.perf_counter(), time.process_time()
        while True:
            self.run()
            count += self.batch
            passed = time.perf_counter() - start
            if passed >= seconds:
                return count / passed, count / (time.process_time() - cpu)


def serve(compiled):
    workload = None
    for line in sys.stdin:
        what, *rest = line.split()
        if what == "prepare":
            workload = Workload(rest[0], compiled)
            workload.prepare()
            print("ready", flush=True)
        elif what == "choose":
            print("rates", " ".join("%s:%.4g" % (m.replace(" ", "-"), t) for m, t in workload.choose().items()), flush=True)
        elif what == "keep":
            print("keep", workload.keep().replace(" ", "-"), flush=True)
        elif what == "time":
            print("time %.4f %.4f" % workload.rate(float(rest[0])), flush=True)


def memory(name, batch, steps, compiled):
    start = megabytes()
    problem = Problem(name, batch, (lambda f: torch.compile(f, dynamic=False)) if compiled else lambda f: f)
    for _ in range(steps):
        problem.training_step()
    print("%.1f %.1f" % (start, megabytes()))


def convolutions(seconds):
    """3x3 convolutions of stride 1 by PyTorch's oneDNN, channels-last: name and GFLOP/s, as bench_kernels names them."""
    for channels, size, batch in ((16, 32, 128), (32, 16, 128), (64, 8, 128), (64, 32, 64), (128, 16, 64), (256, 8, 64), (512, 4, 64)):
        x = torch.rand(batch, channels, size, size).to(memory_format=torch.channels_last)
        w = torch.rand(channels, channels, 3, 3).to(memory_format=torch.channels_last)
        best = 0
        with torch.inference_mode():
            start = time.perf_counter()
            while time.perf_counter() - start < seconds:
                before = time.perf_counter()
                torch.nn.functional.conv2d(x, w, padding=1)
                best = max(best, 18e-9 * batch * size * size * channels * channels / (time.perf_counter() - before))
        print("forward/%d_%dx%d %.1f" % (channels, size, size, best), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--convolutions", action="store_true", help="only convolutions: GFLOP/s of oneDNN")
    parser.add_argument("--memory", nargs=3, metavar=("NAME", "BATCH", "STEPS"))
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--filter", default="resnet20", help="a part of the name")
    arguments = parser.parse_args()
    torch.set_num_threads(threads)
    if arguments.serve:
        return serve(arguments.compile)
    if arguments.memory:
        name, batch, steps = arguments.memory
        return memory(name, int(batch), int(steps), arguments.compile)
    if arguments.convolutions:
        return convolutions(arguments.seconds)
    print("# PyTorch %s, %d threads" % (torch.__version__, torch.get_num_threads()), file=sys.stderr)
    for name in ("%s/%s" % (n, w) for n in pytorch_models.BATCH for w in WORKLOADS):
        if arguments.filter in name:
            workload = Workload(name, arguments.compile)
            workload.prepare()
            workload.choose()
            mode = workload.keep()
            print("%s %.2f %.2f %s" % (name, *workload.rate(arguments.seconds), mode), flush=True)


main()
