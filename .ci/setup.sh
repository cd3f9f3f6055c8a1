# shellcheck shell=bash
# Shared by all subcommands: installs what is missing, configures, builds.
# Sourced by ./cancelsafe, which sets ROOT and CALLER_DIR.

readonly EXIT_USAGE=2 EXIT_SETUP=3
NO_INSTALL=false

# Where Debian puts the symbolizer that sanitizers' reports need.
readonly LLVM=/usr/lib/llvm-19
export PATH=$PATH:$LLVM/bin
export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}

usage_error() {
  echo "cancelsafe: $*" >&2
  exit $EXIT_USAGE
}

setup_error() {
  echo "cancelsafe: $*" >&2
  exit $EXIT_SETUP
}

# Takes --no-install out of the arguments; the others are left in REMAINING.
take_no_install() {
  REMAINING=()
  local argument
  for argument in "$@"; do
    if [[ $argument == --no-install ]]; then NO_INSTALL=true; else REMAINING+=("$argument"); fi
  done
}

# A package of Debian 12, and a command or file that shows that it is there.
package_probe() {
  case $1 in
    clang-19) echo clang++-19 ;;
    lld-19) echo ld.lld-19 ;;
    llvm-19) echo $LLVM/bin/llvm-symbolizer ;;
    libclang-rt-19-dev) echo $LLVM/lib/clang/19/lib/linux/libclang_rt.asan-x86_64.a ;;
    llvm-14) echo /usr/lib/llvm-14/bin/llvm-profdata ;;
    libclang-rt-14-dev)
      echo /usr/lib/llvm-14/lib/clang/14.0.6/lib/linux/libclang_rt.asan-x86_64.a
      ;;
    libfuzzer-19-dev) echo $LLVM/lib/clang/19/lib/linux/libclang_rt.fuzzer-x86_64.a ;;
    ninja-build) echo ninja ;;
    libabsl-dev) echo /usr/include/absl/base/config.h ;;
    libbenchmark-dev) echo /usr/include/benchmark/benchmark.h ;;
    libgtest-dev) echo /usr/include/gtest/gtest.h ;;
    libgmock-dev) echo /usr/include/gmock/gmock.h ;;
    nlohmann-json3-dev) echo /usr/include/nlohmann/json.hpp ;;
    afl++) echo afl-clang-fast ;;
    binutils) echo objdump ;;
    wine64) echo /usr/lib/wine/wine64 ;;
    gcc-mingw-w64-x86-64-win32) echo x86_64-w64-mingw32-gcc ;;
    g++-mingw-w64-x86-64-win32) echo x86_64-w64-mingw32-g++ ;;
    mingw-w64-common) echo /usr/share/mingw-w64/include/ddk/wdm.h ;;
    *) echo "$1" ;;
  esac
}

is_installed() {
  local probe
  probe=$(package_probe "$1")
  case $probe in
    /*) [[ -e $probe ]] ;;
    *) command -v "$probe" >/dev/null ;;
  esac
}

# For the suite as a kernel driver under Wine.
# shellcheck disable=SC2034  # used by the subcommands
readonly WINE_PACKAGES=(wine wine64 gcc-mingw-w64-x86-64-win32 g++-mingw-w64-x86-64-win32
  mingw-w64-common)
# For the fuzz engine of that name.
# shellcheck disable=SC2034  # used by the subcommands
readonly AFL_PACKAGES=(afl++)
readonly BUILD_PACKAGES=(clang-19 lld-19 llvm-19 libclang-rt-19-dev libfuzzer-19-dev cmake
  ninja-build libabsl-dev libgtest-dev libgmock-dev nlohmann-json3-dev)

# need_packages PACKAGE...: installs those that are missing, or says how.
need_packages() {
  local missing=() package
  for package in "$@"; do is_installed "$package" || missing+=("$package"); done
  [[ ${#missing[@]} -eq 0 ]] && return
  local as_root=()
  [[ $(id -u) -eq 0 ]] || as_root=(sudo)
  local apt=("${as_root[@]}" apt-get install --yes --no-install-recommends "${missing[@]}")
  if $NO_INSTALL; then
    setup_error "missing packages. Install them with
  ${as_root[*]:+sudo }apt-get update && ${apt[*]}"
  fi
  command -v apt-get >/dev/null ||
    setup_error "these are missing, and there is no apt-get to install them: ${missing[*]}"
  [[ $(id -u) -eq 0 ]] || command -v sudo >/dev/null ||
    setup_error "these packages are missing, and installing them needs root or sudo: ${missing[*]}"
  echo "Installing with apt-get: ${missing[*]}" >&2
  mkdir -p build
  if ! { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "${apt[@]:${#as_root[@]}}"; } \
    >build/install.log 2>&1 </dev/null; then
    tail -n 20 build/install.log >&2
    setup_error "the installation failed; all of its output is in build/install.log"
  fi
}

# flavour_of SANITIZER: the preset that has it.
flavour_of() {
  case $1 in
    thread) echo tsan ;;
    address) echo asan ;;
    none) echo fuzz ;;
    *) usage_error "unknown sanitizer '$1'; there are thread, address and none" ;;
  esac
}

# build_log_tail FLAVOUR: what went wrong, as far as one screen goes.
build_log_tail() {
  tail -n 40 "build/$1/build.log" >&2
}

# configure FLAVOUR: false if that fails.
configure() {
  local flavour=$1
  mkdir -p "build/$flavour" 2>/dev/null || setup_error "cannot create build/$flavour in $ROOT"
  [[ -f build/$flavour/build.ninja ]] && return
  cmake --preset "$flavour" >"build/$flavour/build.log" 2>&1
}

# try_build FLAVOUR [TARGET...]: quietly builds the targets, or everything; false
# if that fails.
try_build() {
  local flavour=$1 targets=() target
  shift
  for target in "$@"; do targets+=(--target "$target"); done
  configure "$flavour" || return 1
  if [[ $(ninja -C "build/$flavour" -n "$@" 2>/dev/null) == *'no work to do'* ]]; then return; fi
  local what="$*"
  [[ $# -le 8 ]] || what="$# targets"
  echo "Building ${what:-everything} in build/$flavour (log: build/$flavour/build.log)" >&2
  cmake --build "build/$flavour" "${targets[@]}" -- -k 0 >"build/$flavour/build.log" 2>&1
}

# build FLAVOUR TARGET...: as above, and ends the program if that fails.
build() {
  try_build "$@" && return
  build_log_tail "$1"
  setup_error "the build failed; all of its output is in build/$1/build.log"
}

# tool_exists NAME: whether the tree has a program cancelsafe-NAME.
tool_exists() {
  [[ -f fuzzers/tools/$1.cc ]] ||
    grep -rqsE --include=CMakeLists.txt "add_executable\(cancelsafe-$1[ )]" fuzzers conformance impl
}

# tool_path FLAVOUR NAME: where the build has put cancelsafe-NAME.
tool_path() {
  find "build/$1" -name "cancelsafe-$2" -type f -print -quit
}

# from_caller PATH: a path as the user gave it, for a program that runs in ROOT.
from_caller() {
  if [[ $1 == /* || $CALLER_DIR == "$ROOT" ]]; then echo "$1"; else echo "$CALLER_DIR/$1"; fi
}

# localize ARGUMENT...: the same in LOCALIZED, with relative names of existing
# files made good for ROOT.
localize() {
  LOCALIZED=()
  local argument
  for argument in "$@"; do
    if [[ $argument == -*=* && -f $CALLER_DIR/${argument#*=} && ${argument#*=} != /* ]]; then
      argument=${argument%%=*}=$(from_caller "${argument#*=}")
    elif [[ $argument != -* && -e $CALLER_DIR/$argument && $argument != /* ]]; then
      argument=$(from_caller "$argument")
    fi
    LOCALIZED+=("$argument")
  done
}

# run_tool NAME ARGUMENT...: builds cancelsafe-NAME without sanitizer and becomes it.
run_tool() {
  local name=$1
  shift
  need_packages "${BUILD_PACKAGES[@]}"
  build dev "cancelsafe-$name"
  localize "$@"
  exec "$(tool_path dev "$name")" "${LOCALIZED[@]}"
}
