#!/bin/sh
# The example as an implementer meets it: installs Cancelsafe, builds the project
# against the package, and expects the bug to be found and the fix to pass.
# usage: example_test.sh BUILD_DIRECTORY SCRATCH_DIRECTORY C_COMPILER
set -eu
build=$1
scratch=$2
compiler=$3
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$scratch"
mkdir -p "$scratch"
cmake --install "$build" --component conformance --prefix "$scratch/prefix" >"$scratch/install.log"
for fixed in OFF ON; do
  cmake -S "$here" -B "$scratch/$fixed" -DFIXED=$fixed -DCMAKE_C_COMPILER="$compiler" \
    -DCMAKE_PREFIX_PATH="$scratch/prefix" >"$scratch/configure.log"
  cmake --build "$scratch/$fixed" >"$scratch/build.log"
done
if (cd "$scratch/OFF" && ctest -R conformance --output-on-failure) >"$scratch/off.log" 2>&1; then
  echo "the suite did not find the bug of the example" >&2
  exit 1
fi
grep -q 'fail: dq.remove-by-key.largest' "$scratch/off.log"
grep -q 'DQ-RKEY-03' "$scratch/off.log"
(cd "$scratch/ON" && ctest -R conformance --output-on-failure)
# The installed fuzz target finds the same bug, and none in the corrected queue.
if (cd "$scratch/OFF" && ctest -R fuzz --output-on-failure) >"$scratch/fuzz_off.log" 2>&1; then
  echo "the fuzz target did not find the bug of the example" >&2
  exit 1
fi
grep -q '^VERDICT ' "$scratch/fuzz_off.log"
(cd "$scratch/ON" && ctest -R fuzz --output-on-failure) >"$scratch/fuzz_on.log"
grep -q '1 tests passed\|100% tests passed' "$scratch/fuzz_on.log"
# The installed command, by its front door.
"$scratch/prefix/bin/cancelsafe" conform --clause 'DQ-*' \
  --implementation "$scratch/ON/libmy_device_queue.so" >"$scratch/conform.log"
grep -q '^conforms: libmy_device_queue.so' "$scratch/conform.log"
status=0
"$scratch/prefix/bin/cancelsafe" conform --implementation "$scratch/none.so" 2>"$scratch/none.log" ||
  status=$?
test "$status" -eq 3
test -s "$scratch/ON/my_device_queue.conformance/report.html"
# A self-check whose yardstick is wrong says so, with a status of its own.
status=0
"$scratch/prefix/bin/cancelsafe-conform" --self-check \
  --implementation "$scratch/OFF/libmy_device_queue.so" >"$scratch/self_check.log" || status=$?
test "$status" -eq 4
grep -q 'libmy_device_queue.so: dq.remove-by-key.largest: fail' "$scratch/self_check.log"
