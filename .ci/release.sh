#!/usr/bin/env bash
# Packs a release: what cmake --install makes of the tree, as one archive that needs
# nothing but the C library. See the help below.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

help() {
  cat <<'EOT'
usage: .ci/release.sh [--tag vX.Y.Z] [--build DIR] [--output DIR]

Builds the program, the conformance suite and the fuzz targets without sanitizer and
stand-alone in build/release (or takes what is built in --build DIR), installs them, packs
the result as cancelsafe-X.Y.Z-linux-x86_64.tar.gz with a .sha256 into --output
(build/dist), and tries the archive in another folder. The library that generated tests
link with (cancelsafe_scenario) is left out: it needs the Abseil of the machine, so it is
built there. With --tag the version of the tree must be X.Y.Z.

Exit status: 0 packed, 1 the archive does not work, 2 wrong usage, 3 set-up failed.
EOT
}

# fail STATUS MESSAGE
fail() {
  echo "release: $2" >&2
  exit "$1"
}

tag='' build_dir='' output=build/dist
while [[ $# -gt 0 ]]; do
  case $1 in
    --help)
      help
      exit 0
      ;;
    --tag) tag=${2:-} ;;
    --build) build_dir=${2:-} ;;
    --output) output=${2:-} ;;
    *)
      help >&2
      exit 2
      ;;
  esac
  [[ $# -ge 2 ]] || fail 2 "$1 needs a value"
  shift 2
done

version=$(sed -n 's/^project(Cancelsafe VERSION \([0-9.]*\) .*/\1/p' CMakeLists.txt)
if [[ -n $tag && $tag != "v$version" ]]; then
  fail 2 "the tag is $tag, and the version in CMakeLists.txt $version"
fi
if [[ -z $build_dir ]]; then
  build_dir=build/release
  mkdir -p "$build_dir"
  # The front door installs what is missing.
  { ./cancelsafe --version && cmake --preset fuzz -B "$build_dir" -DCANCELSAFE_STAND_ALONE=ON &&
    cmake --build "$build_dir"; } >"$build_dir/build.log" 2>&1 ||
    fail 3 "the build failed; see $build_dir/build.log"
fi

name=cancelsafe-$version-linux-x86_64
work=$(mktemp -d "${TMPDIR:-/tmp}/release.XXXXXX")
trap 'rm -rf "$work"' EXIT
cmake --install "$build_dir" --prefix "$work/$name" >"$work/install.log" ||
  fail 3 "the installation failed: $(tail -n 1 "$work/install.log")"
cp LICENSE README.md "$work/$name/"
mkdir -p "$output"
# The same tree gives the same archive.
time=$(git log -1 --format=%ct 2>/dev/null || echo 0)
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$time" -cf - "$name" |
  gzip -n >"$output/$name.tar.gz"
(cd "$output" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")

# Somewhere else, and without the tree that it was installed to.
mv "$work/$name" "$work/gone"
mkdir "$work/elsewhere"
tar -C "$work/elsewhere" -xzf "$output/$name.tar.gz"
bin=$work/elsewhere/$name/bin
for try in "conform --clause DQ-RKEY-*" "replay $PWD/corpus/csq_fuzzer/seeds/fifo_order.txt"; do
  # shellcheck disable=SC2086  # words
  if ! (cd "$work" && env -i "$bin/cancelsafe" $try) >"$work/try.log" 2>&1; then
    tail -n 20 "$work/try.log" >&2
    fail 1 "in another folder, cancelsafe ${try%% *} fails (above)"
  fi
done
echo "$output/$name.tar.gz"
