#!/usr/bin/env bash
# Every header compiles alone. Usage: headers.sh [PART OF A HEADER'S PATH]; CXX and RNX_JOBS (2) are read.
# Headers that most others include are precompiled: what stands before a header's own lines is then something that it includes
# anyway, so nothing that it lacks is hidden.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../include_flags.sh"
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$root/include"
export CXX=${CXX:-c++} RNX_JOBS=${RNX_JOBS:-2}
bases="rnx/train/stage.hpp rnx/attack.hpp rnx/network/trace.hpp rnx/layers/options.hpp rnx/kernels/cpu.hpp rnx/tensor/view.hpp"

mapfile -t headers < <(find rnx -name '*.hpp' | LC_ALL=C sort | grep -F -- "${1:-rnx/}" || true)
[ ${#headers[@]} -gt 0 ] || { echo "headers_alone: no header under include/rnx"; exit 1; }

export folder
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

compile() { # flags and files...
  "$CXX" -std=c++20 -O0 -fdiagnostics-color=never "$@" 2>&1
}
precompile() { # base flags...
  local base=$1 name=${1//\//_} output
  shift
  printf '#include "%s"\n' "$base" >"$folder/$name"
  output=$(compile -x c++-header "$@" "$folder/$name" -o "$folder/$name.gch") || rm -f "$folder/$name" # its own check says why
}
check() { # "header base" flags...
  local header=${1% *} base=${1#* } output
  local before=()
  shift
  [ ! -f "$folder/${base//\//_}" ] || before=(-include "$folder/${base//\//_}")
  # The header is included from an empty file: #pragma once in a main file would warn.
  if ! output=$(printf '#include "%s"\n' "$header" | compile -fsyntax-only -x c++ "$@" "${before[@]}" -); then
    printf 'FAIL %s\n%s\n' "$header" "$(head -n 20 <<<"$output")"
    return 1
  fi
}
for_each() { # function; lines of standard input are its first argument
  tr '\n' '\0' | xargs -0 -P "$RNX_JOBS" -I {} bash -c "$1"' "$@"' "$1" {} "${include_flags[@]}"
}
export -f compile precompile check

start=$SECONDS
status=0
tr ' ' '\n' <<<"$bases" | for_each precompile
grep -r -H -E '^(#include "rnx|#pragma once)' rnx --include='*.hpp' | LC_ALL=C sort |
  awk -v bases="$bases" -f "$tools/header_bases.awk" >"$folder/all"
grep -F -- "${1:-rnx/}" "$folder/all" | for_each check || status=1
echo "${#headers[@]} headers compiled alone in $((SECONDS - start)) s with $CXX"
exit $status
