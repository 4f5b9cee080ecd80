#!/usr/bin/env bash
# clang++ takes what g++ takes: the examples and the executables' sources, without code. rnx.hpp is precompiled, and for the
# executables their own headers.
# Usage: clang.sh [PART OF A PATH]; RNX_JOBS (2) is read. Exit 77 (skipped) without clang++.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../include_flags.sh"
cd "$root"
command -v clang++ >/dev/null || exit 77

mapfile -t sources < <(find examples -name '*.cpp' ! -name precompiled.cpp | LC_ALL=C sort |
  grep -F -- "${1:-examples/}" || true)
[ ${#sources[@]} -gt 0 ] || { echo "clang: no source under examples"; exit 1; }

export folder
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

compile() { # flags and files...
  clang++ -std=c++20 -Wall -Wextra -Wpedantic -Werror -fno-color-diagnostics "$@" 2>&1
}
check() { # source flags...
  local source=$1 output headers=rnx
  shift
  [[ $source == examples/[0-9]* || $source == examples/own/* ]] || headers=tools
  if ! output=$(compile -fsyntax-only -include-pch "$folder/$headers.pch" "$@" "$source"); then
    printf 'FAIL %s\n%s\n' "$source" "$(head -n 20 <<<"$output")"
    return 1
  fi
}
precompile() { # name flags...
  local name=$1
  shift
  compile -fpch-instantiate-templates -x c++-header "$@" "$folder/$name.hpp" -o "$folder/$name.pch"
}
export -f compile check precompile

start=$SECONDS
status=0
for_each() { # function; lines of standard input are its first argument
  tr '\n' '\0' | xargs -0 -P "${RNX_JOBS:-2}" -I {} bash -c "$1"' "$@"' "$1" {} "${include_flags[@]}"
}
printf '#include <rnx/rnx.hpp>\n' >"$folder/rnx.hpp"
{
  printf '#include <%s>\n' rnx/rnx.hpp CLI/CLI.hpp fmt/format.h
  printf "#include \"$root/%s\"\n" examples/tools/*.hpp
} >"$folder/tools.hpp"
printf '%s\n' rnx tools | for_each precompile || status=1
printf '%s\n' "${sources[@]}" | for_each check || status=1
echo "${#sources[@]} sources parsed in $((SECONDS - start)) s with clang++"
exit $status
