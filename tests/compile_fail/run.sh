#!/usr/bin/env bash
# Compiles each case with g++ and, if present, clang++ and checks what a user would read.
#   first line `// expect: SENTENCE`   it must not compile; SENTENCE is in the output; the output has at most 20 lines
#   first line `// expect: no error`   a control: it must compile
#   comments behind it                 the sentence goes on, behind a blank
#   next line `// flags: FLAGS`        further flags of the compiler, separated by spaces
# Usage: run.sh [CASE.cpp ...]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../include_flags.sh"

cases=("$@")
[ ${#cases[@]} -gt 0 ] || cases=("$here"/*.cpp)

failed=0 compilers=0
complain() {
  failed=$((failed + 1))
  printf 'FAIL %s with %s: %s\n' "$(basename "$case")" "$compiler" "$1"
  [ -z "$output" ] || printf '%s\n' "$output" | head -n 60 | sed 's/^/  | /'
}

for compiler in ${RNX_COMPILE_FAIL_COMPILERS:-g++ clang++}; do
  command -v "$compiler" >/dev/null || { echo "$compiler is not here: not checked"; continue; }
  compilers=$((compilers + 1))
  for case in "${cases[@]}"; do
    mapfile -t -n 5 top <"$case"
    first=${top[0]-} expected=${top[0]#// expect: } flags=() next=1
    while [[ ${top[next]-} == '// '* && ${top[next]} != '// flags: '* ]]; do
      expected+=" ${top[next]#// }"
      next=$((next + 1))
    done
    case ${top[next]-} in '// flags: '*) read -ra flags <<<"${top[next]#// flags: }" ;; esac
    output=""
    if [ "$expected" = "$first" ] || [ -z "$expected" ]; then
      complain "the first line must be '// expect: SENTENCE'"
      continue
    fi
    status=0
    output=$("$compiler" -std=c++20 -fsyntax-only -fdiagnostics-color=never "${include_flags[@]}" ${flags[@]+"${flags[@]}"} "$case" 2>&1) || status=$?
    lines=$([ -z "$output" ] && echo 0 || wc -l <<<"$output")
    if [ "$expected" = "no error" ]; then
      [ $status -eq 0 ] || complain "the control does not compile"
    elif [ $status -eq 0 ]; then
      complain "it compiles"
    elif ! grep -qF -- "$expected" <<<"$output"; then
      complain "the output does not have the sentence '$expected'"
    elif [ "$lines" -gt 20 ]; then
      complain "the output has $lines lines, at most 20 are allowed"
    else
      echo "ok $(basename "$case") with $compiler: $lines lines"
    fi
  done
done
[ $compilers -gt 0 ] || { echo "no compiler found"; exit 1; }
[ $failed -eq 0 ]
