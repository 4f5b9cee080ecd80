#!/usr/bin/env bash
# rnx against the newest PyTorch and dlib: installs both, builds the benchmarks, runs all in turn and writes docs/benchmarks.md.
#   bash benchmarks/compare.sh [--rounds 5] [--seconds 1] [--filter resnet20/] [--parts networks,kernels,memory,dlib,compile] [--quick]
# --help lists every option. A full run takes about an hour on two cores; leave the machine alone meanwhile.
# Read from the environment: RNX_BENCH_ENV (folder for PyTorch and dlib, default build/benchmark-env; remove it to get newer versions),
# OMP_WAIT_POLICY (active: threads that spin at barriers are the best of every program on a machine at rest), CXX (g++), PYTHON (python3).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

env=${RNX_BENCH_ENV:-build/benchmark-env} cxx=${CXX:-g++}
python=$env/torch/bin/python
dlib_program=$env/dlib_resnet20
"${PYTHON:-python3}" benchmarks/compare.py --check "$@"
for option in "$@"; do
  case $option in -h | --help) exit 0 ;; esac
done
mkdir -p "$env"

# PyTorch in an environment of its own: the build for processors alone where its index can be reached, otherwise the common one.
if ! "$python" -c 'import torch' 2>/dev/null; then
  echo "installing PyTorch into $env/torch" >&2
  if ! "${PYTHON:-python3}" -m venv "$env/torch" >"$env/pip.log" 2>&1; then  # Debian has the module in a package of its own
    [ "$(id -u)" = 0 ] && apt-get install -y -q python3-venv >>"$env/pip.log" 2>&1 && "${PYTHON:-python3}" -m venv "$env/torch" >>"$env/pip.log" 2>&1 ||
      { echo "Python's module venv is missing and could not be installed (apt-get install python3-venv, as root)" >&2; exit 1; }
  fi
  "$env/torch/bin/pip" install -q --retries 1 --timeout 20 numpy setuptools torch --index-url https://download.pytorch.org/whl/cpu >>"$env/pip.log" 2>&1 ||
    "$env/torch/bin/pip" install -q numpy setuptools torch >>"$env/pip.log" 2>&1 ||
    { echo "PyTorch could not be installed; pip's messages are in $env/pip.log" >&2; exit 1; }
fi

# dlib from its source package, for this processor, with OpenBLAS.
openblas() { echo 'int main() {}' | "$cxx" -x c++ - -lopenblas -o /dev/null 2>/dev/null; }
make_dlib() {
  if ! openblas; then
    [ "$(id -u)" = 0 ] && apt-get install -y -q libopenblas-dev >"$env/apt.log" 2>&1 && openblas ||
      { echo "dlib is not measured: OpenBLAS is missing and could not be installed (apt-get install libopenblas-dev, as root)" >&2; return 1; }
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
