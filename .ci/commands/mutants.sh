# shellcheck shell=bash
# ./cancelsafe mutants: builds the targets that attack, and hands over to
# cancelsafe-mutants, which has the help. Sourced by ./cancelsafe.

run_mutants() {
  local argument attacks=true
  for argument in "$@"; do
    if [[ $argument == --help || $argument == --list ]]; then attacks=false; fi
  done
  need_packages "${BUILD_PACKAGES[@]}" patch
  if $attacks; then
    local flavour
    for flavour in tsan asan; do
      build "$flavour" csq_fuzzer callback_data_queue_fuzzer device_queue_fuzzer start_io_fuzzer \
        cancelsafe-replay
    done
  fi
  run_tool mutants "$@"
}
