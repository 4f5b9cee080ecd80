# Counts CTest's JUnit files: prints PASSED FAILED SKIPPED. A doctest executable counts its cases, any other test counts one.
function number(text, after) { return match(text, after " *[0-9]+") ? substr(text, RSTART + length(after), RLENGTH - length(after)) + 0 : 0 }
/<testcase / {
  status = "fail"; skip = 0; cases = 0; case_failed = 0; case_passed = 0; case_skipped = 0
  if (match($0, /status="[a-z]+"/)) status = substr($0, RSTART + 8, RLENGTH - 9)
}
/<skipped message="SKIP_/ { skip = 1 }
/\[doctest\] test cases:/ {
  # [doctest] test cases: 3 | 2 passed | 1 failed | 0 skipped
  n = split($0, part, "|")
  for (i = 2; i <= n; i++) {
    if (part[i] ~ /passed/) case_passed += part[i] + 0
    if (part[i] ~ /failed/) case_failed += part[i] + 0
    if (part[i] ~ /skipped/) case_skipped += part[i] + 0
  }
  cases = 1
}
/<\/testcase>/ {
  if (status == "run") {
    if (cases) { passed += case_passed; skipped += case_skipped } else passed++
  } else if (skip || status == "disabled") {
    skipped++
  } else {
    passed += case_passed; skipped += case_skipped
    failed += case_failed > 0 ? case_failed : 1
  }
}
END { print passed + 0, failed + 0, skipped + 0 }
