# shellcheck shell=bash
# ./cancelsafe mutants: builds the targets that attack, and hands over to
# cancelsafe-mutants, which has the help. Sourced by ./cancelsafe.

# The arguments with paths made good for ROOT, in ARGUMENTS.
localize_mutants_arguments() {
  ARGUMENTS=()
  local flag
  while [[ $# -gt 0 ]]; do
    case $1 in
      --json | --markdown | --work | --build | --patches)
        ARGUMENTS+=("$1")
        shift
        if [[ $# -gt 0 ]]; then ARGUMENTS+=("$(from_caller "$1")"); fi
        ;;
      --json=* | --markdown=* | --work=* | --build=* | --patches=*)
        flag=${1%%=*}
        ARGUMENTS+=("$flag=$(from_caller "${1#*=}")")
        ;;
      *) ARGUMENTS+=("$1") ;;
    esac
    [[ $# -gt 0 ]] && shift
  done
}

run_mutants() {
  local argument attacks=true flavour
  for argument in "$@"; do
    if [[ $argument == --help || $argument == --list ]]; then attacks=false; fi
  done
  localize_mutants_arguments "$@"
  need_packages "${BUILD_PACKAGES[@]}" patch
  build dev cancelsafe-mutants
  if $attacks; then
    for flavour in tsan asan; do
      build "$flavour" csq_fuzzer callback_data_queue_fuzzer device_queue_fuzzer start_io_fuzzer \
        cancelsafe-replay
    done
  fi
  exec "$(tool_path dev mutants)" "${ARGUMENTS[@]}"
}
