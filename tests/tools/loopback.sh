#!/usr/bin/env bash
# rnx-train for a device: built for the loopback device, whose memory the host cannot read, it trains adversarially, evaluates and
# writes the bits that the CPU's writes.
#   tests/tools/loopback.sh FOLDER RNX-TRAIN
# Read from the environment: RNX_JOBS (2), RNX_DEPS_DIR.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder=$1 reference=$2
mkdir -p "$folder"
generator=()
if [ ! -f "$folder/build/CMakeCache.txt" ] && command -v ninja >/dev/null; then generator=(-G Ninja); fi
cmake -S "$root" -B "$folder/build" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE=-O0 -DRNX_DEVICE=loopback \
  -DRNX_MODELS=resnet20 -DRNX_BUILD_TESTS=OFF -DRNX_BUILD_PAPERS=OFF -DRNX_CUDA=OFF \
  "-DRNX_DEPS_DIR=${RNX_DEPS_DIR:-}" "-DRNX_COMPILE_JOBS=${RNX_JOBS:-2}" >"$folder/configure.log"
cmake --build "$folder/build" -j "${RNX_JOBS:-2}" --target rnx-train >"$folder/build.log" 2>&1 || { tail -n 40 "$folder/build.log"; exit 1; }

train() { # program, folder
  rm -rf "$2"
  "$1" --dataset synthetic --n-train 12 --n-test 6 --batch 6 --model resnet20 --objective pgd --attack-steps 2 --epochs 2 \
    --eval-n 0 --eval-pgd-n 0 --final-pgd-n 6 --progress off --out "$2" >"$2.log"
}
train "$reference" "$folder/cpu"
train "$folder/build/examples/rnx-train" "$folder/loopback"
cmp "$folder/cpu/model.safetensors" "$folder/loopback/model.safetensors"
cmp "$folder/cpu/eval/final/per_sample.csv" "$folder/loopback/eval/final/per_sample.csv"
if "$folder/build/examples/rnx-train" --device cpu --out "$folder/other" 2>"$folder/other.log"; then
  echo "a program for the loopback device took --device cpu"
  exit 1
fi
grep -q "it was built for loopback" "$folder/other.log"
