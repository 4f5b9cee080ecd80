#!/usr/bin/env bash
# The main job on the embedded data set: trains a ResNet-20 naturally and one adversarially, attacks both, and writes a report.
# On two cores about six minutes after package installation. Run it from anywhere; results go to build/quickstart/runs.
#   examples/quickstart.sh [FOLDER FOR THE RESULTS]
# Read from the environment: RNX_JOBS (2), RNX_DEPS_DIR, CXX.
set -euo pipefail
results=$(realpath -m "${1:-$(dirname "${BASH_SOURCE[0]}")/../build/quickstart/runs}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
started=$SECONDS
phase() { printf '\n==> [%d:%02d] %s\n' $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60)) "$*"; }

phase "packages"
.ci/packages
started=$SECONDS

phase "build rnx-train and rnx-eval (one model, for this machine's instruction set)"
arguments=()
[ -f build/quickstart/CMakeCache.txt ] || ! command -v ninja >/dev/null || arguments+=(-G Ninja)
[ -z "${RNX_DEPS_DIR:-}" ] || arguments+=("-DRNX_DEPS_DIR=$RNX_DEPS_DIR")
cmake --preset release-native -B build/quickstart -DRNX_BUILD_BENCHMARKS=OFF -DRNX_BUILD_PAPERS=OFF -DRNX_CUDA=OFF -DRNX_MODELS=resnet20 "-DRNX_COMPILE_JOBS=${RNX_JOBS:-2}" "${arguments[@]}" >/dev/null
cmake --build build/quickstart -j "${RNX_JOBS:-2}" --target rnx-train rnx-eval
bin=build/quickstart/examples

for run in "$results/natural" "$results/adversarial" "$results/report"; do  # of an earlier call
  [ ! -e "$run" ] || [ -f "$run/run.json" ] || { echo "$run is in the way: it is not a run" >&2; exit 2; }
  rm -rf "$run"
done
common=(--model resnet20 --dataset synthetic --n-train 4000 --seed 1 --eval-n 500 --eval-pgd-n 100 --final-pgd-n 200)
phase "train naturally"
"$bin/rnx-train" "${common[@]}" --objective natural --epochs 3 --lr 0.05 --out "$results/natural"
phase "train adversarially (FGSM-RS)"
"$bin/rnx-train" "${common[@]}" --objective fgsm-rs --epochs 5 --lr 0.2 --out "$results/adversarial"
phase "attack both with PGD-20, radius 8/255"
"$bin/rnx-eval" --model resnet20 --dataset synthetic --weights "$results/natural/model.safetensors" "$results/adversarial/model.safetensors" --n-ex 500 --seed 1 --out "$results/report"

phase "done"
awk '/^\|/ && ++n <= 4' "$results/report/report.md"
echo "report: $results/report/report.html"
