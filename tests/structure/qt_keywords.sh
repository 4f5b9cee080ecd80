#!/usr/bin/env bash
# Every header behind what <QObject> defines (without QT_NO_KEYWORDS). Standard headers and Eigen are ahead of it: their own names are not
# ours to change.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../include_flags.sh"
cd "$root/include"
{
  find rnx -name '*.hpp' -exec cat {} + | grep -E '^#include <' | grep -vE '<rnx/|jpeglib|png\.h|omp\.h' | sort -u
  printf '%s\n' '#define slots' '#define signals public' '#define emit' '#define foreach(v, c) for (v : c)' '#define forever for (;;)'
  find rnx -name '*.hpp' ! -name definitions.hpp | LC_ALL=C sort | sed 's/.*/#include "&"/'
} | "${CXX:-c++}" -std=c++20 -fopenmp -fsyntax-only "${include_flags[@]}" -x c++ -
echo "no header has a keyword of Qt"
