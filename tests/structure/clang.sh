#!/usr/bin/env bash
# clang++ takes what g++ takes: the examples and the executables' sources, without code. rnx.hpp is precompiled: what a source itself
# includes, g++ sees.
# Usage: clang.sh [PART OF A PATH]; RNX_JOBS (2) is read. Exit 77 (skipped) without clang++.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../include_flags.sh"
cd "$root"
command -v clang++ >/dev/null || exit 77

mapfile -t sources < <(find examples -name '*.cpp' ! -name precompiled.cpp | LC_ALL=C sort |
  grep -F -- "${1:-examples/}" || true)
[ ${#sources[@]} -gt 0 ] || { echo "clang: no source under examples"; exit 1; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

compile() { # flags and files...
  clang++ -std=c++20 -Wall -Wextra -Wpedantic -Werror -fno-color-diagnostics "$@" 2>&1
}
check() { # source flags...
  local source=$1 output
  shift
  if ! output=$(compile -fsyntax-only "$@" "$source"); then
    printf 'FAIL %s\n%s\n' "$source" "$(head -n 20 <<<"$output")"
    return 1
  fi
}
export -f compile check

start=$SECONDS
status=0
printf '#include <rnx/rnx.hpp>\n' >"$folder/rnx.hpp"
compile -fpch-instantiate-templates -x c++-header "${include_flags[@]}" "$folder/rnx.hpp" -o "$folder/rnx.pch"
printf '%s\0' "${sources[@]}" | xargs -0 -P "${RNX_JOBS:-2}" -I {} bash -c 'check "$@"' check {} "${include_flags[@]}" \
  -include-pch "$folder/rnx.pch" || status=1
echo "${#sources[@]} sources parsed in $((SECONDS - start)) s with clang++"
exit $status
