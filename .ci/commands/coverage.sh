# shellcheck shell=bash
# ./cancelsafe coverage: see the help below. Sourced by ./cancelsafe.

readonly COVERAGE_BUILD=build/coverage
# At least this much of the implementation, in percent, is run by the corpus.
readonly COVERAGE_LINES=95 COVERAGE_BRANCHES=90

coverage_help() {
  cat <<EOF
usage: ./cancelsafe coverage [flags]

Runs the corpus, and nothing else, and says what of the implementation, the oracle and
the harness that covers: a summary, the uncovered lines of the implementation with the
reasons that impl/uncovered.txt gives, pages of source, and for each family a table of
the situations (state of the queue, operation) that are reached.

  --html DIR        where the pages go ($COVERAGE_BUILD/html)
  --all             name every situation that is possible and not reached
  --no-install      do not install packages

Exit status: 0 if at least $COVERAGE_LINES % of the implementation's lines and $COVERAGE_BRANCHES % of its
branches are covered and each uncovered line has its reason, 1 if not, 2 wrong usage,
3 set-up failed.
EOF
}

# coverage_profile: runs the corpus, and leaves corpus.profdata.
coverage_profile() {
  local target log=$COVERAGE_BUILD/run.log
  rm -rf "$COVERAGE_BUILD/profiles"
  mkdir -p "$COVERAGE_BUILD/profiles"
  : >"$log"
  for target in "${FUZZ_TARGETS[@]}"; do
    LLVM_PROFILE_FILE=$ROOT/$COVERAGE_BUILD/profiles/$target.profraw \
      "$(tool_path coverage corpus)" matrix "${target//_/-}" --programs 0 >>"$log" 2>&1 ||
      setup_error "the corpus of $target could not be run; see $log"
  done
  "$LLVM/bin/llvm-profdata" merge -sparse -o "$COVERAGE_BUILD/corpus.profdata" \
    "$COVERAGE_BUILD"/profiles/*.profraw || setup_error 'llvm-profdata failed'
}

# coverage_sources ROOM: its sources, without tests. The machine room's guards, which
# only wrong drivers and wrong queues set off, are no part of the implementation that
# is under test; nor is the checker of invariants.
coverage_sources() {
  local folders=() file
  case $1 in
    implementation) folders=(impl) ;;
    'machine room') folders=(impl/kernel) ;;
    oracle) folders=(oracle) ;;
    harness) folders=(fuzzers/program fuzzers/schedule fuzzers/run) ;;
  esac
  find "${folders[@]}" -maxdepth 1 \( -name '*.cc' -o -name '*.h' \) | sort |
    while read -r file; do
      case $file in
        *_test.cc | *_test_util.h | *_testing.h | *_benchmark.cc | */history_builder.*) ;;
        impl/implementation.* | impl/device_queue_check.*) ;;
        *) echo "$file" ;;
      esac
    done
}

# coverage_cov COMMAND ROOM FLAG...: llvm-cov on the sources of a room.
coverage_cov() {
  local command=$1 room=$2 sources
  shift 2
  mapfile -t sources < <(coverage_sources "$room")
  "$LLVM/bin/llvm-cov" "$command" "$(tool_path coverage corpus)" \
    -instr-profile="$COVERAGE_BUILD/corpus.profdata" "$@" -sources "${sources[@]}"
}

# coverage_totals ROOM: "lines branches", the covered percentages, without the sign.
coverage_totals() {
  coverage_cov report "$1" | awk '$1 == "TOTAL" { gsub("%", ""); print $10, $13 }'
}

# coverage_uncovered: "FILE | first line" of each block of lines of the implementation
# that was not run.
coverage_uncovered() {
  local file
  coverage_sources implementation | while read -r file; do
    "$LLVM/bin/llvm-cov" show "$(tool_path coverage corpus)" \
      -instr-profile="$COVERAGE_BUILD/corpus.profdata" -sources "$file" |
      awk -F'|' -v file="$file" '
        $2 ~ /^ *0$/ {
          if (previous != $1 - 1) {
            text = substr($0, length($1) + length($2) + 3)
            sub(/^ */, "", text)
            print file " | " text
          }
          previous = $1
        }'
  done
}

# coverage_explain: the uncovered blocks with their reasons; false unless each block has
# one and each reason its block.
coverage_explain() {
  local block reasons=impl/uncovered.txt line status=0 blocks
  blocks=$(coverage_uncovered)
  while IFS= read -r block; do
    [[ -n $block ]] || continue
    line=$(grep -F "$block | " "$reasons" || true)
    if [[ -n $line ]]; then
      echo "  not run: $line"
    else
      echo "  not run, and $reasons has no reason: $block"
      status=1
    fi
  done <<<"$blocks"
  while IFS= read -r line; do
    block=${line% | *}
    if ! grep -qxF "$block" <<<"$blocks"; then
      echo "  $reasons: is covered, or not there any more: $block"
      status=1
    fi
  done < <(grep -v '^#' "$reasons")
  return $status
}

# coverage_pages DIR ROOM...: the pages of source of each room.
coverage_pages() {
  local directory=$1 room
  shift
  for room in "$@"; do
    coverage_cov show "$room" -format=html -show-branches=count \
      -output-dir="$directory/${room// /_}" >/dev/null || setup_error 'llvm-cov failed'
  done
}

run_coverage() {
  local html=$COVERAGE_BUILD/html all=() rooms=(implementation 'machine room' oracle harness)
  local room totals lines branches target status=0
  while [[ $# -gt 0 ]]; do
    case $1 in
      --help)
        coverage_help
        exit 0
        ;;
      --all) all=(--all) ;;
      --html)
        [[ $# -gt 1 ]] || usage_error 'coverage: --html needs a value; see ./cancelsafe coverage --help'
        html=$(from_caller "$2")
        shift
        ;;
      *) usage_error "coverage: unknown argument '$1'; see ./cancelsafe coverage --help" ;;
    esac
    shift
  done
  # shellcheck source=.ci/commands/fuzz.sh
  source .ci/commands/fuzz.sh
  need_packages "${BUILD_PACKAGES[@]}"
  build coverage cancelsafe-corpus
  build dev cancelsafe-corpus
  coverage_profile

  printf '%-16s %8s %10s\n' '' 'lines' 'branches'
  for room in "${rooms[@]}"; do
    totals=$(coverage_totals "$room")
    printf '%-16s %7s%% %9s%%\n' "$room" "${totals% *}" "${totals#* }"
    if [[ $room == implementation ]]; then lines=${totals% *} branches=${totals#* }; fi
  done
  coverage_explain || status=1
  if [[ ${lines%.*} -lt $COVERAGE_LINES || ${branches%.*} -lt $COVERAGE_BRANCHES ]]; then
    echo "  too little: the implementation wants $COVERAGE_LINES % of lines and $COVERAGE_BRANCHES % of branches"
    status=1
  fi
  coverage_pages "$html" "${rooms[@]}"
  echo "pages: $html/implementation/index.html and the rooms beside it"
  for target in "${FUZZ_TARGETS[@]}"; do
    echo
    echo "Situations of $target, reached/possible:"
    "$(tool_path dev corpus)" matrix "${target//_/-}" "${all[@]}" || status=1
  done
  exit $status
}
