#!/usr/bin/env bash
# The quickstart as a user runs it, and what its report must show: the embedded data set is one where natural training finds a fragile
# pattern (over 95 % clean, under 10 % at PGD-20 8/255) and adversarial training keeps over 40 %.
#   tests/tools/quickstart.sh FOLDER
set -euo pipefail
bash "$(dirname "${BASH_SOURCE[0]}")/../../examples/quickstart.sh" "$1"
for file in report.html report.md per_sample-natural.csv per_sample-adversarial.csv; do
  [ -s "$1/report/$file" ] || { echo "missing: $file"; exit 1; }
done
awk -F'[:,]' '/"clean_acc": [0-9]/ { clean[++n] = $2 } /"robust_acc": [0-9]/ { robust[++m] = $2 }
  END {
    printf "natural: clean %s, PGD-20 %s; adversarial: clean %s, PGD-20 %s\n", clean[1], robust[1], clean[2], robust[2]
    exit !(n == 2 && m == 2 && clean[1] > 0.95 && robust[1] < 0.10 && clean[2] > 0.40 && robust[2] > 0.40)
  }' "$1/report/report.json"
