#!/usr/bin/env bash
# Keeps the corpus that campaigns grow as small as it can be without losing anything
# that it covers. See the help below.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
# shellcheck disable=SC2034  # what the front door would have set, for setup.sh
ROOT=$PWD CALLER_DIR=$PWD
# shellcheck source=.ci/setup.sh
source .ci/setup.sh

help() {
  cat <<'EOF'
usage: .ci/prune_corpus.sh [WORK]

For each target that WORK (the work folder of ./cancelsafe fuzz, build/campaign) has a corpus of:
merges it into a new folder, smallest inputs first, and puts that in the place of the old
one. An interruption leaves the old one. Whichever engine grew it, libFuzzer's target with
AddressSanitizer does the merging, and is built if need be.

Exit status: 0 done, 1 a merge failed (that corpus is as it was), 2 wrong usage, 3 set-up
failed.
EOF
}

if [[ ${1:-} == --help ]]; then
  help
  exit 0
fi
if [[ $# -gt 1 ]]; then
  help >&2
  exit 2
fi
work=${1:-build/campaign}
if [[ ! -d $work/corpus ]]; then
  echo "prune_corpus: there is no $work/corpus" >&2
  exit 3
fi
# No campaign may run there meanwhile.
exec 9>>"$work/lock"
if ! flock --nonblock 9; then
  echo "prune_corpus: a campaign is running in $work" >&2
  exit 3
fi

count() { find "$1" -maxdepth 1 -type f | wc -l; }

# What an interruption between the two renames below left.
shopt -s nullglob
for folder in "$work"/corpus/*.old; do
  if [[ ! -d ${folder%.old} ]]; then mv "$folder" "${folder%.old}"; fi
done
failed=0
for folder in "$work"/corpus/*/; do
  folder=${folder%/}
  target=${folder##*/}
  binary=build/asan/fuzzers/targets/${target}_fuzzer
  case $folder in *.merging | *.old) continue ;; esac
  build asan "${target}_fuzzer"
  rm -rf "$folder.merging"
  mkdir "$folder.merging"
  if ! timeout -k 5 3600 "$binary" -merge=1 -max_len=4096 -timeout=10 \
    "-artifact_prefix=$folder.merging/" --artifacts="$work" "$folder.merging" "$folder" \
    >"$work/prune-$target.log" 2>&1 9>&-; then
    echo "prune_corpus: $target: the merge failed; see $work/prune-$target.log" >&2
    failed=1
    continue
  fi
  before=$(count "$folder")
  after=$(count "$folder.merging")
  if [[ $before -gt 0 && $after -eq 0 ]]; then
    echo "prune_corpus: $target: the merge left nothing; the corpus stays" >&2
    failed=1
    continue
  fi
  rm -rf "$folder.old"
  mv "$folder" "$folder.old"
  mv "$folder.merging" "$folder"
  rm -rf "$folder.old"
  echo "$target: $before files, $after kept"
done
exit $failed
