#!/usr/bin/env bash
# rnx against PyTorch: runs the two in turn and prints images a second (median, min - max) and the ratio of the medians,
# in wall time and in CPU time.
#   benchmarks/compare.sh [--rounds 5] [--seconds 2] [--filter resnet20]
# Needs build/native/benchmarks/bench_networks (cmake --preset release-native && cmake --build --preset release-native) and a Python with
# PyTorch. Read from the environment: BENCH (the executable), PYTHON (python3), OMP_NUM_THREADS (all processors).
# Where rnx has a variant in tiles of 16 samples, PyTorch's whole batch is what it is compared with.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rounds=5 seconds=2 filter=""
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || { echo "$1 needs a value" >&2; exit 2; }
  case "$1" in
    --rounds) rounds=$2 ;;
    --seconds) seconds=$2 ;;
    --filter) filter=$2 ;;
    *) echo "unknown option $1; known are --rounds, --seconds and --filter" >&2; exit 2 ;;
  esac
  shift 2
done
bench=${BENCH:-build/native/benchmarks/bench_networks} python=${PYTHON:-python3}
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$(getconf _NPROCESSORS_ONLN)}
# Spinning threads are the best of both programs on a machine at rest; beside other programs set OMP_WAIT_POLICY=passive and read CPU time.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-active}
[ -x "$bench" ] || { echo "$bench is not built; see the head of this file" >&2; exit 2; }
"$python" -c 'import torch' 2>/dev/null || { echo "$python has no PyTorch; set PYTHON" >&2; exit 2; }
results=$(mktemp)
trap 'rm -f "$results"' EXIT

rnx() { # lines of `rnx name images_per_second images_per_cpu_second`
  "$bench" --benchmark_filter="${filter:-resnet}|fma_peak" --benchmark_min_time="$seconds" --benchmark_format=json 2>/dev/null |
    awk -F'[":, ]+' '$2 == "name" { name = $3; sub("/real_time$", "", name) }
                     $2 == "GFLOP_per_s" { print "peak", name, $3, $3 }
                     $2 == "images" { images = $3 }
                     $2 == "images_cpu" { cpu = $3 }
                     /}/ && images { print "rnx", name, images, cpu; images = 0 }'
}
pytorch() { "$python" benchmarks/compare_pytorch.py --seconds "$seconds" --filter "$filter" 2>/dev/null | awk '{ print "pytorch", $0 }'; }

for ((round = 1; round <= rounds; ++round)); do
  printf 'round %d of %d\r' "$round" "$rounds" >&2
  if [ $((round % 2)) = 1 ]; then rnx && pytorch; else pytorch && rnx; fi >>"$results"
done

table() { # column of $results
  awk -v column="$1" '{ print $1, $2, $column }' "$results" | sort -k1,2 -k3,3g | awk '
    function flush(  middle) {
      if (!count) return
      middle = count % 2 ? v[(count + 1) / 2] : (v[count / 2] + v[count / 2 + 1]) / 2
      median[kind, name] = middle
      text[kind, name] = sprintf("%.4g (%.4g - %.4g)", middle, v[1], v[count])
      if (kind == "rnx") names[++total] = name
      count = 0
    }
    $1 != kind || $2 != name { flush() }
    { kind = $1; name = $2; v[++count] = $3 }
    END {
      flush()
      printf "%-32s %26s %26s %7s\n", "", "rnx", "PyTorch", "ratio"
      for (i = 1; i <= total; ++i) {
        n = whole = names[i]
        sub("_tile[0-9]+$", "", whole)
        known = ("pytorch", whole) in median
        printf "%-32s %26s %26s %7s\n", n, text["rnx", n], known ? text["pytorch", whole] : "-", known ? sprintf("%.2f", median["rnx", n] / median["pytorch", whole]) : "-"
      }
      if (("peak", "fma_peak") in text) printf "%-32s %26s GFLOP/s\n", "peak of fused multiply-adds", text["peak", "fma_peak"]
    }'
}
echo "$OMP_NUM_THREADS threads, $rounds rounds; images a second: median (min - max)"
table 3
echo
echo "the same per second of CPU time, all threads together (other programs on the machine disturb it less)"
table 4
