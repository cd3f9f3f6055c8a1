#!/usr/bin/env bash
# What a person needs of each finding of a campaign, in one folder that CI keeps. See
# the help below.
set -euo pipefail
CALLER_DIR=$PWD
ROOT=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)

help() {
  cat <<'EOF'
usage: .ci/explain_findings.sh FINDINGS [OUT]

FINDINGS is the folder that ./cancelsafe fuzz saves failures in (build/campaign/findings).
For each of them a folder in OUT (build/explained) gets

  input.bin      the input as engines have it
  input.txt      the same as text, as it was saved
  minimized.txt  the smallest program that fails in the same way
  page.html      its run as a picture
  report.txt     its run step by step, with what was allowed
  command.txt    the command that shows it again

and OUT/summary.md gets them all in one page. What cannot be made is named there: of the
input and the command at least there is a copy.

Exit status: 0 all is explained, 1 some is missing, 2 wrong usage.
EOF
}

if [[ ${1:-} == --help ]]; then
  help
  exit 0
fi
if [[ $# -lt 1 || $# -gt 2 || ! -d $1 ]]; then
  help >&2
  exit 2
fi
findings=$(realpath "$1")
out=$(realpath -m "${2:-$ROOT/build/explained}")
mkdir -p "$out"
cd "$ROOT"

incomplete=0
# missing WHAT LOG
missing() {
  incomplete=1
  { echo; echo "No $1: \`$(tail -n 1 "$2" | tr -d '`' | cut -c1-300)\`"; } >>"$out/summary.md"
}

# cancelsafe LOG STATUS ARGUMENT...: whether it ended with that exit status.
cancelsafe() {
  local log=$1 wanted=$2 status=0
  shift 2
  timeout -k 5 300 ./cancelsafe "$@" >"$log" 2>&1 </dev/null || status=$?
  [[ $status -eq $wanted ]]
}

# quote FILE: as Markdown shows it unchanged, without comments.
quote() { (echo && grep -v '^#' "$1" | sed 's/^/    /'); }

# The flags of the saved command: all between its first words and the path.
flags_of() {
  sed -n 's|^# replay: \./cancelsafe replay \(.*\)[^ ]*$|\1|p' "$1" | head -n 1 |
    awk '{ for (i = 1; i < NF; ++i) printf "%s ", $i }'
}

explain() {
  local file=$1 name folder verdict flags=() log shown
  name=$(basename "$file" .txt)
  folder=$out/$name
  mkdir -p "$folder"
  log=$folder/report.txt
  shown=$folder/minimized.txt
  cp "$file" "$folder/input.txt"
  verdict=$(sed -n 's/^# \(VERDICT .*\)/\1/p' "$file" | head -n 1)
  read -r -a flags <<<"$(flags_of "$file")"
  echo "./cancelsafe replay ${flags[*]} minimized.txt" >"$folder/command.txt"
  {
    printf '\n## %s\n\n%s\n' "$name" "${verdict:-no verdict}"
    quote "$folder/command.txt"
  } >>"$out/summary.md"
  cancelsafe "$log" 0 corpus convert "$(sed -n 's/^target //p' "$file" | head -n 1)" \
    "$folder/input.txt" --bytes --output "$folder/input.bin" || missing input.bin "$log"
  if ! cancelsafe "$log" 1 replay "${flags[@]}" --minimize "$folder/minimized.txt" \
    "$folder/input.txt" || [[ ! -s $folder/minimized.txt ]]; then
    missing minimized.txt "$log"
    sed -i 's/minimized.txt/input.txt/' "$folder/command.txt"
    shown=$folder/input.txt
  fi
  cancelsafe "$log" 1 replay "${flags[@]}" --html "$folder/page.html" "$shown" ||
    missing 'failure when it is replayed' "$log"
  [[ -s $folder/page.html ]] || missing page.html "$log"
  quote "$shown" >>"$out/summary.md"
}

shopt -s nullglob
files=("$findings"/*.txt)
echo "# Findings: ${#files[@]}" >"$out/summary.md"
for file in "${files[@]}"; do explain "$file"; done
echo "Findings: ${#files[@]}, in ${out/#"$CALLER_DIR/"/}"
exit $incomplete
