#!/usr/bin/env bash
# clang++ takes what g++ takes: the examples and the executables' sources, without code.
# Usage: clang.sh [PART OF A PATH]; RNX_JOBS (2) is read. Exit 77 (skipped) without clang++.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../include_flags.sh"
cd "$root"
command -v clang++ >/dev/null || exit 77

mapfile -t sources < <(printf '%s\n' examples/*.cpp examples/own/*.cpp examples/tools/*.cpp examples/tools/*/*.cpp |
  grep -F -- "${1:-examples/}" || true)
[ ${#sources[@]} -gt 0 ] || { echo "clang: no source under examples"; exit 1; }

check() { # source flags...
  local source=$1 output
  shift
  if ! output=$(clang++ -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Werror -fno-color-diagnostics "$@" "$source" 2>&1); then
    printf 'FAIL %s\n%s\n' "$source" "$(head -n 20 <<<"$output")"
    return 1
  fi
}
export -f check

start=$SECONDS
status=0
printf '%s\0' "${sources[@]}" | xargs -0 -P "${RNX_JOBS:-2}" -I {} bash -c 'check "$@"' check {} "${include_flags[@]}" || status=1
echo "${#sources[@]} sources parsed in $((SECONDS - start)) s with clang++"
exit $status
