#!/bin/sh
# Builds cancelsafe.sys and loader.exe with mingw-w64 into the given directory.
# usage: build.sh DIRECTORY
set -eu
out=$1
room=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$out"
prefix=x86_64-w64-mingw32
ddk=/usr/share/mingw-w64/include/ddk
flags="-std=c++17 -O1 -Wall -Wextra -Werror -ffreestanding -fno-exceptions -fno-rtti
  -fno-threadsafe-statics -mno-red-zone
  -DCANCELSAFE_SUITE_USES_DDK -isystem $ddk -I$room/.."
objects=
stale=
for source in "$room"/suite/*.cc "$room"/suite/*/*.cc "$room/hosts/driver/driver.cc"; do
  # Files of two folders may have one name.
  object=$out/$(basename "$(dirname "$source")")_$(basename "$source" .cc).o
  objects="$objects $object"
  if [ ! -e "$object" ] || [ -n "$(find "$room/suite" "$room/hosts/driver" \
       "$room/../impl/include" -newer "$object" -name '*.[hc]*' -print -quit)" ]; then
    stale="$stale $source $object"
  fi
done
if [ -n "$stale" ]; then
  export prefix flags
  # shellcheck disable=SC2016,SC2086
  printf '%s\n' $stale | xargs -P "$(nproc 2>/dev/null || echo 1)" -n 2 \
    sh -c 'exec $prefix-g++ $flags -c "$0" -o "$1"'
fi
$prefix-gcc -c "$room/hosts/driver/guard.S" -o "$out/guard.o"
# shellcheck disable=SC2086
$prefix-g++ -shared -nostdlib -Wl,--subsystem,native -Wl,--entry,DriverEntry \
  -o "$out/cancelsafe.sys" $objects "$out/guard.o" -lntoskrnl -lhal
$prefix-gcc -O1 -Wall -Wextra -Werror -o "$out/loader.exe" "$room/hosts/driver/loader.c" -ladvapi32
