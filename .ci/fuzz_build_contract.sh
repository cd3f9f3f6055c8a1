#!/usr/bin/env bash
# Whether ClusterFuzzLite and OSS-Fuzz can build and run our fuzz targets: drives
# .clusterfuzzlite/build.sh as their images do, and checks what comes out as they do.
# See the help below.
set -euo pipefail
ROOT=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
cd "$ROOT"

help() {
  cat <<'EOF'
usage: .ci/fuzz_build_contract.sh [--work DIR] [ENGINE-SANITIZER...]

Copies the tree, runs .clusterfuzzlite/build.sh on the copy with the variables that the
base images set and no others, and hands the result to .ci/check_fuzz_build.sh. All six
combinations by default:

  libfuzzer-address   libfuzzer-undefined   libfuzzer-coverage
  afl-address         afl-undefined         afl-coverage

OSS-Fuzz itself builds the first three and afl-address; the other two hold for those who
run AFL++ on their own. Nothing is downloaded. What is built stays in DIR
(build/contract), and only what has changed is built again.

Exit status: 0 all combinations are accepted, 1 one is not, 2 wrong usage.
EOF
}

# The compilers of this machine in the place of those in the images.
readonly CLANG=clang-19 CLANGXX=clang++-19 AFL_DRIVER=/usr/lib/afl/libAFLDriver.a

# From here to the next line: what the images set, in the words of their Dockerfile.
readonly BASE_FLAGS="-O1 -fno-omit-frame-pointer -gline-tables-only \
-Wno-error=incompatible-function-pointer-types -Wno-error=int-conversion \
-Wno-error=deprecated-declarations -Wno-error=implicit-function-declaration \
-Wno-error=implicit-int -Wno-error=unknown-warning-option \
-DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION"
readonly CXXFLAGS_EXTRA='-stdlib=libc++'
readonly UNDEFINED=array-bounds,bool,builtin,enum,function,integer-divide-by-zero,null,\
object-size,return,returns-nonnull-attribute,shift,signed-integer-overflow,\
unsigned-integer-overflow,unreachable,vla-bound,vptr
declare -A SANITIZER_FLAGS
SANITIZER_FLAGS[address]='-fsanitize=address -fsanitize-address-use-after-scope'
SANITIZER_FLAGS[undefined]="-fsanitize=$UNDEFINED -fno-sanitize-recover=$UNDEFINED"
SANITIZER_FLAGS[coverage]=''
readonly SANITIZER_FLAGS
readonly COVERAGE_FLAGS_libfuzzer='-fsanitize=fuzzer-no-link'
readonly COVERAGE_FLAGS_coverage="-fprofile-instr-generate -fcoverage-mapping -pthread \
-Wl,--no-as-needed -Wl,-ldl -Wl,-lm -Wno-unused-command-line-argument"
# ----

# build_as_image ENGINE SANITIZER FOLDER: $SRC is shared, $WORK and $OUT are not.
build_as_image() {
  local engine=$1 sanitizer=$2 folder=$3 flags cc cxx library settings=()
  flags="$BASE_FLAGS ${SANITIZER_FLAGS[$sanitizer]}"
  # The coverage of people replaces the coverage of the engine.
  if [[ $sanitizer == coverage ]]; then
    flags+=" $COVERAGE_FLAGS_coverage"
  elif [[ $engine == libfuzzer ]]; then
    flags+=" $COVERAGE_FLAGS_libfuzzer"
  fi
  if [[ $engine == afl ]]; then
    cc=afl-clang-fast cxx=afl-clang-fast++ library=$AFL_DRIVER
    settings=(AFL_QUIET=1)
  else
    cc=$CLANG cxx=$CLANGXX library=-fsanitize=fuzzer
  fi
  rm -rf "$folder/out"
  mkdir -p "$folder/out" "$folder/work"
  env -i PATH="$PATH" "${settings[@]}" CC="$cc" CXX="$cxx" CFLAGS="$flags" \
    CXXFLAGS="$flags $CXXFLAGS_EXTRA" LIB_FUZZING_ENGINE="$library" \
    SRC="$work/src" WORK="$folder/work" OUT="$folder/out" \
    bash "$work/src/cancelsafe/.clusterfuzzlite/build.sh"
}

# copy_tree: what a clone would have, with its times, so that builds can be continued.
copy_tree() {
  rm -rf "$work/src"
  mkdir -p "$work/src/cancelsafe"
  if git rev-parse --git-dir >/dev/null 2>&1; then
    git ls-files -co --exclude-standard
  else
    find . -type f -not -path './build/*'
  fi | while IFS= read -r file; do if [[ -f $file ]]; then echo "$file"; fi; done |
    tar -cf - -T - | tar -xf - -C "$work/src/cancelsafe"
}

work=$ROOT/build/contract combinations=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --help)
      help
      exit 0
      ;;
    --work)
      work=$(realpath -m "${2:?}")
      shift
      ;;
    libfuzzer-address | libfuzzer-undefined | libfuzzer-coverage | \
      afl-address | afl-undefined | afl-coverage) combinations+=("$1") ;;
    *)
      help >&2
      exit 2
      ;;
  esac
  shift
done
if [[ ${#combinations[@]} -eq 0 ]]; then
  combinations=({libfuzzer,afl}-{address,undefined,coverage})
fi

mkdir -p "$work"
copy_tree
touch "$work/copied"
failed=0
declare -A checks
for combination in "${combinations[@]}"; do
  begin=$SECONDS
  log=$work/$combination.log
  : >"$work/$combination.check"
  if ! build_as_image "${combination%-*}" "${combination#*-}" "$work/$combination" \
    >"$log" 2>&1; then
    printf '%-20s build.sh failed; see %s\n' "$combination" "$log"
    grep -E 'error:|FAILED:|Error' "$log" | head -n 10 || tail -n 10 "$log"
    failed=$((failed + 1))
    continue
  fi
  printf '%-20s built in %d s\n' "$combination" $((SECONDS - begin))
  # Meanwhile the next one is built.
  .ci/check_fuzz_build.sh --engine "${combination%-*}" --sanitizer "${combination#*-}" \
    "$work/$combination/out" >"$work/$combination.check" 2>&1 &
  checks[$combination]=$!
done
for combination in "${combinations[@]}"; do
  [[ -n ${checks[$combination]:-} ]] || continue
  if ! wait "${checks[$combination]}"; then
    grep '^BAD BUILD' -A 15 "$work/$combination.check" || true
    failed=$((failed + 1))
  fi
  printf '%-20s %s\n' "$combination" "$(tail -n 1 "$work/$combination.check")"
done
changed=$(find "$work/src" -newer "$work/copied")
if [[ -n $changed ]]; then
  printf 'build.sh wrote into the sources:\n%s\n' "$changed"
  failed=$((failed + 1))
fi
echo "${#combinations[@]} combinations, $failed refused"
exit $((failed != 0))
