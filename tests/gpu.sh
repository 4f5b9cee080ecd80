#!/usr/bin/env bash
# Every device test, on a machine with a CUDA GPU, the CUDA toolkit and CMake; nothing is installed or downloaded.
#   RNX_DEPS_DIR=FOLDER tests/gpu.sh [BUILD FOLDER]
# FOLDER holds the header packages: Eigen/ xtensor/ xtl/ nlohmann/ xxhash.h doctest/. BUILD FOLDER: build/gpu.
# The last line is `N passed, N failed, N skipped`. Exit: 0, 1 (something failed), 2 (something is missing).
# Read from the environment: RNX_DEPS_DIR, RNX_JOBS (all cores), CUDACXX, RNX_CUDA_ARCHITECTURES (the GPU's own).
set -euo pipefail
case "${1:-}" in -h | --help) sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;; esac
missing() { echo "gpu.sh: $*" >&2; exit 2; }

[ -n "${RNX_DEPS_DIR:-}" ] || missing "set RNX_DEPS_DIR to a folder with Eigen/ xtensor/ xtl/ nlohmann/ xxhash.h doctest/"
[ -d "$RNX_DEPS_DIR" ] || missing "RNX_DEPS_DIR is $RNX_DEPS_DIR, which is no folder"
deps=$(cd "$RNX_DEPS_DIR" && pwd)
for header in Eigen/Core xtensor/xtensor_config.hpp xtl/xtl_config.hpp nlohmann/json.hpp xxhash.h doctest/doctest.h; do
  [ -e "$deps/$header" ] || missing "RNX_DEPS_DIR ($deps) has no $header"
done
command -v cmake >/dev/null || missing "cmake is not installed"
nvcc=${CUDACXX:-$(command -v nvcc || true)}
[ -n "$nvcc" ] || { [ -x /usr/local/cuda/bin/nvcc ] && nvcc=/usr/local/cuda/bin/nvcc; } || missing "nvcc is neither in PATH nor in /usr/local/cuda/bin; install the CUDA toolkit or set CUDACXX"
command -v nvidia-smi >/dev/null || missing "there is no NVIDIA driver here (no nvidia-smi)"
nvidia-smi -L 2>/dev/null | grep -q '^GPU' || missing "nvidia-smi finds no GPU"

build=${1:-$(dirname "${BASH_SOURCE[0]}")/../build/gpu}
mkdir -p "$build"
build=$(cd "$build" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

cores=$(nproc) jobs=${RNX_JOBS:-$(nproc)}
[ "$jobs" -le "$cores" ] || jobs=$cores
architectures=${RNX_CUDA_ARCHITECTURES:-$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | grep -E '^[0-9]+\.[0-9]+$' | tr -d . | sort -un | paste -sd ';' || true)}
nvidia-smi -L
"$nvcc" --version | tail -n 2

passed=0 failed=0 skipped=0
finish() {
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ] || exit 1
  exit 0
}
fail() { failed=$((failed + 1)); echo "FAILED: $*"; }

generator=()
if [ ! -f "$build/CMakeCache.txt" ] && command -v ninja >/dev/null; then generator=(-G Ninja); fi
cmake -S . -B "$build" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CUDA_COMPILER="$nvcc" "-DCMAKE_CUDA_ARCHITECTURES=${architectures:-native}" \
  -DRNX_CUDA=ON -DRNX_TEST_ROOMS=cuda -DRNX_BUILD_EXAMPLES=OFF -DRNX_FETCH_DEPENDENCIES=OFF "-DRNX_DEPS_DIR=$deps" "-DRNX_COMPILE_JOBS=$jobs" || { fail "configure"; finish; }
cmake --build "$build" -j "$jobs" || { fail "build"; finish; }

report=$build/junit.xml
rm -f "$report"
ctest --test-dir "$build" -L cuda --output-on-failure --output-junit "$report" --test-output-size-passed 10000000 --test-output-size-failed 10000000 || true
if [ -f "$report" ]; then read -r passed failed skipped < <(awk -f tests/count.awk "$report"); else fail "ctest gave no report"; fi
[ $((passed + failed)) -gt 0 ] || fail "no test ran: the tests saw no CUDA device, though nvidia-smi does"
finish
