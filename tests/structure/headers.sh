#!/usr/bin/env bash
# Every header compiles alone. Usage: headers.sh [PART OF A HEADER'S PATH]; CXX and RNX_JOBS (2) are read.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../include_flags.sh"
cd "$root/include"
export CXX=${CXX:-c++}

mapfile -t headers < <(find rnx -name '*.hpp' | LC_ALL=C sort | grep -F -- "${1:-rnx/}" || true)
[ ${#headers[@]} -gt 0 ] || { echo "headers_alone: no header under include/rnx"; exit 1; }

check() { # header flags...
  local header=$1 output
  shift
  # The header is included from an empty file: #pragma once in a main file would warn.
  if ! output=$(printf '#include "%s"\n' "$header" | "$CXX" -std=c++20 -O0 -fsyntax-only -x c++ -fdiagnostics-color=never "$@" - 2>&1); then
    printf 'FAIL %s\n%s\n' "$header" "$(head -n 20 <<<"$output")"
    return 1
  fi
}
export -f check

start=$SECONDS
status=0
printf '%s\0' "${headers[@]}" | xargs -0 -P "${RNX_JOBS:-2}" -I {} bash -c 'check "$@"' check {} "${include_flags[@]}" || status=1
echo "${#headers[@]} headers compiled alone in $((SECONDS - start)) s with $CXX"
exit $status
