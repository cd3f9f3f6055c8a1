# shellcheck shell=bash
# ./cancelsafe replay: see the help below. Sourced by ./cancelsafe.

replay_help() {
  cat <<'EOF'
usage: ./cancelsafe replay [flags] FILE...

Runs saved programs (text, or bytes of any engine) again, says what is wrong with each
and how it came about.

  --sanitizer NAME          address, thread or none (address; thread if a file says that
                            it is a data race)
  --implementation FILE.so  run against this shared object, or against "canary", the
                            device queue with the bug that the canary target has
  --points all              every load and store is a preemption point
  --strict                  hold it to the built-in implementation's choices where the
                            documentation leaves some; otherwise all are accepted
                            from an --implementation
  --ignore RULE             leave out a rule or clause; may be repeated
  --target NAME             for bytes that do not say which target they are for
  --repeat N                run each program N times and compare the digests
  --until STEP              stop before this step of the schedule, for a debugger
  --minimize OUT            write the smallest program that still fails like this
  --date DATE               the date in its header (today)
  --test OUT.cc             write a GoogleTest of the steps and their interleaving
  --html OUT                write a page that shows the run
  --trace OUT.json          write the run in the Chrome trace format, for Perfetto
  --digest                  print the digest of each run
  --quiet                   print only what does not pass, and a summary
  --no-install              do not install packages

Exit status: 0 all passed, 1 a violation, 2 wrong usage, 3 set-up failed.
EOF
}

run_replay() {
  local sanitizer='' arguments=() argument
  while [[ $# -gt 0 ]]; do
    case $1 in
      --help)
        replay_help
        exit 0
        ;;
      --sanitizer)
        sanitizer=${2:-}
        shift
        ;;
      --sanitizer=*) sanitizer=${1#*=} ;;
      --minimize | --test | --html | --trace)
        # Files that do not exist yet: the caller means their own folder.
        arguments+=("$1")
        shift
        if [[ $# -gt 0 ]]; then arguments+=("$(from_caller "$1")"); fi
        ;;
      *) arguments+=("$1") ;;
    esac
    [[ $# -gt 0 ]] && shift
  done
  localize "${arguments[@]}"
  if [[ -z $sanitizer ]]; then
    sanitizer=address
    for argument in "${LOCALIZED[@]}"; do
      if [[ -f $argument ]] && head -n 20 "$argument" | grep -aq '^# VERDICT data-race'; then
        sanitizer=thread
      fi
    done
  fi
  local flavour
  flavour=$(flavour_of "$sanitizer") || exit "$EXIT_USAGE"
  [[ ${#arguments[@]} -gt 0 ]] || usage_error "replay: no file named; see ./cancelsafe replay --help"
  need_packages "${BUILD_PACKAGES[@]}"
  build "$flavour" cancelsafe-replay
  exec "$(tool_path "$flavour" replay)" "${LOCALIZED[@]}"
}
