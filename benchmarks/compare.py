#!/usr/bin/env python3
"""Alternates rnx with PyTorch and dlib and writes what was measured to a JSON file, which report.py turns into docs/benchmarks.md.

compare.sh calls it. In every round each program runs once, in an order that rotates from round to round. The PyTorch processes live
through a workload (compiled code stays warm) and are stopped by a signal while it is not their turn; the first call after that is not
counted. A window is at least --seconds and five iterations long. A piece during which other
programs used more than a twentieth of the processors is measured again, up to --retries times; before each, --patience seconds are
given to other programs to end.
"""
import argparse
import contextlib
import datetime
import fcntl
import itertools
import json
import os
import platform
import re
import resource
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
NETWORKS = ("resnet20", "resnet18", "vgg11", "wrn22x8")
WORKLOADS = ("inference", "latency", "input_gradient", "training_step", "pgd7_step", "trades_step")
PARTS = ("networks", "dlib", "memory", "kernels", "compile")
KINDS = ("eager", "compiled")  # that rnx is compared with
BESIDE = ("bf16", "openvino", "openvino-float", "onnxruntime")  # what stands beside, where it is installed and knows the workload
ITERATIONS = 5  # of a window, at least
ONE_THREAD = ("inference", "input_gradient", "training_step")
ALL = os.cpu_count()
BUSY = 0.05


def log(text):
    print(text, file=sys.stderr, flush=True)


def environment(threads):
    return dict(os.environ, OMP_NUM_THREADS=str(threads), OMP_WAIT_POLICY=os.environ.get("OMP_WAIT_POLICY", "active"), OPENBLAS_NUM_THREADS=str(threads))


@contextlib.contextmanager
def lock(path, kind):
    if not path:
        yield
        return
    with open(path, "w") as file:
        fcntl.flock(file, kind)
        yield


def busy_seconds():
    """CPU seconds that all programs used, and that the hypervisor took, since the machine started."""
    try:
        with open("/proc/stat") as file:
            user, nice, system, _, _, irq, soft, steal = map(int, file.readline().split()[1:9])
    except OSError:
        return 0.0
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


class Server:
    """compare_pytorch.py --serve, stopped while nobody asks. Its messages go to a file."""

    def __init__(self, python, kind, messages):
        self.process = subprocess.Popen([python, os.path.join(HERE, "compare_pytorch.py"), "--serve", "--kind", kind],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=messages, text=True, env=environment(ALL))
        self.process.send_signal(signal.SIGSTOP)

    def ask(self, request):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        while True:
            answer = self.process.stdout.readline()
            if not answer:
                raise SystemExit("PyTorch's process ended while it worked on: " + request)
            if answer.startswith(("ready", "rates ", "keep ", "time ")):  # other lines are the compiler's own
                break
        self.process.send_signal(signal.SIGSTOP)
        return answer.split()[1:]

    def cpu_seconds(self):
        with open("/proc/%d/stat" % self.process.pid) as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.close()
        self.process.wait()


def children_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Comparison:
    def __init__(self, options):
        self.options = options
        self.messages = open(options.out + ".log", "w")
        self.results = {"rows": {}, "kernels": {}, "memory": {}, "dlib": {}, "peak": {}}
        if options.resume and os.path.exists(options.out):
            with open(options.out) as file:
                self.results = json.load(file)
        self.results.update(rounds=options.rounds, seconds=options.seconds, threads=ALL, wait=environment(ALL)["OMP_WAIT_POLICY"],
                            date=datetime.date.today().isoformat(), machine=machine(), versions=versions(options))
        command = re.sub(" --lock +[^ ]+", "", options.command)
        self.results.setdefault("commands", [])
        if command not in self.results["commands"]:
            self.results["commands"].append(command)

    def save(self):
        with open(self.options.out + ".new", "w") as file:
            json.dump(self.results, file, indent=1)
        os.replace(self.options.out + ".new", self.options.out)

    def calm(self):
        """Waits until other programs leave the processors alone, at most --patience seconds."""
        end = time.perf_counter() + self.options.patience
        while time.perf_counter() < end:
            busy = busy_seconds()
            time.sleep(0.3)
            if busy_seconds() - busy <= BUSY * 0.3 * ALL:
                return

    def undisturbed(self, f, own_seconds):
        """f() under the lock, again where other programs were busy."""
        for attempt in itertools.count():
            with lock(self.options.lock, fcntl.LOCK_EX):
                self.calm()
                start, busy, own = time.perf_counter(), busy_seconds(), own_seconds()
                value = f()
                others = (busy_seconds() - busy) - (own_seconds() - own)
                share = others / ALL / (time.perf_counter() - start)
            if share <= BUSY or attempt == self.options.retries:
                if share > BUSY:
                    log("  other programs used %.0f%% of the processors; kept after %d tries" % (100 * share, attempt + 1))
                    self.results["disturbed"] = self.results.get("disturbed", 0) + 1
                return value

    def bench(self, executable, pattern, threads, seconds=None):
        """Runs Google Benchmark: {name: counters}; what had fewer iterations than a window needs, once more for as long as they take."""
        def run(pattern, seconds):
            command = [os.path.join(self.options.build, executable), "--benchmark_filter=" + pattern, "--benchmark_min_time=%g" % seconds, "--benchmark_format=json"]
            call = lambda: subprocess.run(command, env=environment(threads), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True).stdout
            return {b["name"]: b for b in json.loads(self.undisturbed(call, children_seconds))["benchmarks"]}
        found = run(pattern, seconds or self.options.seconds)
        for name, b in list(found.items()):
            if b["iterations"] < ITERATIONS and not self.options.quick and name != "fma_peak/real_time":
                found.update(run("^%s$" % name, 1.1e-3 * b["real_time"] * ITERATIONS))
        return {name.removesuffix("/real_time"): b for name, b in found.items()}

    def rnx(self, name, threads):
        for found, counters in self.bench("bench_networks", "^(%s|fma_peak)(/real_time)?$" % name, threads).items():
            if found == "fma_peak":
                self.results["peak"].setdefault(str(threads), []).append(counters["GFLOP_per_s"])
                continue
            row = self.results["rows"].setdefault(found, {})
            row.setdefault("rnx" if threads == ALL else "rnx1", []).append([counters["images"], counters["images_cpu"]])
            row["gflop_per_image"] = counters["GFLOP"] / counters["images"]
            row["executed_gflop_per_image"] = counters["GFLOP_executed"] / counters["images"]

    def pytorch(self, name, kind, server):
        rates = self.undisturbed(lambda: server.ask("time %g" % self.options.seconds), server.cpu_seconds)
        self.results["rows"].setdefault(name, {}).setdefault(kind, []).append([float(r) for r in rates])

    def networks(self):
        o = self.options
        names = ["%s/%s" % (n, w) for n in NETWORKS for w in WORKLOADS if o.filter in "%s/%s" % (n, w) and (not o.quick or n == "resnet20")]
        for name in names:
            old = self.results["rows"].get(name, {})
            if len(old.get("rnx", ())) >= o.rounds and (not o.python or len(old.get("compiled", ())) >= o.rounds):
                continue
            self.results["rows"].pop(name, None)
            log(name)
            servers = {kind: Server(o.python, kind, self.messages) for kind in KINDS + BESIDE if o.python}
            for kind, server in list(servers.items()):
                with lock(o.lock, fcntl.LOCK_SH):
                    server.ask("prepare " + name)
                rates = self.undisturbed(lambda: server.ask("choose"), server.cpu_seconds)
                with lock(o.lock, fcntl.LOCK_SH):
                    mode = server.ask("keep")[0]
                if mode == "none":
                    if kind in KINDS:
                        log("  PyTorch could not compile it in any way; see %s.log" % o.out)
                    servers.pop(kind).close()
                    continue
                self.results["rows"].setdefault(name, {})[kind + "_mode"] = mode
                if len(rates) > 1:
                    log("  fastest: %s; images a second %s" % (mode, " ".join(rates)))
            parts = [lambda: self.rnx(name, ALL)] + [lambda k=k, s=s: self.pytorch(name, k, s) for k, s in servers.items()]
            if name.split("/")[1] in ONE_THREAD and ALL > 1:
                parts.append(lambda: self.rnx(name, 1))
            for r in range(o.rounds):
                for k in range(len(parts)):
                    parts[(k + r) % len(parts)]()
            for server in servers.values():
                server.close()
            self.save()

    def kernels(self):
        """Each kernel on one thread, for a fifth of a network's time; the peak is measured in the same process."""
        for r in range(self.options.rounds):
            for kernel in ("forward", "backward_input", "backward_weight"):
                for name, b in self.bench("bench_kernels", "^%s/" % kernel, 1, self.options.seconds / 5).items():
                    self.results["kernels"].setdefault(name, []).append([b["of_peak"], b["GFLOP_per_s"]])
        self.save()

    def memory(self):
        """Peak resident memory of processes that train ResNet-18; compiled code comes from the compiler's cache in the last run."""
        arguments, o = ["resnet18", "64", "5"], self.options
        programs = {"rnx": [os.path.join(o.build, "bench_memory")]}
        if o.python:
            script = [o.python, os.path.join(HERE, "compare_pytorch.py")]
            programs.update({kind: script + ["--kind", kind, "--memory"] for kind in KINDS})
        for r, (kind, command) in itertools.product(range(o.rounds), programs.items()):
            with lock(o.lock, fcntl.LOCK_SH):
                out = subprocess.run(command + arguments, env=environment(ALL), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True).stdout
            self.results["memory"].setdefault(kind, []).append([float(v) for v in out.split()[-2:]])
        self.save()

    def dlib(self):
        """dlib and rnx in turn."""
        for _, what in itertools.product(range(self.options.rounds), ("inference", "training_step")):
            row = self.results["dlib"].setdefault(what, {"rnx": [], "dlib": []})
            run = lambda: subprocess.run([self.options.dlib, what, str(self.options.seconds)], env=environment(ALL), stdout=subprocess.PIPE, check=True, text=True).stdout
            row["dlib"].append([float(v) for v in self.undisturbed(run, children_seconds).split()])
            ours = self.bench("bench_networks", "^resnet20/%s(/real_time)?$" % what, ALL)["resnet20/" + what]
            row["rnx"].append([ours["images"], ours["images_cpu"]])
        self.save()

    def compile(self):
        with lock(self.options.lock, fcntl.LOCK_EX):
            self.results["compile"] = subprocess.run(["bash", os.path.join(HERE, "compile_time.sh")], stdout=subprocess.PIPE, check=True, text=True).stdout
        self.save()


def machine():
    facts = {}
    with contextlib.suppress(OSError):
        for line in subprocess.run(["lscpu"], stdout=subprocess.PIPE, text=True, env=dict(os.environ, LC_ALL="C")).stdout.splitlines():
            key, _, value = line.partition(":")
            facts[key.strip()] = value.strip()
    isa = [name for name, flag in (("AVX-512", "avx512f"), ("AVX2", "avx2")) if flag in facts.get("Flags", "").split()]
    megabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return "%s (family %s, model %s), %d processors%s%s, %.0f GB, %s" % (
        facts.get("Model name", platform.machine()), facts.get("CPU family", "?"), facts.get("Model", "?"), ALL, ", " + isa[0] if isa else "",
        ", virtual" if "Hypervisor vendor" in facts else "", megabytes, platform.system() + " " + platform.release().split("-")[0])


def versions(o):
    found = {}
    def first(key, command, pattern="(.*)"):
        with contextlib.suppress(OSError, AttributeError):
            found[key] = re.search(pattern, subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout).group(1)
    first("g++", [os.environ.get("CXX", "g++"), "--version"], r"([0-9.]+)\n")
    if o.python:
        first("PyTorch", [o.python, "-c", "import torch; print(torch.__version__)"])
        first("oneDNN", [o.python, "-c", "import torch; print(torch.__config__.show())"], r"MKL-DNN v([0-9.]+)")
        first("Python", [o.python, "--version"], r"Python (.*)")
    if o.dlib:
        first("dlib", [o.dlib, "version"])
    first("rnx", ["git", "-C", HERE, "describe", "--always", "--dirty"])
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/native/benchmarks", help="folder of bench_networks, bench_kernels and bench_memory")
    parser.add_argument("--python", default="", help="a Python with PyTorch; without it rnx alone is measured")
    parser.add_argument("--dlib", default="", help="the program made from benchmarks/dlib")
    parser.add_argument("--out", default="build/benchmarks.json")
    parser.add_argument("--command", default=" ".join(sys.argv), help="what the report calls the command")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5, help="of a window, at least")
    parser.add_argument("--filter", default="", help="a part of the name of a network's workload, as resnet20/training_step")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="ResNet-20 alone, one short round")
    parser.add_argument("--resume", action="store_true", help="keep the rows that the file has in full")
    parser.add_argument("--lock", default="", help="a file that is locked while something is timed: other work can wait for it")
    parser.add_argument("--retries", type=int, default=3)
    parser.add_argument("--patience", type=float, default=30)
    parser.add_argument("--check", action="store_true", help="look at the options and end")
    options = parser.parse_args()
    unknown = set(options.parts.split(",")) - set(PARTS)
    if unknown:
        parser.error("unknown part %s; known are %s" % (sorted(unknown)[0], ", ".join(PARTS)))
    if options.check:
        return
    if options.quick:
        options.rounds, options.seconds = 1, 0.3
    comparison = Comparison(options)
    for part in PARTS:
        if part in options.parts.split(",") and (part != "dlib" or options.dlib):
            log(part)
            if part in ("kernels", "memory", "dlib"):
                comparison.results[part] = {}
            getattr(comparison, part)()


main()
