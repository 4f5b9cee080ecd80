#!/usr/bin/env bash
# The form of the sources: lines of at most 100 columns (prose: 120, outside tables and code), functions of at most 60
# lines, and what clang-format 14 makes of them. Other versions break lines otherwise; where there is none, that part is skipped (exit 77).
#   form.sh [--fix]      --fix: lets clang-format write
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

mapfile -t sources < <(find include examples benchmarks tests cmake -type f \
  \( -name '*.hpp' -o -name '*.cpp' -o -name '*.cuh' -o -name '*.cu' -o -name '*.inc' \) \
  -not -name emitted_stage.hpp | LC_ALL=C sort)  # that one is written by the library
mapfile -t prose < <(find README.md CHANGELOG.md docs tests benchmarks -name '*.md' | LC_ALL=C sort)
[ ${#sources[@]} -gt 100 ] && [ ${#prose[@]} -gt 3 ] || { echo "form: the sources are not where they should be"; exit 1; }

status=0
# sentences that tests/compile_fail/ expects stand on one line
if LC_ALL=C.UTF-8 awk 'length > 100 && !/^\/\/ expect: / { print FILENAME ":" FNR ": " length " columns"; found = 1 } END { exit !found }' "${sources[@]}"; then
  status=1
fi
if LC_ALL=C.UTF-8 awk 'FNR == 1 { code = 0 } /^ *```/ { code = !code }
    length > 120 && !code && !/^    / && !/^ *\|/ && !/^ *!\[/ { print FILENAME ":" FNR ": " length " columns"; found = 1 }
    END { exit !found }' "${prose[@]}"; then
  status=1
fi

if ! awk -v limit=60 -f tests/structure/function_length.awk "${sources[@]}"; then status=1; fi

formatter=$(command -v clang-format-14 || command -v clang-format || true)
if [ -z "$formatter" ] || ! "$formatter" --version | grep -q 'version 14\.'; then
  [ $status -ne 0 ] || { echo "form: no clang-format 14 here"; exit 77; }
  exit $status
fi
if [ "${1:-}" = --fix ]; then "$formatter" -i "${sources[@]}"; fi
"$formatter" --dry-run -Werror "${sources[@]}" || status=1
echo "${#sources[@]} sources and ${#prose[@]} pages of prose read"
exit $status
