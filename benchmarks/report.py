#!/usr/bin/env python3
"""Writes what compare.py measured into docs/benchmarks.md: replaces the text between `<!-- generated: NAME -->` and `<!-- end -->`.

    report.py build/benchmark-env/results.json docs/benchmarks.md
"""
import json
import statistics
import sys
import textwrap

# what docs promise: ratio to the best PyTorch variant in the round where it is smallest, share of the peak of fused multiply-adds
REQUIRED = {
    "resnet20/training_step": (1.4, 0.45), "resnet20/input_gradient": (1.7, 0.50), "resnet20/pgd7_step": (1.7, 0.50), "resnet20/inference": (1.2, 0.55),
    "resnet18/training_step": (1.2, None), "resnet18/input_gradient": (1.3, None), "resnet18/inference": (1.1, None),
}
BESIDE = {"bf16": "PyTorch bf16", "openvino": "OpenVINO", "openvino-float": "OpenVINO float", "onnxruntime": "ONNX Runtime"}
LATENCY = ("resnet20/latency", 4.0, 1.3)  # times eager, times compiled
MEMORY, DLIB, THREADS = 0.6, 8.0, 1.8


def median(values):
    return statistics.median(values)


def spread(values, form="%.4g"):
    """median (min - max)"""
    return ("%s (%s - %s)" % ((form,) * 3)) % (median(values), min(values), max(values))


def wall(row, kind):
    return [v[0] for v in row.get(kind, ())]


def verdict(met):
    return "met" if met else "**not met**"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def ratios(rnx, others):
    """Of each round: rnx to the best of the others."""
    return [r / max(o) for r, *o in zip(rnx, *others)] if rnx and others else []


def mode(row, kind):
    return row.get(kind + "_mode", kind).removeprefix("eager")


def machine(r):
    peaks = r["peak"].get(str(r["threads"]), ())
    lines = ["Measured on %s: %s." % (r["date"], r["machine"]),
             "Versions: %s." % ", ".join("%s %s" % item for item in r["versions"].items()),
             "%d rounds of windows of at least %g s and five iterations, %d threads, `OMP_WAIT_POLICY=%s`%s." % (
                 r["rounds"], r["seconds"], r["threads"], r["wait"],
                 "; %d pieces stayed disturbed by other programs" % r["disturbed"] if r.get("disturbed") else "; no piece was disturbed by other programs")]
    if peaks:
        lines.append("Peak of fused multiply-adds in this run: %s GFLOP/s." % spread(peaks, "%.0f"))
    return "\n".join(lines) + "\n\n" + "\n".join("    " + command for command in r["commands"])


def networks(r):
    peak = median(r["peak"][str(r["threads"])])
    rows = []
    for name, row in r["rows"].items():
        rnx = wall(row, "rnx")
        if not rnx or name.endswith("/latency"):
            continue
        rivals = [wall(row, k) for k in ("eager", "compiled") if row.get(k)]
        times, gflops = ratios(rnx, rivals), median(rnx) * row["executed_gflop_per_image"]
        need = REQUIRED.get(name)
        wanted = met = ""
        if need:
            wanted = "%.1f" % need[0] + (", %.0f %%" % (100 * need[1]) if need[1] else "")
            met = verdict(bool(times) and min(times) >= need[0] and (need[1] is None or gflops / peak >= need[1]))
        cells = [", ".join(filter(None, (spread(wall(row, k)), mode(row, k)))) if row.get(k) else "" for k in ("eager", "compiled")]
        rows.append([name, spread(rnx), *cells, "%.2f (%.2f)" % (min(times), median(times)) if times else "", "%.0f" % gflops,
                     "%.0f %%" % (100 * gflops / peak), wanted, met])
    return table(["images a second", "rnx", "PyTorch eager", "PyTorch compiled", "ratio to the best: smallest (median)", "GFLOP/s", "of peak", "required", ""], rows)


def beside(r):
    """Programs of another precision, or of inference alone."""
    rows = []
    for name, row in r["rows"].items():
        if row.get("rnx") and any(row.get(k) for k in BESIDE):
            rows.append([name, spread(wall(row, "rnx"))] + [spread(wall(row, k)) if row.get(k) else "" for k in BESIDE])
    return table(["images a second", "rnx", *BESIDE.values()], rows) if rows else ""


def latency(r):
    rows = []
    for name, row in r["rows"].items():
        if not name.endswith("/latency") or not row.get("rnx"):
            continue
        ms = {k: [1e3 / v for v in wall(row, k)] for k in ("rnx", "eager", "compiled")}
        times = {k: min(v / ours for v, ours in zip(ms[k], ms["rnx"])) for k in ms if ms[k]}
        wanted = met = ""
        if name == LATENCY[0]:
            wanted = "%g eager, %g compiled" % LATENCY[1:]
            met = verdict(times.get("eager", 0) >= LATENCY[1] and times.get("compiled", 0) >= LATENCY[2])
        cells = [spread(ms[k], "%.3g") if ms[k] else "" for k in ms]
        rows.append([name.split("/")[0], *cells, "%.2f" % times["eager"] if "eager" in times else "", "%.2f" % times["compiled"] if "compiled" in times else "", wanted, met])
    return table(["ms for one image", "rnx", "PyTorch eager", "PyTorch compiled", "eager / rnx", "compiled / rnx", "required", ""], rows)


def threads(r):
    rows = []
    for name, row in r["rows"].items():
        one, all_ = wall(row, "rnx1"), wall(row, "rnx")
        if one and all_:
            gain = median(all_) / median(one)
            rows.append([name, spread(one), spread(all_), "%.2f" % gain, "%.1f" % THREADS if r["threads"] == 2 else "", verdict(gain >= THREADS) if r["threads"] == 2 else ""])
    return table(["images a second", "1 thread", "%d threads" % r["threads"], "ratio", "required", ""], rows)


def memory(r):
    m = r["memory"]
    peaks = {k: median([v[1] for v in values]) for k, values in m.items()}
    own = {k: peaks[k] - median([v[0] for v in values]) for k, values in m.items()}
    best = min([v for k, v in peaks.items() if k != "rnx"], default=None)
    rows = []
    for kind, values in m.items():
        cells = [{"rnx": "rnx", "eager": "PyTorch eager", "compiled": "PyTorch compiled"}[kind], spread([v[1] for v in values], "%.0f"), spread([v[0] for v in values], "%.0f")]
        if kind == "rnx" and best:
            share = peaks["rnx"] / best
            without = own["rnx"] / min(own[k] for k in m if k != "rnx")
            cells += ["%.2f" % share, "%.2f" % without, "%.1f" % MEMORY, verdict(without <= MEMORY)]
        else:
            cells += [""] * 4
        rows.append(cells)
    return table(["MB", "peak", "before the network", "peak / best PyTorch", "without what was there before", "required", ""], rows)


def dlib(r):
    rows = []
    for what, found in r["dlib"].items():
        ours, theirs = ([v[0] for v in found[k]] for k in ("rnx", "dlib"))
        times, needed = min(ratios(ours, [theirs])), what == "training_step"
        rows.append(["resnet20/" + what, spread(ours), spread(theirs), "%.1f" % times, "%.0f" % DLIB if needed else "", verdict(times >= DLIB) if needed else ""])
    return table(["images a second", "rnx", "dlib", "ratio", "required", ""], rows)


def kernels(r):
    shapes = {}
    for name, values in r["kernels"].items():
        kernel, shape = name.split("/")
        shapes.setdefault(shape, {})[kernel] = spread([100 * v[0] for v in values], "%.0f")
    order = ("forward", "backward_input", "backward_weight")
    return table(["% of peak", "forward", "input gradient", "weight gradient"], [[shape] + [found.get(k, "") for k in order] for shape, found in shapes.items()])


def compile_time(r):
    return "\n".join("    " + line.rstrip() for line in r["compile"].splitlines())


SECTIONS = {"machine": (machine, "date"), "networks": (networks, "rows"), "beside": (beside, "rows"), "latency": (latency, "rows"), "threads": (threads, "rows"), "memory": (memory, "memory"), "dlib": (dlib, "dlib"),
            "kernels": (kernels, "kernels"), "compile": (compile_time, "compile")}


def main():
    if len(sys.argv) != 3:
        print("usage: report.py RESULTS.json DOCUMENT.md", file=sys.stderr)
        return 2
    with open(sys.argv[1]) as file:
        results = json.load(file)
    with open(sys.argv[2]) as file:
        text = file.read()
    for name, (make, part) in SECTIONS.items():
        begin = "<!-- generated: %s -->\n" % name
        if begin not in text:
            print("%s has no line %s" % (sys.argv[2], begin.strip()), file=sys.stderr)
            return 2
        if results.get(part) and make(results):  # a part that was not measured keeps its text
            before, rest = text.split(begin, 1)
            lines = [line if line.startswith(("|", "    ")) else textwrap.fill(line, 118, break_long_words=False, break_on_hyphens=False)
                     for line in make(results).split("\n")]
            text = before + begin + "\n" + "\n".join(lines) + "\n\n" + rest[rest.index("<!-- end -->"):]
    with open(sys.argv[2], "w") as file:
        file.write(text)
    return 0


sys.exit(main())
