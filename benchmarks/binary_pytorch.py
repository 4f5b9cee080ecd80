#!/usr/bin/env python3
"""Inference of PyTorch beside bench_binary_networks: floats, and 8-bit integers (oneDNN, static quantization).
    OMP_NUM_THREADS=2 python3 benchmarks/binary_pytorch.py
Batch 64, the shortest of at least three calls and half a second of them in each of five rounds that take turns."""
import copy
import os
import time
import warnings

import torch
from torch.ao.quantization import get_default_qconfig_mapping
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

from pytorch_models import build

BATCH, ROUNDS = 64, 5


def integers(net, x):
    """The network with 8-bit weights and activations, their ranges taken from x."""
    torch.backends.quantized.engine = "x86"
    prepared = prepare_fx(copy.deepcopy(net), get_default_qconfig_mapping("x86"), (x,))
    prepared(x)
    return convert_fx(prepared)


def shortest(call):
    """Milliseconds."""
    best, spent, calls = float("inf"), 0.0, 0
    while calls < 3 or spent < 0.5:
        start = time.perf_counter()
        call()
        took = time.perf_counter() - start
        best, spent, calls = min(best, took), spent + took, calls + 1
    return 1e3 * best


def main():
    warnings.filterwarnings("ignore")
    threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    torch.set_num_threads(threads)
    print(f"PyTorch {torch.__version__}, {threads} threads, batch {BATCH}\n")
    print("| network | floats, ms | compiled floats, ms | 8-bit integers, ms |\n|---|---|---|---|")
    with torch.inference_mode():
        for name in ("resnet20", "resnet18"):
            net = build(name).float().eval()
            x = torch.rand(BATCH, 3, 32, 32).to(memory_format=torch.channels_last)
            net = net.to(memory_format=torch.channels_last)
            kinds = [net, torch.compile(net), integers(net, x)]
            times = [[shortest(lambda: kind(x)) for kind in kinds] for _ in range(ROUNDS)]
            print(f"| {name} |" + "|".join(f" {min(column):.1f} " for column in zip(*times)) + "|")


if __name__ == "__main__":
    torch.set_default_dtype(torch.float32)
    main()
