# shellcheck shell=bash
# What ./cancelsafe itself promises: exit statuses and messages. Sourced by
# ./cancelsafe test when everything is built.

# expect NAME STATUS TEXT COMMAND...: the exit status, and a text in the output.
expect() {
  local name=$1 wanted=$2 text=$3 log=build/front_door.log status=0
  shift 3
  timeout -k 5 120 "$@" >"$log" 2>&1 </dev/null || status=$?
  local missed=1
  if [[ $status -eq $wanted ]] && grep -aqF -- "$text" "$log"; then missed=0; fi
  echo "(exit status $status; wanted $wanted and '$text')" >>"$log"
  outcome "front door: $name" $missed "$log"
}

expect 'no subcommand' 2 'usage: ./cancelsafe' ./cancelsafe
expect 'help' 0 'usage: ./cancelsafe' ./cancelsafe help
expect 'unknown subcommand' 2 "no subcommand 'fuz'" ./cancelsafe fuz
for subcommand in fuzz test replay; do
  expect "help of $subcommand" 0 "usage: ./cancelsafe $subcommand" ./cancelsafe $subcommand --help
done
expect 'unknown target' 2 'the targets are csq' ./cancelsafe fuzz cqs
expect 'bad number' 2 'is no whole number' ./cancelsafe fuzz --seconds 1x
expect 'unknown sanitizer' 2 'there are thread, address and none' ./cancelsafe fuzz --sanitizer x
expect 'missing implementation' 2 'cannot read' ./cancelsafe fuzz --implementation /no/such.so
expect 'replay of nothing' 2 'no file named' ./cancelsafe replay
expect 'replay of no file' 2 '/no/such' ./cancelsafe replay /no/such
corpus_files csq
if [[ ${#CORPUS_FILES[@]} -gt 0 ]]; then
  seed=${CORPUS_FILES[0]}
  expect 'replay of a seed' 0 'VERDICT pass' ./cancelsafe replay "$seed"
  expect 'replay from another folder' 0 'VERDICT pass' \
    env -C "$(dirname "$seed")" "$ROOT/cancelsafe" replay "$(basename "$seed")"
fi
expect 'a campaign finds the canary' 1 'VERDICT ' \
  ./cancelsafe fuzz --seconds 2 --sanitizer address --work build/front_door canary
expect 'an implementation that fails seeds' 1 'Why: ' \
  ./cancelsafe fuzz --seconds 2 --sanitizer address --work build/front_door \
  --implementation build/asan/fuzzers/tools/spoilt_skipped_key.so device_queue
expect 'a clean campaign' 0 'No findings.' \
  ./cancelsafe fuzz --seconds 2 --sanitizer address --work build/front_door_clean device_queue

# A real finding, of an implementation with a known bug, is explained in full.
readonly SPOILT=build/asan/fuzzers/tools/spoilt_ignored_cancel.so
rm -rf build/front_door_findings build/front_door_explained
mkdir -p build/front_door_findings
expect 'a target finds the bug of another implementation' 77 'VERDICT ' \
  build/asan/fuzzers/targets/csq_fuzzer -seed=1 "-runs=$SMOKE_RUNS" \
  -artifact_prefix=build/front_door_findings/ --implementation=$SPOILT --artifacts=build/front_door_findings
expect 'findings are explained' 0 'in build/front_door_explained' \
  .ci/explain_findings.sh build/front_door_findings build/front_door_explained
for file in input.bin input.txt minimized.txt page.html report.txt command.txt; do
  expect "a finding has its $file" 0 "$file" \
    find build/front_door_explained -path "*/csq-*/$file" -size +0
done
expect 'the summary shows the command' 0 './cancelsafe replay' \
  cat build/front_door_explained/summary.md
expect 'explanation of no folder' 2 'usage:' .ci/explain_findings.sh /no/such

# Where it cannot save a failure itself, a target still tells it, and leaves the input to
# the engine. Root may write anywhere, so nobody tries.
folder=$(mktemp -d "${TMPDIR:-/tmp}/front_door.XXXXXX")
chmod 755 "$folder"
mkdir -m 777 "$folder/engine"
cp build/asan/fuzzers/targets/canary_fuzzer "$folder/"
as_nobody=()
if [[ $(id -u) -eq 0 ]]; then as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups); fi
chmod 555 "$folder"
expect 'a target in a read-only folder says what is wrong' 77 'cancelsafe: cannot create ./' \
  env -i -C "$folder" "${as_nobody[@]}" ./canary_fuzzer -seed=1 "-runs=$CANARY_RUNS" \
  "-artifact_prefix=$folder/engine/"
expect 'the engine keeps the input' 0 'crash-' ls "$folder/engine"
chmod 755 "$folder"
rm -rf "$folder"

# The corpus that the campaigns above grew, and grew again after an interruption.
expect 'a corpus is pruned' 0 'kept' .ci/prune_corpus.sh build/front_door_clean
expect 'a campaign goes on with a pruned corpus' 0 'No findings.' \
  ./cancelsafe fuzz --seconds 2 --sanitizer address --work build/front_door_clean device_queue
expect 'pruning of no corpus' 3 'there is no' .ci/prune_corpus.sh /no/such
expect 'a release is packed and works elsewhere' 0 'linux-x86_64.tar.gz' \
  .ci/release.sh --build build/dev --output build/front_door_release
expect 'a release with a wrong tag' 2 'the tag is v0.0.0' .ci/release.sh --tag v0.0.0
