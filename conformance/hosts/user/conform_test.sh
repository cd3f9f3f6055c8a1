#!/bin/sh
# The command line of cancelsafe-conform: exit status, closing line and files.
# usage: conform_test.sh CANCELSAFE_CONFORM REFERENCE.so SCRATCH_DIRECTORY
set -eu
conform=$1
reference=$2
scratch=$3
rm -rf "$scratch"
mkdir -p "$scratch"

# expect STATUS ARGUMENT...: runs the command; what it says is in $scratch/out.
expect() {
  wanted=$1
  shift
  status=0
  "$conform" "$@" >"$scratch/out" 2>&1 || status=$?
  if [ "$status" -ne "$wanted" ]; then
    echo "$*: exit status $status instead of $wanted" >&2
    cat "$scratch/out" >&2
    exit 1
  fi
}

expect 0 --help
expect 0 --list --clause 'DQ-RKEY-*'
grep -q 'dq.remove-by-key.largest' "$scratch/out"
if grep -q 'csq\.' "$scratch/out"; then exit 1; fi

expect 0 --implementation "$reference" --report "$scratch/report"
tail -1 "$scratch/out" | grep -q '^conforms: '
for file in junit.xml report.tap report.jsonl report.md report.html; do
  test -s "$scratch/report/$file"
done
expect 0 --clause CSQ-INSERT-02 --compare "$scratch/report/report.jsonl" --report "$scratch/two"
# What was written in TAP is judged like a run.
expect 0 --results "$scratch/report/report.tap"

# Expectations: strict both ways.
echo 'dq.insert.tail | fail | it passes | link' >"$scratch/unexpected"
expect 1 --expectations "$scratch/unexpected" --clause 'DQ-*'
grep -q '^unexpected-pass: dq.insert.tail' "$scratch/out"
echo 'no.such.case | not-provided | stale' >"$scratch/stale"
expect 1 --expectations "$scratch/stale" --clause 'DQ-*'
grep -q '^stale expectation' "$scratch/out"

expect 2 --no-such-option
expect 2 --implementation
expect 2 --clause 'NOTHING-*'
expect 2 --host mars
expect 2 --expectations "$scratch/none"
expect 3 --implementation "$scratch/none.so"
grep -q 'none.so' "$scratch/out"
