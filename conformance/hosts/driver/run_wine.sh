#!/bin/sh
# Runs the driver under Wine, in a prefix of its own, and leaves the TAP file.
# usage: run_wine.sh BUILD_DIRECTORY TAP_FILE
# exit status: 0 a TAP file was written; 3 the driver could not be loaded, or did not
# come to its end and out of the kernel again, with Wine's own words; 77 Wine or mingw-w64 is not installed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$1
tap=$2
for tool in wine x86_64-w64-mingw32-g++; do
  if ! command -v "$tool" >/dev/null 2>&1; then
    echo "SKIPPED: $tool is not installed, so nothing was checked under Wine" >&2
    exit 77
  fi
done
sh "$here/build.sh" "$build" || exit 3
WINEPREFIX=$(cd "$build" && pwd)/prefix
WINEDLLOVERRIDES="mscoree,mshtml="
WINEDEBUG=${WINEDEBUG:--all}
export WINEPREFIX WINEDLLOVERRIDES WINEDEBUG
unset DISPLAY
trap 'wineserver -k >/dev/null 2>&1' EXIT
if [ ! -e "$WINEPREFIX/system.reg" ]; then
  timeout -k 5 100 wineboot -i >"$build/wine.log" 2>&1
  wineserver -w
fi
result="$WINEPREFIX/drive_c/cancelsafe.tap"
# The first service of a fresh prefix is sometimes answered with a time-out.
ended=no
for attempt in 1 2 3; do
  rm -f "$result"
  if timeout -k 5 50 wine "$build/loader.exe" "$build/cancelsafe.sys" >"$build/wine.log" 2>&1 &&
     grep -q '^# end' "$result" 2>/dev/null; then
    ended=yes
    break
  fi
  echo "attempt $attempt: $(tail -1 "$build/wine.log")" >&2
done
if [ ! -s "$result" ]; then
  cat "$build/wine.log" >&2
  exit 3
fi
cp "$result" "$tap"
if [ "$ended" = no ]; then
  echo "the driver wrote results, but it did not end or could not be unloaded:" >&2
  cat "$build/wine.log" >&2
  exit 3
fi
