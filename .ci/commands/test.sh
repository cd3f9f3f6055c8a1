# shellcheck shell=bash
# ./cancelsafe test: see the help below. Sourced by ./cancelsafe.

readonly STYLE_PACKAGES=(clang-format-19 clang-tidy-19 shellcheck yamllint)
# For the builds that fleets make, and their checks.
# The sanitizers and profile tools of the compiler that comes with AFL++ do not come with it.
readonly CONTRACT_PACKAGES=(libclang-rt-14-dev llvm-14 binutils zip unzip)
# For the tests of impl/bench: instruction counts, and the arithmetic of the ratios.
readonly BENCH_PACKAGES=(valgrind libbenchmark-dev)
readonly TEST_FLAVOURS=(dev asan tsan)
readonly SMOKE_RUNS=20000
# The canary is met within some dozens of runs.
readonly CANARY_RUNS=5000
# All files take about twice that on two cores when nothing has been checked before;
# what was checked and has not changed is not checked again.
readonly TIDY_SECONDS=${CANCELSAFE_TIDY_SECONDS:-180}

TESTS_PASSED=0
TESTS_FAILED=0
FAILURES=()
PART_TIMES=()

test_help() {
  cat <<'EOF'
usage: ./cancelsafe test [--no-install]

Builds everything without sanitizer, with AddressSanitizer and with ThreadSanitizer, and
runs all tests there; checks the style of all sources; replays the corpus and makes some
runs of every fuzz target under each sanitizer; lets the canary target fail; attacks a
known bug of each class; measures what the corpus covers; builds and checks the fuzz
targets as ClusterFuzzLite and OSS-Fuzz do; and validates the workflows. The last line is
"N passed, N failed".

Exit status: 0 all passed, 1 something failed, 2 wrong usage, 3 set-up failed.
EOF
}

# part TITLE COMMAND...: runs one part and notes its time.
part() {
  local title=$1 begin=$SECONDS
  shift
  echo "== $title"
  "$@"
  PART_TIMES+=("$(printf '%5d s  %s' $((SECONDS - begin)) "$title")")
}

# outcome NAME STATUS [LOG]: counts one test; a failed one shows the end of its log.
outcome() {
  if [[ $2 -eq 0 ]]; then
    TESTS_PASSED=$((TESTS_PASSED + 1))
    return
  fi
  TESTS_FAILED=$((TESTS_FAILED + 1))
  FAILURES+=("$1")
  echo "FAILED: $1"
  if [[ -n ${3:-} && -s $3 ]]; then tail -n 30 "$3" | sed 's/^/    /'; fi
}

# logged NAME LOG COMMAND...: one test that is a command.
logged() {
  local name=$1 log=$2 status=0
  "${@:3}" >"$log" 2>&1 || status=$?
  outcome "$name" $status "$log"
}

test_build() {
  local flavour=$1 status=0
  try_build "$flavour" || status=$?
  if [[ $status -ne 0 ]]; then grep -aE 'error:|FAILED:' "build/$flavour/build.log" | head -n 20; fi
  outcome "build of $flavour" $status "build/$flavour/build.log"
}

# count_attribute FILE NAME: the number in NAME="..." of the first test suite.
count_attribute() {
  sed -n "s/.*[[:space:]]$2=\"\([0-9]*\)\".*/\1/p" "$1" | head -n 1
}

test_ctest() {
  local flavour=$1 log=build/$1/ctest.log junit=build/$1/ctest.xml status=0
  rm -f "$junit"
  ctest --test-dir "build/$flavour" -j"$CMAKE_BUILD_PARALLEL_LEVEL" --output-on-failure \
    --output-junit "$ROOT/$junit" >"$log" 2>&1 || status=$?
  if [[ ! -s $junit ]]; then
    outcome "ctest of $flavour gave no report" 1 "$log"
    return
  fi
  # The attributes of the suite stand on lines of their own.
  local tests failures disabled skipped
  tests=$(count_attribute "$junit" tests)
  failures=$(count_attribute "$junit" failures)
  disabled=$(count_attribute "$junit" disabled)
  skipped=$(count_attribute "$junit" skipped)
  TESTS_PASSED=$((TESTS_PASSED + tests - failures - disabled - skipped))
  TESTS_FAILED=$((TESTS_FAILED + failures))
  echo "   $flavour: $tests tests, $failures failed, $((disabled + skipped)) skipped"
  if [[ $failures -ne 0 ]]; then
    FAILURES+=("ctest in build/$flavour: $failures tests")
    sed -n '/The following tests FAILED/,$p' "$log"
    grep -aE -B5 -A20 '^\S+: Failure|: Failure$|ERROR: |VERDICT ' "$log" | head -n 100
  elif [[ $status -ne 0 ]]; then
    outcome "ctest of $flavour: exit status $status" 1 "$log"
  fi
}

# all_sources PATTERN...: our files of these names.
all_sources() {
  local names=() pattern
  for pattern in "$@"; do names+=(-o -name "$pattern"); done
  find impl oracle fuzzers conformance -type f \( "${names[@]:1}" \) | sort
}

test_format() {
  local sources
  mapfile -t sources < <(all_sources '*.cc' '*.c' '*.h' '*.inc')
  logged 'clang-format (clang-format-19 -i FILE mends it)' build/format.log \
    clang-format-19 --dry-run -Werror "${sources[@]}"
}

test_shellcheck() {
  local log=build/shellcheck.log status=0
  find cancelsafe .ci conformance fuzzers -type f \
    \( -name '*.sh' -o -path cancelsafe -o -path .ci/run \) -print0 |
    xargs -0 shellcheck -x >"$log" 2>&1 || status=$?
  outcome shellcheck $status "$log"
}

# One file, for xargs. A pass is remembered by the contents of the file, of all
# headers and of the settings.
tidy_file() {
  local file=$1 key output
  key=$TIDY_DIR/$( (echo "$TIDY_BASE" && cat "$file") | sha256sum | cut -c1-32)
  [[ ! -e $key ]] || return 0
  if [[ $(date +%s) -ge $TIDY_END ]]; then
    echo "$file" >>"$TIDY_DIR/left-out"
  elif output=$(clang-tidy-19 --quiet -p build/dev "$file" 2>&1); then
    touch "$key"
  else
    printf '%s\n' "$output" | grep -vE 'warnings? (generated|treated)|^Suppressed|^Use -header' \
      >>"$TIDY_DIR/findings"
    echo "$file" >>"$TIDY_DIR/failed"
  fi
}

# The files that the build knows, those that differ from the last commit first. The
# others come in an order that every commit shuffles: should the time not suffice on a
# machine that remembers nothing, it is not always the same ones that are left out.
tidy_files() {
  local known commit file
  known=$(sed -n "s|^ *\"file\": \"$ROOT/\(.*\.cc\)\".*|\1|p" build/dev/compile_commands.json |
    grep -v '^build/' | sort -u)
  commit=$(git rev-parse HEAD 2>/dev/null || true)
  {
    git diff --name-only HEAD 2>/dev/null | grep -Fx "$known" || true
    for file in $known; do echo "$(cksum <<<"$commit$file") $file"; done | sort -n | cut -d' ' -f3
  } | awk '!seen[$0]++'
}

test_tidy() {
  # CI machines are small and start from nothing: the builds and the tests come first.
  if [[ ${CI:-} == true && -z ${CANCELSAFE_TIDY_SECONDS:-} ]]; then
    echo "   clang-tidy: left out in CI; CANCELSAFE_TIDY_SECONDS=N gives it N seconds"
    return
  fi
  export TIDY_DIR=$ROOT/build/tidy TIDY_BASE TIDY_END
  TIDY_END=$(($(date +%s) + TIDY_SECONDS))
  mkdir -p "$TIDY_DIR"
  rm -f "$TIDY_DIR"/{left-out,findings,failed}
  TIDY_BASE=$({ cat .clang-tidy && all_sources '*.h' '*.inc' | xargs cat; } | sha256sum)
  export -f tidy_file
  # shellcheck disable=SC2016  # expanded by the inner shell
  tidy_files | xargs -P "$CMAKE_BUILD_PARALLEL_LEVEL" -n 1 bash -c 'tidy_file "$0"'
  local left_out=0 failed=0
  if [[ -s $TIDY_DIR/left-out ]]; then left_out=$(wc -l <"$TIDY_DIR/left-out"); fi
  if [[ -s $TIDY_DIR/failed ]]; then failed=$(wc -l <"$TIDY_DIR/failed"); fi
  if [[ $left_out -ne 0 ]]; then
    echo "   clang-tidy: $left_out files left for the next time, after $TIDY_SECONDS s"
  fi
  if [[ $failed -ne 0 ]]; then
    grep -aE 'error:' "$TIDY_DIR/findings" | sed "s|$ROOT/||; s/^/    /" | sort -u | head -n 40
  fi
  outcome "clang-tidy ($failed files)" $((failed != 0))
}

test_corpus() {
  local flavour=$1 target
  for target in "${FUZZ_TARGETS[@]}"; do
    logged "corpus of $target in build/$flavour" "build/$flavour/corpus-$target.log" \
      replay_corpus "$flavour" "$target"
  done
}

# smoke_run FLAVOUR TARGET RUNS: a fixed seed and no corpus.
smoke_run() {
  local flavour=$1 target=$2 runs=$3
  mkdir -p "build/$flavour/smoke"
  timeout -k 5 300 "build/$flavour/fuzzers/targets/${target}_fuzzer" -runs="$runs" -seed=1 \
    -max_len=1200 -timeout=10 -artifact_prefix="build/$flavour/smoke/$target-" \
    --artifacts="build/$flavour/smoke" >"build/$flavour/smoke/$target.log" 2>&1
}

test_smoke() {
  local flavour=$1 target status
  for target in "${FUZZ_TARGETS[@]}"; do
    status=0
    smoke_run "$flavour" "$target" $SMOKE_RUNS || status=$?
    if [[ $status -ne 0 ]]; then grep -a '^VERDICT' "build/$flavour/smoke/$target.log" || true; fi
    outcome "$SMOKE_RUNS runs of ${target}_fuzzer in build/$flavour" $status \
      "build/$flavour/smoke/$target.log"
  done
}

test_canary() {
  local flavour=$1 log=build/$1/smoke/canary.log status=1
  if ! smoke_run "$flavour" canary $CANARY_RUNS && grep -aq '^VERDICT ' "$log"; then status=0; fi
  outcome "canary in build/$flavour: its bug must be found in $CANARY_RUNS runs" $status "$log"
}

# One known bug of every class must be caught, by the right kind of verdict and with a
# file that replays; the implementation as it is must come out clean.
test_mutants() {
  local log=build/mutants-subset.log
  logged 'mutants, one of each class' "$log" \
    "$(tool_path dev mutants)" --subset ci --work build/mutants-subset
  sed -n 's/.*mutants caught$/   &/p' "$log"
}

# What the corpus covers, with a reason for each line that it does not.
test_coverage() {
  logged 'coverage of the corpus' build/coverage.log ./cancelsafe coverage
  sed -n '/ lines /,/^harness/p' build/coverage.log
}

# Exit status 4 of a script: it could not do its work, and has said so.
outcome_or_unchecked() {
  if [[ $2 -ne 4 ]]; then
    outcome "$1" "$2" "$3"
  else
    echo "   NOT CHECKED: $1"
    sed 's/^/   /' "$3"
  fi
}

test_workflows() {
  local log=build/workflows.log status=0
  .ci/check_workflows.sh >"$log" 2>&1 || status=$?
  outcome_or_unchecked 'workflows' $status "$log"
  status=0
  .ci/check_workflows_test.sh >"$log" 2>&1 || status=$?
  outcome_or_unchecked 'the check of workflows finds what is wrong' $status "$log"
}

test_afl() {
  # shellcheck source=.ci/afl_test.sh
  source .ci/afl_test.sh
}

test_front_door() {
  # shellcheck source=.ci/front_door_test.sh
  source .ci/front_door_test.sh
}

run_test() {
  case $* in
    '') ;;
    --help)
      test_help
      exit 0
      ;;
    *) usage_error "test: unknown argument '$1'; see ./cancelsafe test --help" ;;
  esac
  # shellcheck source=.ci/commands/fuzz.sh
  source .ci/commands/fuzz.sh
  need_packages "${BUILD_PACKAGES[@]}" "${AFL_PACKAGES[@]}" "${BENCH_PACKAGES[@]}" \
    "${STYLE_PACKAGES[@]}" "${WINE_PACKAGES[@]}" "${CONTRACT_PACKAGES[@]}" patch
  # From here on a failure is counted, and the rest goes on.
  set +e
  local flavour
  for flavour in "${TEST_FLAVOURS[@]}"; do
    part "build of $flavour" test_build "$flavour"
    part "tests of $flavour" test_ctest "$flavour"
    part "corpus in $flavour" test_corpus "$flavour"
    part "fuzzing in $flavour" test_smoke "$flavour"
    part "canary in $flavour" test_canary "$flavour"
  done
  part 'mutants' test_mutants
  part 'coverage' test_coverage
  part 'workflows' test_workflows
  part 'front door' test_front_door
  part 'AFL++' test_afl
  part 'shellcheck' test_shellcheck
  part 'clang-format' test_format
  part 'clang-tidy' test_tidy

  echo "== time of each part"
  printf '%s\n' "${PART_TIMES[@]}" "$(printf '%5d s  all' "$SECONDS")"
  if [[ $TESTS_FAILED -ne 0 ]]; then printf 'FAILED: %s\n' "${FAILURES[@]}"; fi
  echo "$TESTS_PASSED passed, $TESTS_FAILED failed"
  exit $((TESTS_FAILED != 0))
}
