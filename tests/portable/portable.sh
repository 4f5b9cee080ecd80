#!/usr/bin/env bash
# One static binary that runs everywhere: portable.sh PROGRAM LINKED PLAIN_OBJECT
# Each instruction set that the processor has can be chosen, the copies agree, the plain copy names no wider register, and the
# program needs no file beside itself.
set -euo pipefail
program=$1 linked=$2 plain=$3
fail() { echo "FAIL $*"; exit 1; }

[[ $(ldd "$program" 2>&1 || true) == *"not a dynamic executable"* ]] || fail "it is linked dynamically"
[ "$(objdump -d "$plain" | grep -c '%[yz]mm')" -eq 0 ] || fail "the plain copy uses wider registers than it may"

sets=(plain)
if [ "$(uname -m)" = x86_64 ]; then
  grep -qw avx2 /proc/cpuinfo && sets+=(avx2)
  grep -qw avx512vl /proc/cpuinfo && sets+=(avx512)
fi
logits=""
for set in "${sets[@]}"; do
  said=$(RNX_INSTRUCTION_SET=$set "$program") || fail "$set: $said"
  grep -qx "initialised for $set" <<<"$said" || fail "$set: another copy ran: $said"
  grep -qx refused <<<"$said" || fail "$set: the error was not caught"
  found=$(grep '^logits' <<<"$said")
  [ -z "$logits" ] || [ "$found" = "$logits" ] || fail "$set: $found, elsewhere $logits"
  logits=$found
  said=$(RNX_INSTRUCTION_SET=$set "$linked") || fail "rnx::compiled, $set: $said"
  [ "$said" = "$set" ] || fail "rnx::compiled, $set: $said"
done
widest=${sets[-1]}
grep -qx "initialised for $widest" <<<"$("$program")" || fail "the widest is not taken by itself"

for wrong in sparc avx999; do
  status=0
  said=$(RNX_INSTRUCTION_SET=$wrong "$program" 2>&1) || status=$?
  [ $status -eq 2 ] && [ "$(wc -l <<<"$said")" -eq 1 ] && grep -q "'$wrong'" <<<"$said" || fail "$wrong: $status $said"
done

if [ "$(id -u)" -eq 0 ] && command -v chroot >/dev/null; then
  empty=$(mktemp -d)
  trap 'rm -rf "$empty"' EXIT
  cp "$program" "$empty/program"
  said=$(chroot "$empty" /program) || fail "in an empty chroot: $said"
fi
if command -v qemu-x86_64-static >/dev/null; then  # a processor without AVX
  said=$(qemu-x86_64-static -cpu Nehalem "$program") || fail "without AVX: $said"
  grep -qx "initialised for plain" <<<"$said" || fail "without AVX: $said"
fi
echo "${#sets[@]} instruction sets: ${sets[*]}"
