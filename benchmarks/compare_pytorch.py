#!/usr/bin/env python3
"""The workloads of networks.cpp in PyTorch on the CPU.

    compare_pytorch.py [--kind KIND] [--seconds 5] [--filter resnet20/inference]
        lines of `name images_per_second images_per_cpu_second mode`
    compare_pytorch.py [--kind eager|compiled] --memory resnet18 64 5
        peak resident memory in MB of five training steps: after the import of PyTorch, and at the end
    compare_pytorch.py [--kind KIND] --serve
        reads `prepare NAME`, `choose`, `keep` and `time SECONDS`, one answer a line (compare.py)

Kinds: eager and compiled (float); bf16 (autocast to bfloat16, eager and compiled); openvino, openvino-float and onnxruntime, which know
inference alone. Of several ways to run a kind's workload the fastest is kept: eager also in tiles of a few images, compiled with several
options. Channels-last, inference_mode, set_to_none, fused SGD, all threads (or OMP_NUM_THREADS). Attacks compute no weight gradients. A
window is at least so many seconds and five iterations long, behind one iteration that is not counted.
"""
import argparse
import contextlib
import os
import resource
import sys
import time

threads = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count())

import torch
import torch.nn.functional as F

import pytorch_models

EPS, STEP, BETA = 8 / 255, 2 / 255, 6
ITERATIONS = 5  # of a window, at least
TILES = 8, 32  # images at a time, for eager code whose maps then stay in a cache
KINDS = "eager", "compiled", "bf16", "openvino", "openvino-float", "onnxruntime"
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
    """One network with its data. `compiler` is applied to every function that is worth compiling; half: autocast to bfloat16; tile:
    images that go through inference and gradients at a time, 0: all."""

    def __init__(self, name, batch, compiler=lambda f: f, functional=False, half=False, tile=0):
        torch.manual_seed(1)
        self.model = pytorch_models.build(name).to(memory_format=torch.channels_last)
        self.x = torch.rand(batch, 3, 32, 32).to(memory_format=torch.channels_last)
        self.y = torch.randint(10, (batch,))
        self.one = self.x[:1].contiguous(memory_format=torch.channels_last)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4, fused=True)
        module = self.model

        def model(x):
            with torch.autocast("cpu", torch.bfloat16) if half else contextlib.nullcontext():
                return module(x).float()
        self.logits = compiler(lambda x: model(x))
        self.mean_loss = compiler(lambda x, y: mean_loss(model, x, y))
        self.trades_loss = compiler(lambda x, moved, y: trades_loss(model, x, moved, y))
        self.moved_by = compiler(moved_by)
        losses = (lambda x, y: cross_entropy_sum(model, x, y)), (lambda x, target: divergence_sum(model, x, target))
        if functional:  # forward and backward in one graph
            self.gradient, self.divergence_gradient = (compiler(torch.func.grad(f)) for f in losses)
        else:
            self.gradient, self.divergence_gradient = (self.autograd(compiler(f)) for f in losses)
        if tile:
            self.logits, self.gradient, self.divergence_gradient = (self.tiled(f, tile) for f in (self.logits, self.gradient, self.divergence_gradient))

    @staticmethod
    def tiled(f, tile):
        return lambda *arguments: torch.cat([f(*part) for part in zip(*(a.split(tile) for a in arguments))])

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


class Mode:
    """A way to run a workload. options: of torch.compile, or None; frozen: weights are constants; functional: gradients in one graph."""

    def __init__(self, options=None, frozen=False, functional=False, half=False, tile=0):
        self.options, self.frozen, self.functional, self.half, self.tile = options, frozen, functional, half, tile

    def problem(self, network):
        if self.options is not None:
            import torch._inductor.config
            torch._inductor.config.freezing = self.frozen
        compiler = (lambda f: torch.compile(f, **self.options)) if self.options is not None else (lambda f: f)
        problem = Problem(network, pytorch_models.BATCH[network], compiler, self.functional, self.half, self.tile)
        problem.mode(False)
        return problem


def modes(kind, what):
    """Ways to run a workload, by name; those of other programs are None."""
    plain, tuned = {"dynamic": False}, {"dynamic": False, "mode": "max-autotune-no-cudagraphs"}
    if kind == "eager":
        found = {"eager": Mode()}
        if what not in ("latency", "training_step"):
            found.update({"tiles of %d" % t: Mode(tile=t) for t in TILES})
        return found
    if kind == "bf16":
        return {"eager": Mode(half=True), "compile": Mode(plain, half=True)}
    if kind != "compiled":
        return {kind: None} if what in ("inference", "latency") else {}
    if what in ("inference", "latency"):
        return {"compile": Mode(plain), "frozen": Mode(plain, frozen=True), "max-autotune frozen": Mode(tuned, frozen=True)}
    if what == "training_step":
        return {"compile": Mode(plain), "max-autotune": Mode(tuned)}
    return {"compile": Mode(plain), "one graph": Mode(plain, functional=True)}


def openvino(model, x, floats):
    """A function of images in OpenVINO, at its default precision or in float."""
    import openvino as ov
    hints = {"PERFORMANCE_HINT": "LATENCY" if len(x) == 1 else "THROUGHPUT", "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1}
    if floats:
        hints["INFERENCE_PRECISION_HINT"] = "f32"
    compiled = ov.compile_model(ov.convert_model(model, example_input=x, input=[tuple(x.shape)]), "CPU", hints)
    request, images = compiled.create_infer_request(), x.contiguous().numpy()
    return lambda: request.infer([images], share_inputs=True, share_outputs=True)


def onnxruntime(model, x):
    """The same in ONNX Runtime, in float."""
    import io
    import onnxruntime as ort
    file = io.BytesIO()
    torch.onnx.export(model, (x.contiguous(),), file, dynamo=False, input_names=["x"])
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session, images = ort.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"]), x.contiguous().numpy()
    return lambda: session.run(None, {"x": images})


class Workload:
    """NAME/WHAT: prepare() makes every mode ready, choose() times them, keep() leaves the fastest alone in the process."""

    def __init__(self, name, kind):
        self.network, self.what = name.split("/")
        self.batch = 1 if self.what == "latency" else pytorch_models.BATCH[self.network]
        self.kind, self.modes, self.ready, self.times = kind, modes(kind, self.what), {}, {}

    def make(self, name):
        """Builds, compiles and warms up."""
        mode = self.modes[name]
        problem = (mode or Mode()).problem(self.network)
        run = getattr(problem, self.what)
        if mode is None:
            x = problem.one if self.what == "latency" else problem.x
            run = onnxruntime(problem.model, x) if name == "onnxruntime" else openvino(problem.model, x, name == "openvino-float")
        for _ in range(2 if mode and mode.options is not None else 1):
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
            if self.kind != "eager":
                torch._dynamo.reset()  # the other modes' guards cost time in every call
            self.run = self.make(self.mode)
        return self.mode

    def rate(self, seconds):
        """Images a second of wall time and of CPU time, after one call that is not counted: the process was stopped before."""
        self.run()
        count, start, cpu = 0, time.perf_counter(), time.process_time()
        while True:
            self.run()
            count += 1
            passed = time.perf_counter() - start
            if passed >= seconds and count >= ITERATIONS:
                return count * self.batch / passed, count * self.batch / (time.process_time() - cpu)


def serve(kind):
    workload = None
    for line in sys.stdin:
        what, *rest = line.split()
        if what == "prepare":
            workload = Workload(rest[0], kind)
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
    parser.add_argument("--kind", choices=KINDS, default="eager")
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--convolutions", action="store_true", help="only convolutions: GFLOP/s of oneDNN")
    parser.add_argument("--memory", nargs=3, metavar=("NAME", "BATCH", "STEPS"))
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--filter", default="resnet20", help="a part of the name")
    arguments = parser.parse_args()
    torch.set_num_threads(threads)
    if arguments.serve:
        return serve(arguments.kind)
    if arguments.memory:
        name, batch, steps = arguments.memory
        return memory(name, int(batch), int(steps), arguments.kind == "compiled")
    if arguments.convolutions:
        return convolutions(arguments.seconds)
    print("# PyTorch %s, %d threads" % (torch.__version__, torch.get_num_threads()), file=sys.stderr)
    for name in ("%s/%s" % (n, w) for n in pytorch_models.BATCH for w in WORKLOADS):
        if arguments.filter in name:
            workload = Workload(name, arguments.kind)
            workload.prepare()
            workload.choose()
            mode = workload.keep()
            if mode == "none":
                continue
            print("%s %.2f %.2f %s" % (name, *workload.rate(arguments.seconds), mode), flush=True)


main()
