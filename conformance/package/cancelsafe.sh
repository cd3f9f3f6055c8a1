#!/bin/sh
# The front door of an installation: cancelsafe SUBCOMMAND [flags] hands over to the
# program of that name beside it.
set -eu
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)

help() {
  echo "usage: cancelsafe SUBCOMMAND [flags]"
  echo
  for program in "$here"/cancelsafe-*; do
    echo "  ${program##*/cancelsafe-}"
  done
  echo
  echo "cancelsafe SUBCOMMAND --help tells more."
}

case ${1:-} in
  '')
    help >&2
    exit 2
    ;;
  help | --help | -h)
    help
    exit 0
    ;;
esac
program=$here/cancelsafe-$1
if [ ! -x "$program" ]; then
  echo "cancelsafe: no subcommand '$1'" >&2
  help >&2
  exit 2
fi
shift
exec "$program" "$@"
