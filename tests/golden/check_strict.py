#!/usr/bin/env python3
"""Usage: check_strict.py FILE.safetensors MODEL
Loads the file into PyTorch's model with strict=True (any missing, unexpected or misshapen
tensor is an error) and prints the eval logits of the rule's batch 0 as JSON."""
import json
import struct
import sys

import numpy as np
import torch

from rule import batch
import models

DTYPES = {"F32": "<f4", "F64": "<f8", "I64": "<i8"}


def read_safetensors(path):
    with open(path, "rb") as f:
        blob = f.read()
    size, = struct.unpack("<Q", blob[:8])
    header, data, end = json.loads(blob[8:8 + size].decode("utf-8")), blob[8 + size:], 0
    header.pop("__metadata__", None)
    tensors = {}
    for name, h in sorted(header.items(), key=lambda kv: kv[1]["data_offsets"]):
        begin, stop = h["data_offsets"]
        if begin != end:
            sys.exit("%s: gap or overlap before byte %d of the data" % (name, begin))
        a = np.frombuffer(data[begin:stop], DTYPES[h["dtype"]])
        tensors[name] = torch.from_numpy(a.reshape(h["shape"]).copy())
        end = stop
    if end != len(data):
        sys.exit("%d bytes after the last tensor" % (len(data) - end))
    return tensors


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in models.SPECS:
        sys.exit(__doc__ + "\nMODEL: " + " ".join(models.SPECS))
    path, name = sys.argv[1:]
    model = models.build(name)
    state = read_safetensors(path)
    want = model.state_dict()
    for k in want:
        if k.endswith("num_batches_tracked"):
            state.setdefault(k, torch.zeros((), dtype=torch.int64))
    # load_state_dict takes a (1)-shaped tensor for a scalar; here a shape is a shape.
    wrong = [k for k in want if k in state and state[k].shape != want[k].shape]
    if wrong:
        sys.exit("wrong shape: " + ", ".join(wrong))
    model.load_state_dict(state, strict=True)
    with torch.no_grad():
        print(json.dumps(model.eval()(batch(0, models.SPECS[name][2])).tolist()))


if __name__ == "__main__":
    main()
