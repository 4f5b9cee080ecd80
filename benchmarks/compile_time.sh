#!/usr/bin/env bash
# CPU seconds (user + system) and peak memory of the compiler, against the budgets. Always exits 0: it measures.
#   benchmarks/compile_time.sh [runs]      each row is the median of `runs` (3)
# Read from the environment: CXX (g++), CXXFLAGS (more flags, for example include folders of the dependencies).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=${1:-3} cxx=${CXX:-g++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -ra flags <<<"-std=c++20 -fopenmp -I include ${CXXFLAGS:-}"
for folder in /usr/include/eigen3 /usr/local/include/eigen3 /opt/homebrew/include/eigen3; do
  [ ! -d "$folder" ] || flags+=(-isystem "$folder")
done
echo '#include <rnx/net.hpp>' >"$work/net.cpp"
echo '#include <rnx/rnx.hpp>' >"$work/rnx.cpp"
optimised="-O3 -march=native -DNDEBUG"

# Prints "seconds megabytes" of one run; megabytes is "-" where time(1) is missing. The compiler's messages go to $work/log.
once() { # arguments of the compiler...
  if [ -x /usr/bin/time ]; then
    /usr/bin/time -o "$work/usage" -f '%U %S %M' "$cxx" "${flags[@]}" "$@" >"$work/log" 2>&1 || return 1
    awk '{ printf "%.2f %.0f\n", $1 + $2, $3 / 1024 }' "$work/usage"
  else
    # `times` of a subshell: its second line is the children's user and system time
    (LC_ALL=C; "$cxx" "${flags[@]}" "$@" >"$work/log" 2>&1 || exit 1; times) |
      awk 'NR == 2 { for (i = 1; i <= 2; ++i) { split($i, t, /[ms]/); sum += 60 * t[1] + t[2] } printf "%.2f -\n", sum }'
  fi
}

row() { # name, budget in seconds, budget in MB ("-": none), arguments...
  local name=$1 seconds=$2 memory=$3 list="" line
  shift 3
  for ((i = 0; i < runs; ++i)); do
    if ! line=$(once "$@"); then
      printf '%-42s did not compile:\n' "$name"
      head -n 20 "$work/log"
      return 0
    fi
    list+="$line"$'\n'
  done
  printf '%s' "$list" | sort -n | awk -v name="$name" -v seconds="$seconds" -v memory="$memory" '
    { s[NR] = $1; if ($2 != "-" && $2 > mb) mb = $2 }
    END {
      median = NR % 2 ? s[(NR + 1) / 2] : (s[NR / 2] + s[NR / 2 + 1]) / 2
      verdict = median > seconds || (memory != "-" && mb > memory) ? "MISSED" : "ok"
      printf "%-42s %7.2f %13s %7s %6s %7s  %s\n", name, median, s[1] " - " s[NR], seconds, mb ? mb : "-", memory, verdict
    }'
}

"$cxx" --version | head -n 1
printf '%-42s %7s %13s %7s %6s %7s\n' "" "CPU s" "min - max" "budget" "MB" "budget"
row "net.hpp, -fsyntax-only" 2.5 - -fsyntax-only "$work/net.cpp"
row "net.hpp, object at -O2" 2.5 - -O2 -c -o "$work/o" "$work/net.cpp"
row "rnx.hpp, -fsyntax-only" 5 - -fsyntax-only "$work/rnx.cpp"
row "rnx.hpp, object at -O2" 5 - -O2 -c -o "$work/o" "$work/rnx.cpp"
# shellcheck disable=SC2086
row "program that trains ResNet-20, -O3" 15 1000 $optimised -o "$work/o" benchmarks/compile_train_resnet20.cpp
# shellcheck disable=SC2086
row "one more model (ResNet-56), object at -O3" 8 500 $optimised -c -o "$work/o" cmake/compiled/models/resnet56.cpp
