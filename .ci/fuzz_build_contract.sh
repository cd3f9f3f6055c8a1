#!/usr/bin/env bash
# Whether ClusterFuzzLite and OSS-Fuzz can build and start our fuzz targets: drives
# .clusterfuzzlite/build.sh as their images do, and has the result checked.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

help() {
  cat <<'EOF'
usage: .ci/fuzz_build_contract.sh [--work DIR] [--check PROGRAM] [ENGINE-SANITIZER...]

Copies the tree, runs .clusterfuzzlite/build.sh on the copy with the variables that the
base images set and no others, and hands the result to PROGRAM (cancelsafe-fuzz-build-check
of build/dev). ENGINE-SANITIZER is libfuzzer-address, libfuzzer-undefined, libfuzzer-coverage
or afl-address: what the fleets build, and all of them by default.
Nothing is downloaded. What is built stays in DIR (build/contract), and only what has
changed is built again.

Exit status: 0 all combinations are accepted, 1 one is not, 2 wrong usage.
EOF
}

# What the images set, in the words of their Dockerfile. Their clang is newer than ours and
# knows warnings that ours does not.
readonly BASE_FLAGS='-O1 -fno-omit-frame-pointer -gline-tables-only
 -Wno-error=incompatible-function-pointer-types -Wno-error=int-conversion
 -Wno-error=deprecated-declarations -Wno-error=implicit-function-declaration
 -Wno-error=implicit-int -Wno-error=unknown-warning-option -Wno-error=vla-cxx-extension
 -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION'
readonly UNDEFINED=array-bounds,bool,builtin,enum,function,integer-divide-by-zero,null,\
object-size,return,returns-nonnull-attribute,shift,signed-integer-overflow,\
unsigned-integer-overflow,unreachable,vla-bound,vptr
declare -rA FLAGS=(
  [address]='-fsanitize=address -fsanitize-address-use-after-scope'
  [undefined]="-fsanitize=$UNDEFINED -fno-sanitize-recover=$UNDEFINED"
  [coverage]='-fprofile-instr-generate -fcoverage-mapping -pthread -Wl,--no-as-needed
 -Wl,-ldl -Wl,-lm -Wno-unused-command-line-argument'
)
# The compilers of this machine in the place of those in the images.
declare -rA COMPILERS=([libfuzzer]=clang-19:clang++-19:-fsanitize=fuzzer
  [afl]=afl-clang-fast:afl-clang-fast++:/usr/lib/afl/libAFLDriver.a)

# build_as_image ENGINE SANITIZER FOLDER: $SRC is shared, $WORK and $OUT are not.
build_as_image() {
  local engine=$1 sanitizer=$2 folder=$3 flags cc cxx library
  flags="${BASE_FLAGS//$'\n'/} ${FLAGS[$sanitizer]//$'\n'/}"
  # The coverage of a report replaces the coverage of the engine.
  if [[ $engine == libfuzzer && $sanitizer != coverage ]]; then flags+=' -fsanitize=fuzzer-no-link'; fi
  IFS=: read -r cc cxx library <<<"${COMPILERS[$engine]}"
  rm -rf "$folder/out"
  mkdir -p "$folder/out" "$folder/work"
  # In the folder of the sources, as the images do: what a command leaves behind is seen there.
  env -i -C "$work/src/cancelsafe" PATH="$PATH" AFL_QUIET=1 CC="$cc" CXX="$cxx" CFLAGS="$flags" \
    CXXFLAGS="$flags -stdlib=libc++" LIB_FUZZING_ENGINE="$library" \
    SRC="$work/src" WORK="$folder/work" OUT="$folder/out" \
    bash "$work/src/cancelsafe/.clusterfuzzlite/build.sh"
}

work=$PWD/build/contract check=$PWD/build/dev/fuzzers/fleets/cancelsafe-fuzz-build-check
combinations=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --help) help && exit 0 ;;
    --work) work=$(realpath -m "${2:?}") && shift ;;
    --check) check=$(realpath "${2:?}") && shift ;;
    libfuzzer-address | libfuzzer-undefined | libfuzzer-coverage | afl-address)
      combinations+=("$1")
      ;;
    *) help >&2 && exit 2 ;;
  esac
  shift
done
if [[ ${#combinations[@]} -eq 0 ]]; then
  combinations=(libfuzzer-{address,undefined,coverage} afl-address)
fi

# What a clone would have, with its times, so that builds can be continued.
rm -rf "$work/src" && mkdir -p "$work/src/cancelsafe"
{ git ls-files -co --exclude-standard 2>/dev/null || find . -type f -not -path './build/*'; } |
  while IFS= read -r file; do if [[ -f $file ]]; then echo "$file"; fi; done |
  tar -cf - -T - | tar -xf - -C "$work/src/cancelsafe"
touch "$work/copied"
refused=0
for combination in "${combinations[@]}"; do
  log=$work/$combination.log
  if ! build_as_image "${combination%-*}" "${combination#*-}" "$work/$combination" \
    >"$log" 2>&1; then
    printf '%-20s build.sh failed; see %s\n' "$combination" "$log"
    { grep -E 'error:|FAILED:|Error' "$log" || tail -n 10 "$log"; } | head -n 10
    refused=$((refused + 1))
  elif ! "$check" "$combination" "$work/$combination/out" >"$log.check" 2>&1; then
    cat "$log.check"
    printf '%-20s refused\n' "$combination"
    refused=$((refused + 1))
  else
    printf '%-20s %s\n' "$combination" "$(tail -n 1 "$log.check")"
  fi
done
# A compiler that is newer than ours may warn of other things.
if grep -l -e ' -Werror' "$work"/*/work/cancelsafe/compile_commands.json; then
  echo 'a warning of ours would be an error in a build with flags from outside'
  refused=$((refused + 1))
fi
changed=$(find "$work/src" -newer "$work/copied")
if [[ -n $changed ]]; then
  printf 'build.sh wrote into the sources:\n%s\n' "$changed"
  refused=$((refused + 1))
fi
echo "${#combinations[@]} combinations, $refused refused"
exit $((refused != 0))
