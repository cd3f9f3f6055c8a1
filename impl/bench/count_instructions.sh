#!/usr/bin/env bash
# Counts, with valgrind's callgrind, the instructions that each hot path executes per
# operation, and compares them with the committed table, or writes it anew.
set -euo pipefail

# A repetition differs by nothing, so this is room for the linker's choices alone.
readonly BOUND_PERCENT=2
# Another compiler may choose other instructions; only something gross shows then.
readonly BOUND_PERCENT_OTHER_COMPILER=15
readonly ROUNDS=1000

usage() {
  echo "usage: count_instructions.sh check|record PROGRAM TABLE" >&2
  exit 2
}

[[ $# -eq 3 && $1 =~ ^(check|record)$ ]] || usage
readonly MODE=$1 PROGRAM=$2 TABLE=$3

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# instructions PATH: per operation, with one decimal.
instructions() {
  valgrind --tool=callgrind --toggle-collect=CountedPath --callgrind-out-file="$scratch/out" \
    "$PROGRAM" "$1" >"$scratch/log" 2>&1 || {
    cat "$scratch/log" >&2
    return 1
  }
  awk -v rounds=$ROUNDS '/^(totals|summary):/ { printf "%.1f\n", $2 / rounds; exit }' "$scratch/out"
}

"$PROGRAM" >"$scratch/names"
compiler=$(head -n 1 "$scratch/names")
: >"$scratch/table"
while read -r path; do
  count=$(instructions "$path")
  printf '%-34s %8s\n' "$path" "$count" >>"$scratch/table"
done < <(tail -n +2 "$scratch/names")

if [[ $MODE == record ]]; then
  {
    echo "# Instructions per operation (an insertion and the removal, or the cancel, of it),"
    echo "# counted by callgrind. Written by ./cancelsafe bench --record-instructions."
    echo "# compiler: $compiler"
    cat "$scratch/table"
  } >"$TABLE"
  cat "$TABLE"
  exit 0
fi

bound=$BOUND_PERCENT
recorded=$(sed -n 's/^# compiler: //p' "$TABLE")
if [[ $recorded != "$compiler" ]]; then
  bound=$BOUND_PERCENT_OTHER_COMPILER
  echo "The table was recorded with another compiler, so the bound is $bound % instead of" \
    "$BOUND_PERCENT %."
  echo "  recorded: $recorded"
  echo "  here:     $compiler"
fi
status=0
awk -v bound="$bound" '
  /^#/ { next }
  FNR == NR { expected[$1] = $2; next }
  !($1 in expected) { printf "%-34s %8s   not in the table\n", $1, $2; failed = 1; next }
  {
    change = 100 * ($2 / expected[$1] - 1)
    outside = change > bound || change < -bound
    printf "%-34s %8s   recorded %8s  %+5.1f %%%s\n", $1, $2, expected[$1], change,
      outside ? (change > 0 ? "   WORSE" : "   better: record it") : ""
    if (outside) failed = 1
    delete expected[$1]
  }
  END {
    for (path in expected) { printf "%-34s in the table only\n", path; failed = 1 }
    exit failed
  }' "$TABLE" "$scratch/table" || status=1
if [[ $status -ne 0 ]]; then
  echo "If this is meant: ./cancelsafe bench --record-instructions, and commit the table."
fi
exit $status
