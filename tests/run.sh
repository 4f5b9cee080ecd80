#!/usr/bin/env bash
# Everything, from a fresh Debian 12 or Ubuntu 22.04+: installs what is missing, builds, tests, sanitizers, fuzz targets, CUDA.
#   tests/run.sh [--quick] [--filter REGEX]
#   --quick          neither headers one by one nor the quickstart, sanitizers, wider vectors, fuzz targets and CUDA
#   --filter REGEX   only the CTest tests that match
# The last line is `N passed, N failed, N skipped`. Exit: 0, 1 (something failed), 2 (usage, or packages that cannot be installed).
# Read from the environment: RNX_JOBS (2), RNX_DEPS_DIR, CXX, CI (warnings are errors), RNX_CUDA_ARCHITECTURES (of the CUDA phase).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

quick=0 filter=""
while [ $# -gt 0 ]; do
  case "$1" in
    --quick) quick=1 ;;
    --filter) [ $# -ge 2 ] || { echo "--filter needs a regular expression" >&2; exit 2; }; filter=$2; shift ;;
    --filter=*) filter=${1#*=} ;;
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) echo "unknown option $1 (see --help)" >&2; exit 2 ;;
  esac
  shift
done
exec </dev/null
jobs=${RNX_JOBS:-2}
passed=0 failed=0 skipped=0 started=$SECONDS

phase() { printf '\n==> [%02d:%02d] %s\n' $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60)) "$*"; }
fail() { failed=$((failed + 1)); echo "FAILED: $*"; }
skip() { skipped=$((skipped + 1)); echo "SKIPPED: $*"; }

configure() { # preset, more arguments for cmake...
  local preset=$1 arguments=()
  shift
  [ -f "build/$(folder "$preset")/CMakeCache.txt" ] || ! command -v ninja >/dev/null || arguments+=(-G Ninja)
  [ -z "${RNX_DEPS_DIR:-}" ] || arguments+=("-DRNX_DEPS_DIR=$RNX_DEPS_DIR")
  [ -z "${CI:-}" ] || arguments+=(-DRNX_WERROR=ON)
  cmake --preset "$preset" "-DRNX_COMPILE_JOBS=$jobs" -DRNX_TEST_TOGETHER=5 "${arguments[@]}" "$@"
}

folder() { if [ "$1" = default ]; then echo tests; else echo "$1"; fi; }

# Builds all that can be built; what cannot be built fails as a test that cannot start.
build() { # preset
  local keep_going=-k
  grep -q '^CMAKE_GENERATOR:INTERNAL=Ninja' "build/$(folder "$1")/CMakeCache.txt" && keep_going=-k0
  cmake --build --preset "$1" -j "$jobs" -- "$keep_going"
}

run_tests() { # preset, more arguments for ctest...
  local folder report counts p f s
  folder=build/$(folder "$1")
  report=$PWD/$folder/junit.xml
  shift
  rm -f "$report"
  ctest --test-dir "$folder" -j "$jobs" --output-on-failure --no-tests=ignore --output-junit "$report" \
    --test-output-size-passed 10000000 --test-output-size-failed 10000000 ${filter:+-R "$filter"} "$@" || true
  [ -f "$report" ] || { fail "ctest in $folder gave no report"; return; }
  counts=$(awk -f tests/count.awk "$report")
  read -r p f s <<<"$counts"
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  echo "$p passed, $f failed, $s skipped here"
  tests_failed=$f
}

# configure, build, test; a broken build that no test shows is a failure of its own.
suite() { # name, preset, arguments for cmake, arguments for ctest
  local name=$1 preset=$2 broken=0
  local -a for_cmake=() for_ctest=()
  read -ra for_cmake <<<"$3"
  read -ra for_ctest <<<"$4"
  phase "$name: configure"
  configure "$preset" "${for_cmake[@]}" || { fail "$name: configure"; return; }
  phase "$name: build"
  build "$preset" || broken=1
  phase "$name: test"
  tests_failed=0
  run_tests "$preset" "${for_ctest[@]}"
  [ $broken -eq 0 ] || [ "$tests_failed" -gt 0 ] || fail "$name: build"
}

phase "packages"
.ci/packages

if [ $quick -eq 1 ]; then
  suite "tests" default "" "-LE headers|slow"
else
  suite "tests" default "" ""
  # With clang++, which compiles templates of this size under the sanitizers in half of GCC's time.
  has_asan() { printf 'int main() {}\n' | clang++ -fsanitize=address,undefined -x c++ - -o /dev/null 2>/dev/null; }
  if has_asan; then suite "sanitizers" asan "" "-L sanitize"
  else skip "sanitizers: no clang++ with AddressSanitizer"; fi

  # LLVM's OpenMP tells ThreadSanitizer of its threads through Archer, which says so.
  has_archer() {
    mkdir -p build && printf 'int main() {\n#pragma omp parallel\n  {}\n}\n' |
      clang++ -fopenmp -fsanitize=thread -x c++ - -o build/archer 2>/dev/null &&
      ARCHER_OPTIONS=verbose=1 build/archer 2>&1 | grep '^Archer detected' >/dev/null
  }
  if has_archer; then suite "ThreadSanitizer" tsan "" "-L threads"
  else skip "ThreadSanitizer: no clang++ with LLVM's OpenMP and Archer"; fi

  # The suites above use 16-byte vectors.
  native=$("${CXX:-c++}" -march=native -E -P -x c++ - <<<$'#include "include/rnx/config.hpp"\nRNX_ISA_LEVEL' 2>/dev/null | tail -n 1)
  case "$native" in
    avx512*) suite "native vectors" native-tests "" "" && suite "AVX2" avx2-tests "" "" ;;
    avx2) suite "native vectors" native-tests "" "" ;;
    *) skip "wider vectors: this machine has no AVX2" ;;
  esac

  has_fuzzer() { printf 'extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return 0; }' |
    clang++ -fsanitize=fuzzer -x c++ - -o /dev/null 2>/dev/null; }
  if ! compgen -G 'tests/fuzz/corpus/*' >/dev/null; then
    echo "no fuzz targets"
  elif has_fuzzer; then
    suite "fuzz targets" fuzz "" ""
  else
    skip "fuzz targets: no clang++ with libFuzzer"
  fi

  if [ -n "$(compgen -G 'tests/cuda/*')" ]; then
    if command -v nvcc >/dev/null || [ -x /usr/local/cuda/bin/nvcc ]; then
      suite "CUDA" cuda "-DCMAKE_CUDA_ARCHITECTURES=${RNX_CUDA_ARCHITECTURES:-90}" "-L cuda"
    else
      skip "CUDA: no nvcc"
    fi
  fi
fi

phase "done"
[ $((passed + failed + skipped)) -gt 0 ] || fail "no test ran"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
