#!/usr/bin/env bash
# rnx against the newest PyTorch and dlib: installs both, builds the benchmarks, runs all in turn and writes docs/benchmarks.md.
#   bash benchmarks/compare.sh [--rounds 5] [--seconds 5] [--filter resnet20/] [--parts networks,kernels,memory,dlib,compile] [--quick]
# --help lists every option. A full run takes some four hours on two cores; leave the machine alone meanwhile.
# Read from the environment: RNX_BENCH_ENV (folder for PyTorch and dlib, default build/benchmark-env; remove it to get newer versions),
# OMP_WAIT_POLICY (active: threads that spin at barriers are the best of every program on a machine at rest), CXX (g++), PYTHON (python3).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

env=${RNX_BENCH_ENV:-build/benchmark-env} cxx=${CXX:-g++} python3=${PYTHON:-python3}
python=$env/torch/bin/python
dlib_program=$env/dlib_resnet20
command -v "$python3" >/dev/null || .ci/packages python3
"$python3" benchmarks/compare.py --check "$@"
for option in "$@"; do
  case $option in -h | --help) exit 0 ;; esac
done
.ci/packages
mkdir -p "$env"

# PyTorch in an environment of its own: the build for processors alone where its index can be reached, otherwise the common one.
if ! "$python" -c 'import torch' 2>/dev/null; then
  echo "installing PyTorch into $env/torch" >&2
  # Debian has the module venv, and the headers that torch.compile includes, in packages of their own
  headers() { "$python3" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))'; }
  headers || { .ci/packages python3-dev && headers; } || { echo "Python's headers are missing: torch.compile could not compile" >&2; exit 1; }
  venv() { "$python3" -m venv "$env/torch" >>"$env/pip.log" 2>&1; }
  venv || { .ci/packages python3-venv && venv; } ||
    { echo "Python's module venv does not work; its messages are in $env/pip.log" >&2; exit 1; }
  "$env/torch/bin/pip" install -q --retries 1 --timeout 20 numpy setuptools torch --index-url https://download.pytorch.org/whl/cpu >>"$env/pip.log" 2>&1 ||
    "$env/torch/bin/pip" install -q numpy setuptools torch >>"$env/pip.log" 2>&1 ||
    { echo "PyTorch could not be installed; pip's messages are in $env/pip.log" >&2; exit 1; }
fi

# What a user would pick instead for inference; without them their columns stay empty.
"$python" -c 'import openvino, onnxruntime, onnx' 2>/dev/null ||
  "$env/torch/bin/pip" install -q openvino onnxruntime onnx >>"$env/pip.log" 2>&1 ||
  echo "OpenVINO and ONNX Runtime could not be installed: they are not measured; pip's messages are in $env/pip.log" >&2

# dlib from its source package, for this processor, with OpenBLAS.
openblas() { echo 'int main() {}' | "$cxx" -x c++ - -lopenblas -o /dev/null 2>/dev/null; }
make_dlib() {
  if ! openblas; then
    .ci/packages libopenblas-dev && openblas ||
      { echo "dlib is not measured: OpenBLAS is missing and could not be installed" >&2; return 1; }
  fi
  "$python" benchmarks/dlib/get.py "$env" || { echo "dlib is not measured: its source package could not be had" >&2; return 1; }
  echo "compiling dlib" >&2
  local flags=(-std=c++17 -O3 -march=native -DNDEBUG -DDLIB_NO_GUI_SUPPORT -DDLIB_USE_BLAS -DDLIB_DISABLE_ASSERTS "-DDLIB_VERSION=\"$(cat "$env/dlib/version")\"" -I "$env/dlib")
  "$cxx" "${flags[@]}" -c "$env/dlib/dlib/all/source.cpp" -o "$env/dlib/source.o" &&
    "$cxx" "${flags[@]}" benchmarks/dlib/resnet20.cpp "$env/dlib/source.o" -o "$dlib_program" -lopenblas -pthread ||
    { echo "dlib is not measured: it could not be compiled" >&2; return 1; }
}
if [ ! -x "$dlib_program" ] || [ benchmarks/dlib/resnet20.cpp -nt "$dlib_program" ]; then
  make_dlib || dlib_program=""
fi

cmake --preset release-native >"$env/cmake.log"
cmake --build --preset release-native --target bench_networks bench_kernels bench_memory >>"$env/cmake.log"

results=$env/results.json
command="bash benchmarks/compare.sh${*:+ $*}"
"$python" benchmarks/compare.py --python "$python" --dlib "$dlib_program" --out "$results" --command "$command" "$@"
"$python" benchmarks/report.py "$results" docs/benchmarks.md
echo "written: docs/benchmarks.md"
