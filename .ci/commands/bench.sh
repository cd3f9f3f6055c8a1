# shellcheck shell=bash
# ./cancelsafe bench: see the help below. Sourced by ./cancelsafe.

bench_help() {
  cat <<'EOT'
usage: ./cancelsafe bench [flags]

Measures the optimized implementation beside a linear list, a B-tree, a hand-inlined
list and a hand-inlined cancel-safe protocol, alternately and several times, and prints
the medians, the promised ratios and the machine's noise.

  --filter RE     only benchmarks whose name matches
  --rounds N      passes over all benchmarks (7)
  --seconds S     least time for one benchmark in one round (0.05)
  --json FILE     write the ratios, their noise and all costs
  --plots FOLDER  write plots of cost against depth as SVG
  --check         exit with 1 if a promise is not kept
  --record-instructions
                  only count the instructions of the hot paths anew, with callgrind, and
                  write impl/bench/instruction_counts.txt, which a test compares with
  --no-install    do not install packages

Exit status: 0 done, 1 a promise is not kept (--check), 2 wrong usage, 3 set-up failed.
EOT
}

record_instructions() {
  need_packages "${BUILD_PACKAGES[@]}" valgrind
  build dev cancelsafe_instruction_paths
  exec impl/bench/count_instructions.sh record build/dev/impl/bench/cancelsafe_instruction_paths \
    impl/bench/instruction_counts.txt
}

run_bench() {
  local arguments=()
  while [[ $# -gt 0 ]]; do
    case $1 in
      --help)
        bench_help
        exit 0
        ;;
      --record-instructions) record_instructions ;;
      --json | --plots)
        [[ -n ${2:-} ]] || usage_error "bench: $1 needs a name; see ./cancelsafe bench --help"
        arguments+=("$1" "$(from_caller "$2")")
        shift
        ;;
      *) arguments+=("$1") ;;
    esac
    shift
  done
  need_packages "${BUILD_PACKAGES[@]}" libbenchmark-dev
  # A tree that was configured before the package was there has no such target yet.
  if [[ -f build/dev/build.ninja ]] &&
    ! ninja -C build/dev -t query cancelsafe_bench >/dev/null 2>&1; then
    cmake build/dev >/dev/null || setup_error "cmake build/dev failed"
  fi
  build dev cancelsafe_bench
  exec build/dev/impl/bench/cancelsafe_bench "${arguments[@]}"
}
