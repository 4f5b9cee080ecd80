#!/usr/bin/env python3
"""The workloads of networks.cpp in PyTorch on the CPU: lines of `name images_per_second images_per_cpu_second`.

    compare_pytorch.py [--seconds 2] [--filter resnet20]

Eager mode, channels-last, every thread (or OMP_NUM_THREADS). Attacks do not compute weight gradients here either.
"""
import argparse
import os
import sys
import time

threads = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count())

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "golden"))
import models

EPS, STEP = 8 / 255, 2 / 255


def input_gradient(model, x, y):
    x = x.detach().requires_grad_(True)
    loss = F.cross_entropy(model(x), y, reduction="sum")
    return torch.autograd.grad(loss, x)[0]


class Problem:
    def __init__(self, name, batch):
        torch.manual_seed(1)
        self.model = models.build(name).to(memory_format=torch.channels_last)
        self.batch = batch
        self.x = torch.rand(batch, 3, 32, 32).to(memory_format=torch.channels_last)
        self.y = torch.randint(10, (batch,))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)

    def wants_weight_gradients(self, wanted):
        for p in self.model.parameters():
            p.requires_grad_(wanted)

    def inference(self):
        self.model.eval()
        with torch.inference_mode():
            self.model(self.x)

    def input_gradient(self):
        self.model.eval()
        self.wants_weight_gradients(False)
        input_gradient(self.model, self.x, self.y)

    def train_on(self, x):
        self.model.train()
        self.wants_weight_gradients(True)
        self.optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(self.model(x), self.y).backward()
        self.optimizer.step()

    def training_step(self):
        self.train_on(self.x)

    def pgd7_step(self):
        self.model.eval()
        self.wants_weight_gradients(False)
        moved = (self.x + torch.empty_like(self.x).uniform_(-EPS, EPS)).clamp_(0, 1)
        for _ in range(7):
            g = input_gradient(self.model, moved, self.y)
            with torch.no_grad():
                moved = moved + STEP * g.sign()
                moved = torch.min(torch.max(moved, self.x - EPS), self.x + EPS).clamp_(0, 1)
        self.train_on(moved)


def rate(f, batch, seconds):
    f()
    count, start, cpu = 0, time.perf_counter(), time.process_time()
    while True:
        f()
        count += 1
        passed = time.perf_counter() - start
        if passed >= seconds:
            return batch * count / passed, batch * count / (time.process_time() - cpu)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--filter", default="", help="a part of the name")
    arguments = parser.parse_args()
    torch.set_num_threads(threads)
    print("# PyTorch %s, %d threads" % (torch.__version__, torch.get_num_threads()), file=sys.stderr)
    for name, batch in (("resnet20", 128), ("resnet18", 32)):
        problem = None
        for what in ("inference", "input_gradient", "training_step", "pgd7_step"):
            if (name == "resnet18" and what == "pgd7_step") or arguments.filter not in name + "/" + what:
                continue
            problem = problem or Problem(name, batch)
            print("%s/%s %.2f %.2f" % (name, what, *rate(getattr(problem, what), batch, arguments.seconds)), flush=True)


main()
