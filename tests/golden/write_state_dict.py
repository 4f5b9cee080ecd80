#!/usr/bin/env python3
"""Usage: write_state_dict.py MODEL OUT.safetensors
Writes the rule's weights as the safetensors package would write model.state_dict():
float32, num_batches_tracked as I64, larger dtypes first, then by name."""
import json
import struct
import sys

import torch

from rule import fill
import models


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in models.SPECS:
        sys.exit(__doc__ + "\nMODEL: " + " ".join(models.SPECS))
    state = fill(models.build(sys.argv[1])).state_dict()
    header = {"__metadata__": {"format": "pt"}}
    chunks, end = [], 0
    for name in sorted(state, key=lambda n: (state[n].dtype != torch.int64, n)):
        whole = state[name].dtype == torch.int64
        raw = state[name].numpy().astype("<i8" if whole else "<f4").tobytes()
        header[name] = {"dtype": "I64" if whole else "F32", "shape": list(state[name].shape),
                        "data_offsets": [end, end + len(raw)]}
        chunks.append(raw)
        end += len(raw)
    text = json.dumps(header, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 8)
    with open(sys.argv[2], "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(chunks))


if __name__ == "__main__":
    main()
