#!/bin/sh
# The driver host as a test: runs the suite under Wine and judges the result.
# usage: wine_test.sh CANCELSAFE BUILD_DIRECTORY EXPECTATIONS
set -u
program=$1
build=$2
expectations=$3
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$build"
sh "$here/run_wine.sh" "$build" "$build/wine.tap"
status=$?
[ $status -eq 0 ] || exit $status
exec "$program" conform --results "$build/wine.tap" --name "$(wine --version 2>/dev/null)" \
  --expectations "$expectations" --report "$build/report"
