#!/usr/bin/env bash
# Tests of check_fuzz_build.sh: it accepts a good build, and refuses one that is bad in
# a single way, for the right reason.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

work=$(mktemp -d "${TMPDIR:-/tmp}/check_fuzz_build_test.XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=0

# A target with more than enough edges and memory accesses; its flaws are chosen by macros.
cat >"$work/bulk.c" <<'EOF'
#include <stddef.h>
#include <stdint.h>
int table[1024];
int Bulk(const uint8_t *data, size_t size) {
#define ONE(n) if (data[(n) % size] == ((n) & 255)) ++table[data[(n + 7) % size]];
#define FOUR(n) ONE(n) ONE(n + 1) ONE(n + 2) ONE(n + 3)
#define SIXTEEN(n) FOUR(n) FOUR(n + 4) FOUR(n + 8) FOUR(n + 12)
#define MANY(n) SIXTEEN(n) SIXTEEN(n + 16) SIXTEEN(n + 32) SIXTEEN(n + 48)
  if (size != 0) { MANY(0) MANY(64) MANY(128) MANY(192) MANY(256) }
  return 0;
}
EOF
cat >"$work/target.c" <<'EOF'
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
int Bulk(const uint8_t *data, size_t size);
int Other(void);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
#ifdef NEEDS_ENVIRONMENT
  if (getenv("HOME") == NULL) abort();
#endif
#ifdef WRITES_BESIDE_ITSELF
  if (fopen("state", "w") == NULL) abort();
#endif
#ifdef NEEDS_ITS_PLACE
  FILE *file = fopen(PLACE "/target_fuzzer.dict", "r");
  if (file == NULL) abort();
  fclose(file);
#endif
#ifdef LIBRARY
  return Other();
#endif
  return 0;
}
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
#ifdef FAILS_ON_SEED
  if (size > 3 && data[0] == 's' && data[3] == 'd') abort();
#endif
#ifdef LEAKS
  static char *volatile leak;
  leak = malloc(16 + size);
#endif
#ifdef ENDS_THE_PROCESS
  if (size > 3) exit(0);
#endif
  return Bulk(data, size);
}
EOF
echo 'int Other(void) { return 0; }' >"$work/other.c"
address=(-O1 -g -fsanitize=address -fsanitize=fuzzer-no-link)
clang-19 "${address[@]}" -c "$work/bulk.c" -o "$work/bulk.o"
clang-19 -O1 -g -fsanitize=fuzzer-no-link -c "$work/bulk.c" -o "$work/unchecked.o"
clang-19 -O1 -g -fsanitize=address -c "$work/bulk.c" -o "$work/uncounted.o"
clang-19 -shared -fPIC "$work/other.c" -o "$work/libother.so"

# make_build NAME [FLAG...]: a build that is good but for the flags; in $build.
make_build() {
  build=$work/$1
  local flags=("${@:2}")
  mkdir -p "$build/seeds"
  [[ " ${flags[*]} " == *.o\ * ]] || flags+=("$work/bulk.o")
  clang-19 "${address[@]}" "$work/target.c" -fsanitize=fuzzer "-DPLACE=\"$build\"" \
    -static-libstdc++ -static-libgcc "${flags[@]}" -o "$build/target_fuzzer"
  printf '[libfuzzer]\nmax_len = 64\n' >"$build/target_fuzzer.options"
  printf '# Words.\nword="abc"\n"\\x00\\x01"\n' >"$build/target_fuzzer.dict"
  printf 'seed' >"$build/seeds/a"
  (cd "$build/seeds" && zip -q "$build/target_fuzzer_seed_corpus.zip" a)
  rm -r "$build/seeds"
}

# expect STATUS TEXT [SANITIZER]: what is said of $build.
expect() {
  local wanted=$1 text=$2 sanitizer=${3:-address} status=0 log=$work/log
  .ci/check_fuzz_build.sh --engine libfuzzer --sanitizer "$sanitizer" "$build" >"$log" 2>&1 ||
    status=$?
  if [[ $status -ne $wanted ]] || ! grep -qF -- "$text" "$log"; then
    echo "FAILED: ${build##*/}: exit status $status; wanted $wanted and '$text':"
    cat "$log"
    failed=$((failed + 1))
  fi
}

make_build good
expect 0 '1 targets, 0 bad'
expect 1 'claims undefined and calls AddressSanitizer' undefined
expect 1 'claims coverage and calls AddressSanitizer' coverage

echo 'abc' >"$build/target_fuzzer.dict"
expect 1 'a dictionary with lines that no engine reads'
echo '# Nothing.' >"$build/target_fuzzer.dict"
expect 1 'has an empty dictionary'
rm "$build/target_fuzzer.dict"
expect 1 'has no dictionary'
echo '"a"' >"$build/target_fuzzer.dict"
printf '[libfuzzer]\nmax_length = 64\n' >"$build/target_fuzzer.options"
expect 1 'options that libFuzzer does not know'
echo 'max_len = 64' >"$build/target_fuzzer.options"
expect 1 'has options with this line: max_len = 64'
printf '[libfuzzer]\nmax_len = 64\n' >"$build/target_fuzzer.options"
zip -q -d "$build/target_fuzzer_seed_corpus.zip" a >/dev/null 2>&1
expect 1 'has no seed corpus'
rm -f "$build/target_fuzzer_seed_corpus.zip" "$build/target_fuzzer"
expect 1 'no fuzz targets'

make_build unchecked "$work/unchecked.o"
expect 1 'claims AddressSanitizer and calls it at'
make_build uncounted "$work/uncounted.o"
expect 1 'edges; at least 100 expected'
make_build library -DLIBRARY "-L$work" -lother "-Wl,-rpath,$work"
expect 1 'needs libother.so, which other machines lack'
expect 1 'has a path of the building machine'
make_build environment -DNEEDS_ENVIRONMENT
expect 1 'does not start and end cleanly in another, read-only folder without environment'
make_build writes -DWRITES_BESIDE_ITSELF
expect 1 'does not start and end cleanly in another, read-only folder without environment'
make_build place -DNEEDS_ITS_PLACE
rm -rf "$work/place.moved"
mv "$build" "$work/place.moved"
build=$work/place.moved
expect 1 'does not start and end cleanly in another, read-only folder without environment'
make_build fails -DFAILS_ON_SEED
expect 1 'does not end cleanly on its seed corpus'
make_build leaks -DLEAKS
expect 1 'does not'
make_build ends -DENDS_THE_PROCESS
expect 1 'does not'

echo "$failed failed"
exit $((failed != 0))
