#!/usr/bin/env bash
# Whether a folder of fuzz targets is what ClusterFuzzLite and OSS-Fuzz accept: the
# checks that they make of every build before they fuzz it (bad_build_check), and that
# the files beside a target are of use. See the help below.
set -euo pipefail
export LC_ALL=C

# What the engines' own check asks for: so many calls of the runtime of the sanitizer
# that a build claims, hardly any of another one's, and so many counted edges.
readonly ASAN_CALLS_MIN=1000 ASAN_CALLS_ELSEWHERE_MAX=50 UBSAN_CALLS_MIN=100 UBSAN_CALLS_ELSEWHERE_MAX=200
readonly EDGES_MIN=100
# Of the edges, in percent, so many are the same whenever an input is run again. (Those
# that differ are of the harness, where a container grows in one run and not in the next.)
readonly STABILITY_MIN=90
# What every machine that runs a target has.
readonly LIBRARIES_OF_C='^(libc|libm|libresolv|libdl|libpthread|librt)\.so\.[0-9]+$|^ld-linux-x86-64\.so\.2$'
readonly SECONDS_PER_RUN=${CHECK_FUZZ_BUILD_SECONDS:-60}
# As ClusterFuzz sets them, as far as they change what a target does.
readonly FLEET_ASAN_OPTIONS=alloc_dealloc_mismatch=0:allocator_may_return_null=1:detect_odr_violation=2:detect_leaks=1:detect_stack_use_after_return=0:handle_abort=2:handle_segv=2:handle_sigbus=2:handle_sigfpe=2:handle_sigill=2:quarantine_size_mb=10:strict_memcmp=1:use_sigaltstack=1:symbolize=0

help() {
  cat <<'EOF'
usage: .ci/check_fuzz_build.sh --engine libfuzzer|afl --sanitizer address|undefined|coverage DIR

Copies the fuzz targets of DIR (what build.sh puts into $OUT) to another folder, makes
that read-only, and checks there, without environment and without privileges, that each

  - is a program for this machine that needs the C library alone;
  - carries the instrumentation of its engine and sanitizer, and no other one's;
  - starts, makes the runs it is asked for, and ends cleanly;
  - ends cleanly on its seed corpus, which is not empty;
  - has a dictionary that the engine reads, and options that it knows.

The last line is "N targets, N bad". Exit status: 0 all are good, 1 some are bad, 2 wrong usage.
EOF
}

engine='' sanitizer='' out=''
while [[ $# -gt 0 ]]; do
  case $1 in
    --help)
      help
      exit 0
      ;;
    --engine | --sanitizer)
      printf -v "${1#--}" '%s' "${2:-}"
      shift
      ;;
    *) out=$1 ;;
  esac
  shift
done
if [[ ! $engine =~ ^(libfuzzer|afl)$ || ! $sanitizer =~ ^(address|undefined|coverage)$ ||
  ! -d $out ]]; then
  help >&2
  exit 2
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/check_fuzz_build.XXXXXX")
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
chmod 755 "$work"
readonly moved=$work/moved
mkdir "$moved"
cp -r "$out"/. "$moved"

# What a target writes, it writes here; nobody's, so that the read-only folder is
# read-only for root as well.
scratch=$work/scratch
mkdir -m 777 "$scratch"
as_nobody=()
if [[ $(id -u) -eq 0 ]]; then
  as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --)
fi

bad_of_target=0
bad() {
  bad_of_target=1
  echo "BAD BUILD: $target: $1"
  if [[ -n ${2:-} ]]; then tail -n 15 "$2" | sed 's/^/    /'; fi
}

# run LOG [NAME=VALUE...] COMMAND...: in the read-only folder, with nothing else set.
run() {
  local log=$1
  shift
  (cd "$moved" && env -i timeout -k 5 "$SECONDS_PER_RUN" "${as_nobody[@]}" env "$@") \
    >"$log" 2>&1 </dev/null
}

check_binary() {
  local library
  if ! readelf -h "$moved/$target" 2>/dev/null | grep 'Machine:.*X86-64' >/dev/null; then
    bad 'not an x86-64 program'
    return 1
  fi
  while read -r library; do
    [[ $library =~ $LIBRARIES_OF_C ]] || bad "needs $library, which other machines lack"
  done < <(readelf -d "$moved/$target" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
  if readelf -d "$moved/$target" | grep -E '\((RPATH|RUNPATH)\)' >/dev/null; then
    bad 'has a path of the building machine to look for libraries (RUNPATH)'
  fi
}

check_sanitizer() {
  local calls asan ubsan
  calls=$(objdump -d --no-show-raw-insn "$moved/$target" |
    grep -oE 'call[q]? .*<__(asan|ubsan)' | sed 's/.*<//' | sort | uniq -c)
  asan=$(awk '$2 == "__asan" { print $1 }' <<<"$calls")
  ubsan=$(awk '$2 == "__ubsan" { print $1 }' <<<"$calls")
  asan=${asan:-0} ubsan=${ubsan:-0}
  if [[ $sanitizer == address ]]; then
    [[ $asan -ge $ASAN_CALLS_MIN ]] ||
      bad "claims AddressSanitizer and calls it at $asan places; at least $ASAN_CALLS_MIN expected"
  elif [[ $asan -gt $ASAN_CALLS_ELSEWHERE_MAX ]]; then
    bad "claims $sanitizer and calls AddressSanitizer at $asan places"
  fi
  if [[ $sanitizer == undefined ]]; then
    [[ $ubsan -ge $UBSAN_CALLS_MIN ]] ||
      bad "claims UBSan and calls it at $ubsan places; at least $UBSAN_CALLS_MIN expected"
  elif [[ $ubsan -gt $UBSAN_CALLS_ELSEWHERE_MAX ]]; then
    bad "claims $sanitizer and calls UBSan at $ubsan places"
  fi
}

# Options are INI; those of the engine are tried as its flags.
check_options() {
  local file=$moved/$target.options line section=''
  options=()
  if [[ ! -s $file ]]; then
    bad 'has no options'
    return
  fi
  while IFS= read -r line; do
    if [[ $line =~ ^\[([a-z_]+)\]$ ]]; then
      section=${BASH_REMATCH[1]}
    elif [[ $line =~ ^([a-z_]+)\ =\ ([^ ].*)$ && -n $section ]]; then
      if [[ $section == libfuzzer ]]; then options+=("-${BASH_REMATCH[1]}=${BASH_REMATCH[2]}"); fi
    elif [[ -n $line && $line != \#* ]]; then
      bad "has options with this line: $line"
    fi
  done <"$file"
}

check_dictionary() {
  local file=$moved/$target.dict
  if [[ ! -s $file ]]; then
    bad 'has no dictionary'
  elif grep -qvE '^(#.*|[A-Za-z0-9_]*=?"([^"\\]|\\x[0-9A-F]{2}|\\\\|\\")+")?$' "$file"; then
    bad 'has a dictionary with lines that no engine reads'
    return
  elif ! grep -q '^[^#]' "$file"; then
    bad 'has an empty dictionary'
  fi
}

unpack_seeds() {
  local zip=$moved/${target}_seed_corpus.zip
  seeds=$work/seeds/$target
  mkdir -p "$seeds"
  if [[ ! -s $zip ]] || ! unzip -q -o -d "$seeds" "$zip" >/dev/null 2>&1; then
    bad 'has no seed corpus, or one that is no archive'
  elif [[ -z $(find "$seeds" -maxdepth 1 -type f -print -quit) ]]; then
    bad 'has a seed corpus without files'
  fi
  chmod -R a+rX "$work/seeds"
}

check_libfuzzer_runs() {
  local log=$work/start.log edges
  if ! run "$log" "./$target" -seed=1337 -runs=4 "${options[@]}"; then
    bad 'does not start and end cleanly in another, read-only folder without environment' "$log"
    return
  fi
  grep -q '^Done 4 runs' "$log" || bad 'does not make the runs that it is asked for' "$log"
  if grep -q 'unrecognized flag' "$log"; then bad 'has options that libFuzzer does not know' "$log"; fi
  # The coverage build counts for people, not for the engine.
  if [[ $sanitizer != coverage ]]; then
    edges=$(sed -n 's/^INFO: Loaded .*counters): *\([0-9]*\).*/\1/p' "$log" |
      awk '{ n += $1 } END { print n + 0 }')
    [[ $edges -ge $EDGES_MIN ]] ||
      bad "counts $edges edges; at least $EDGES_MIN expected: is all of it instrumented?"
  fi
}

check_libfuzzer_seeds() {
  local log=$work/seeds.log settings=()
  if [[ $sanitizer == address ]]; then settings=("ASAN_OPTIONS=$FLEET_ASAN_OPTIONS"); fi
  if [[ $sanitizer == coverage ]]; then settings=("LLVM_PROFILE_FILE=$scratch/$target.profraw"); fi
  run "$log" "${settings[@]}" "./$target" -seed=1337 -runs=0 -dict="$target.dict" \
    "-artifact_prefix=$scratch/" "${options[@]}" "$seeds" ||
    bad 'does not end cleanly on its seed corpus' "$log"
  grep -q '^Dictionary: [1-9]' "$log" || bad 'has a dictionary that libFuzzer does not read' "$log"
}

check_afl_runs() {
  local log=$work/afl.log map=$scratch/$target.map settings=(AFL_QUIET=1) edges
  grep -q '##SIG_AFL_PERSISTENT##' "$moved/$target" || bad 'is no persistent-mode AFL++ target'
  run "$log" "${settings[@]}" "LLVM_PROFILE_FILE=$scratch/$target.profraw" "./$target" "$seeds"/* ||
    bad 'does not end cleanly on its seed corpus in another, read-only folder' "$log"
  run "$log" "PATH=$PATH" "${settings[@]}" LLVM_PROFILE_FILE=/dev/null \
    afl-showmap -q -C -m none -t 10000 -i "$seeds" -o "$map" -- "./$target" || bad 'does not run under AFL++' "$log"
  edges=$(wc -l <"$map" 2>/dev/null || echo 0)
  [[ $edges -ge $EDGES_MIN ]] ||
    bad "reaches $edges edges on its seeds; at least $EDGES_MIN expected: is it instrumented?"
}

# A real campaign of two seconds; one target has to do, for the sake of time.
check_afl_fuzz() {
  local log=$work/fuzz.log stats=$scratch/fuzz/default/fuzzer_stats
  run "$log" "PATH=$PATH" "HOME=$scratch" AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 \
    AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_FAST_CAL=1 \
    afl-fuzz -V 2 -m none -t 10000+ -x "$target.dict" -i "$seeds" -o "$scratch/fuzz" \
    -- "./$target" || bad 'cannot be fuzzed with AFL++' "$log"
  if ! grep -qE '^execs_done +: [1-9]' "$stats" 2>/dev/null; then
    bad 'makes no runs under afl-fuzz' "$log"
  elif ! awk '/^stability/ { exit !($3 + 0 >= least) }' "least=$STABILITY_MIN" "$stats"; then
    bad "is less than $STABILITY_MIN % stable: $(grep '^stability' "$stats")"
  fi
}

# The counts must be written, and be of code that a reader finds.
check_profile() {
  local suffix
  if ! readelf -SW "$moved/$target" | grep '__llvm_covmap' >/dev/null; then
    bad 'claims source coverage and has no map of it'
    return
  fi
  # The reader has to be as old as the compiler.
  for suffix in -19 -14 ''; do
    command -v "llvm-profdata$suffix" >/dev/null || continue
    "llvm-profdata$suffix" merge -o "$scratch/$target.profdata" "$scratch/$target.profraw" \
      >"$work/profile.log" 2>&1 || continue
    "llvm-cov$suffix" export -summary-only -instr-profile "$scratch/$target.profdata" \
      "$moved/$target" >"$work/coverage.json" 2>"$work/profile.log" || continue
    grep -qE '"lines":\{"count":[0-9]+,"covered":[1-9]' "$work/coverage.json" ||
      bad 'covers no line with its seed corpus'
    return
  done
  bad 'writes no profile that can be read' "$work/profile.log"
}

# As the engines tell targets from other files.
mapfile -t targets < <(find "$moved" -maxdepth 1 -type f -perm -100 -exec \
  grep -l LLVMFuzzerTestOneInput {} + | sed 's|.*/||' | sort)
chmod -R a-w,a+rX "$moved"

bad_targets=0
for target in "${targets[@]}"; do
  bad_of_target=0
  if check_binary; then
    check_sanitizer
    check_options
    check_dictionary
    unpack_seeds
    # What the next ones need is there.
    if [[ $bad_of_target -eq 0 ]]; then
      if [[ $engine == libfuzzer ]]; then
        check_libfuzzer_runs
        check_libfuzzer_seeds
      else
        check_afl_runs
        if [[ $target == "${targets[0]}" ]]; then check_afl_fuzz; fi
      fi
      if [[ $sanitizer == coverage && $bad_of_target -eq 0 ]]; then check_profile; fi
    fi
  fi
  bad_targets=$((bad_targets + bad_of_target))
done
target='.'
if [[ ${#targets[@]} -eq 0 ]]; then
  bad 'no fuzz targets'
  bad_targets=1
fi
echo "${#targets[@]} targets, $bad_targets bad"
exit $((bad_targets != 0))
