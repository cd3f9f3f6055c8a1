# shellcheck shell=bash
# ./cancelsafe fuzz --engine afl: finds the canary, does the same thing each time, and
# finds inputs by our mutator. Sourced by ./cancelsafe test when everything is built.

afl_work=build/afl_test
rm -rf "$afl_work"
engine=afl engine_targets csq canary
status=0
try_build asan "${ENGINE_TARGETS[@]}" || status=$?
outcome 'build for AFL++' "$status" build/asan/build.log
expect 'unknown engine' 2 'there are libfuzzer and afl' ./cancelsafe fuzz --engine x
expect 'benchmark of AFL++' 2 'under libfuzzer alone' ./cancelsafe fuzz --engine afl --benchmark
expect 'a campaign of AFL++ finds the canary' 1 'VERDICT ' \
  ./cancelsafe fuzz --engine afl --seconds 10 --jobs 2 --sanitizer address --work "$afl_work" \
  csq canary
for target in csq canary; do
  instance=$afl_work/afl/$target/address-0
  expect "$target is stable under AFL++" 0 '100.00%' grep '^stability' "$instance/fuzzer_stats"
  expect "AFL++ mutates programs of $target" 0 'op:cancelsafe_afl_mutator' ls "$instance/queue"
done
for saved in "$afl_work"/findings/*-DQ-*; do
  expect 'what AFL++ found replays' 1 'VERDICT ' \
    ./cancelsafe replay --quiet --implementation canary "$saved"
done
