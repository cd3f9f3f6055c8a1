#!/bin/bash
# Builds the fuzz targets as ClusterFuzzLite and OSS-Fuzz ask for: with the compiler,
# flags and engine that they name, into $OUT. Reads $CC, $CXX, $CFLAGS, $CXXFLAGS,
# $LIB_FUZZING_ENGINE, $SRC, $WORK and $OUT, and nothing else; changes nothing but
# $WORK and $OUT. Run by hand and tested by .ci/fuzz_build_contract.sh.
set -euo pipefail

source_dir=$SRC/cancelsafe
build_dir=$WORK/cancelsafe
# The families.
mapfile -t corpora < <(sed -n 's/^CANCELSAFE_FAMILY(k[A-Za-z]*, \([a-z_]*\))$/\1/p' \
  "$source_dir/oracle/families.def")
targets=("${corpora[@]}" program_text program_bytes)

# The distribution's Abseil is compiled against libstdc++, and so must we be. The base
# images ask for libc++ only because MemorySanitizer, which we do not offer, needs an
# instrumented library.
CXXFLAGS=${CXXFLAGS//-stdlib=libc++/}
export CXXFLAGS

cmake -S "$source_dir" -B "$build_dir" -G Ninja \
  -DCMAKE_BUILD_TYPE=None \
  -DCMAKE_C_COMPILER="$CC" \
  -DCMAKE_CXX_COMPILER="$CXX" \
  -DCANCELSAFE_SANITIZER=environment \
  -DCANCELSAFE_FUZZING_ENGINE="$LIB_FUZZING_ENGINE" \
  -DCANCELSAFE_STAND_ALONE=ON \
  -DCANCELSAFE_TESTS=OFF \
  -DCANCELSAFE_CONFORMANCE=OFF
cmake --build "$build_dir" --target "${targets[@]/%/_fuzzer}"

# pack_seeds TARGET CORPUS...: what is committed, as one archive without folders. The
# targets read text as well as bytes.
pack_seeds() {
  local target=$1 corpus folder file stage=$build_dir/seeds/$1
  shift
  rm -rf "$stage"
  mkdir -p "$stage"
  for corpus in "$@"; do
    for folder in seeds regressions; do
      for file in "$source_dir/corpus/${corpus}_fuzzer/$folder"/*; do
        if [[ -f $file ]]; then cp "$file" "$stage/$corpus-$folder-${file##*/}"; fi
      done
    done
  done
  rm -f "$OUT/${target}_fuzzer_seed_corpus.zip"
  (cd "$stage" && zip -q -X "$OUT/${target}_fuzzer_seed_corpus.zip" -- *)
}

# pack_dictionary TARGET NAME...: one of several has an entry once. Every target of a
# family prints them all. One that measures coverage writes a profile where it is started.
pack_dictionary() {
  local target=$1 name
  shift
  for name in "$@"; do
    LLVM_PROFILE_FILE=$build_dir/dictionary.profraw \
      "$build_dir/fuzzers/targets/${corpora[0]}_fuzzer" "--print-dictionary=$name"
  done | awk '!seen[$0]++' >"$OUT/${target}_fuzzer.dict"
}

for target in "${targets[@]}"; do
  cp "$build_dir/fuzzers/targets/${target}_fuzzer" "$OUT/"
  cp "$source_dir/fuzzers/targets/fuzzer.options" "$OUT/${target}_fuzzer.options"
done
for target in "${corpora[@]}"; do
  pack_seeds "$target" "$target"
  pack_dictionary "$target" "$target"
done
pack_seeds program_text "${corpora[@]}"
pack_dictionary program_text text
pack_seeds program_bytes "${corpora[@]}"
pack_dictionary program_bytes "${corpora[@]}" text
