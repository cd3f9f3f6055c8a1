# shellcheck shell=bash
# ./cancelsafe fuzz: see the help below. Sourced by ./cancelsafe.

readonly FUZZ_TARGETS=(csq device_queue start_io callback_data_queue)

fuzz_help() {
  cat <<'EOF'
usage: ./cancelsafe fuzz [flags] [TARGET...]

Replays the corpus, then fuzzes each target under each sanitizer, and ends with a table
and what was found. Targets: csq, device_queue, start_io, callback_data_queue (with or
without _fuzzer; default all four), and canary, which has a known bug and must fail.

  --engine NAME             libfuzzer or afl (libfuzzer): AFL++ has one main instance for
                            each target, and secondaries for the other sanitizers and
                            jobs; it goes on after a finding, and is installed if missing
  --seconds N               time of the whole campaign (60)
  --jobs N                  processes that fuzz at the same time (as many as there are
                            processors)
  --sanitizer NAME          thread, address or none; may be repeated (thread and address)
  --implementation FILE.so  attack this shared object instead of the built-in code
  --points all              every load and store is a preemption point, where the
                            implementation was compiled for it
  --strict                  hold it to the built-in implementation's choices where the
                            documentation leaves some; otherwise all are accepted
                            from an --implementation
  --ignore RULE             leave out a rule or clause; may be repeated
  --work DIR                for the growing corpus, the logs and the findings
                            (build/campaign)
  --benchmark               print the speed of each target instead (libfuzzer)
  --no-install              do not install packages

What was learnt stays in the work folder; an interrupted campaign goes on from there,
under either engine.
Failures are saved as readable text in its folder findings.

Exit status: 0 clean, 1 a violation found, 2 wrong usage, 3 set-up failed,
130 interrupted.
EOF
}

# The flags, into the variables of run_fuzz.
read_fuzz_flags() {
  while [[ $# -gt 0 ]]; do
    local flag=$1 value=''
    shift
    case $flag in
      --help)
        fuzz_help
        exit 0
        ;;
      --benchmark)
        benchmark=true
        continue
        ;;
      --strict)
        campaign_flags+=(--strict)
        replay_flags+=(--strict)
        continue
        ;;
      --*=*)
        value=${flag#*=}
        flag=${flag%%=*}
        ;;
      --engine | --seconds | --jobs | --sanitizer | --implementation | --points | --ignore | --work)
        [[ $# -gt 0 ]] || usage_error "fuzz: $flag needs a value; see ./cancelsafe fuzz --help"
        value=$1
        shift
        ;;
      -*) usage_error "fuzz: unknown flag $flag; see ./cancelsafe fuzz --help" ;;
    esac
    case $flag in
      --seconds | --jobs)
        [[ $value =~ ^[1-9][0-9]{0,6}$ ]] ||
          usage_error "fuzz: $flag: '$value' is no whole number above 0"
        campaign_flags+=("$flag=$value")
        ;;
      --engine)
        [[ $value == libfuzzer || $value == afl ]] ||
          usage_error "fuzz: unknown engine '$value'; there are libfuzzer and afl"
        engine=$value
        ;;
      --sanitizer)
        flavour_of "$value" >/dev/null
        sanitizers+=("$value")
        ;;
      --implementation)
        value=$(from_caller "$value")
        [[ -r $value ]] || usage_error "fuzz: cannot read $value"
        value=$(realpath "$value")
        campaign_flags+=("--implementation=$value")
        replay_flags+=(--implementation "$value")
        implementation=$value
        ;;
      --points)
        [[ $value == all ]] || usage_error "fuzz: --points: '$value' is not 'all'"
        campaign_flags+=(--points=all)
        replay_flags+=(--points all)
        ;;
      --work)
        [[ -n $value ]] || usage_error "fuzz: --work needs a value"
        campaign_flags+=("--work=$(from_caller "$value")")
        ;;
      --ignore)
        [[ -n $value ]] || usage_error "fuzz: --ignore needs a value"
        campaign_flags+=("--ignore=$value")
        replay_flags+=(--ignore "$value")
        ;;
      -*) usage_error "fuzz: unknown flag $flag; see ./cancelsafe fuzz --help" ;;
      *)
        value=${flag%_fuzzer}
        [[ " ${FUZZ_TARGETS[*]} canary " == *" $value "* ]] ||
          usage_error "fuzz: unknown target '$flag'; the targets are ${FUZZ_TARGETS[*]} canary"
        targets+=("$value")
        ;;
    esac
  done
}

# corpus_files TARGET: into CORPUS_FILES.
corpus_files() {
  shopt -s nullglob
  CORPUS_FILES=("corpus/$1_fuzzer"/{seeds,regressions}/*)
  shopt -u nullglob
}

# replay_corpus FLAVOUR TARGET [FLAG...]: prints what does not pass.
replay_corpus() {
  local flavour=$1 target=$2
  shift 2
  corpus_files "$target"
  if [[ ${#CORPUS_FILES[@]} -eq 0 ]]; then
    echo 'empty'
    return
  fi
  "$(tool_path "$flavour" replay)" --quiet --target "$target" "$@" \
    "${CORPUS_FILES[@]}"
}

# engine_targets TARGET...: what the build has to make for the engine, in ENGINE_TARGETS.
engine_targets() {
  if [[ $engine == afl ]]; then
    ENGINE_TARGETS=("${@/%/_afl}" "${@/%/_cmplog}" cancelsafe_afl_mutator)
  else
    ENGINE_TARGETS=("${@/%/_fuzzer}")
  fi
}

# benchmark_target SANITIZER TARGET: runs per second on fixed programs.
benchmark_target() {
  local flavour target=$2 log
  flavour=$(flavour_of "$1")
  log=build/$flavour/benchmark-$target.log
  echo "$target ($1)"
  if ! "build/$flavour/fuzzers/targets/${target}_fuzzer" --benchmark 2>"$log"; then
    tail -n 20 "$log" >&2
    setup_error "the measurement of $target failed; see $log"
  fi
}

run_fuzz() {
  local benchmark=false engine=libfuzzer implementation='' sanitizers=() targets=()
  local campaign_flags=() replay_flags=() sanitizer flavour target
  read_fuzz_flags "$@"
  if [[ ${#sanitizers[@]} -eq 0 ]]; then
    sanitizers=(thread address)
    if $benchmark; then sanitizers=(none thread address); fi
  fi
  [[ ${#targets[@]} -gt 0 ]] || targets=("${FUZZ_TARGETS[@]}")

  if $benchmark && [[ $engine != libfuzzer ]]; then
    usage_error "fuzz: --benchmark measures under libfuzzer alone"
  fi

  need_packages "${BUILD_PACKAGES[@]}"
  if [[ $engine == afl ]]; then need_packages "${AFL_PACKAGES[@]}"; fi
  engine_targets "${targets[@]}"
  for sanitizer in "${sanitizers[@]}"; do
    build "$(flavour_of "$sanitizer")" "${ENGINE_TARGETS[@]}" cancelsafe-replay \
      cancelsafe-campaign
  done

  if $benchmark; then
    for sanitizer in "${sanitizers[@]}"; do
      for target in "${targets[@]}"; do benchmark_target "$sanitizer" "$target"; done
    done
    exit 0
  fi

  local regressed=0
  for sanitizer in "${sanitizers[@]}"; do
    for target in "${targets[@]}"; do
      local status=0
      printf 'Corpus of %s (%s): ' "$target" "$sanitizer"
      replay_corpus "$(flavour_of "$sanitizer")" "$target" "${replay_flags[@]}" || status=$?
      [[ $status -le $regressed ]] || regressed=$status
    done
  done
  if [[ $regressed -eq 1 ]]; then
    if [[ -z $implementation ]]; then
      echo "cancelsafe: files of the corpus do not pass (above); a known bug is back" >&2
    else
      cat >&2 <<EOF
cancelsafe: $implementation fails files of the corpus (above); nothing was fuzzed.
Why:              ./cancelsafe replay${replay_flags[*]:+ ${replay_flags[*]}} FILE
To fuzz all the same, leave out what is known: --ignore with the rule or the clause.
EOF
    fi
    exit 1
  elif [[ $regressed -ne 0 ]]; then
    setup_error "the corpus could not be replayed (see above)"
  fi

  flavour=$(flavour_of "${sanitizers[0]}")
  exec "$(tool_path "$flavour" campaign)" --engine="$engine" \
    "${sanitizers[@]/#/--sanitizer=}" "${campaign_flags[@]}" "${targets[@]}"
}
