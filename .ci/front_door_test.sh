# shellcheck shell=bash
# What ./cancelsafe itself promises: exit statuses and messages. Sourced by
# ./cancelsafe test when everything is built.

# expect NAME STATUS TEXT COMMAND...: the exit status, and a text in the output.
expect() {
  local name=$1 wanted=$2 text=$3 log=build/front_door.log status=0
  shift 3
  timeout -k 5 120 "$@" >"$log" 2>&1 </dev/null || status=$?
  echo "(exit status $status; wanted $wanted and '$text')" >>"$log"
  # The note just made must not satisfy the search.
  if [[ $status -eq $wanted ]] && head -n -1 "$log" | grep -aqF -- "$text"; then status=0; else
    status=1
  fi
  outcome "front door: $name" $status "$log"
}

expect 'no subcommand' 2 'usage: ./cancelsafe' ./cancelsafe
expect 'help' 0 'usage: ./cancelsafe' ./cancelsafe help
expect 'unknown subcommand' 2 "no subcommand 'fuz'" ./cancelsafe fuz
for subcommand in fuzz test replay; do
  expect "help of $subcommand" 0 "usage: ./cancelsafe $subcommand" ./cancelsafe $subcommand --help
done
expect 'unknown target' 2 'the targets are csq' ./cancelsafe fuzz cqs
expect 'bad number' 2 'is no whole number' ./cancelsafe fuzz --seconds 1x
expect 'unknown sanitizer' 2 'there are thread, address and none' ./cancelsafe fuzz --sanitizer x
expect 'missing implementation' 2 'cannot read' ./cancelsafe fuzz --implementation /no/such.so
expect 'replay of nothing' 2 'no file named' ./cancelsafe replay
expect 'replay of no file' 2 '/no/such' ./cancelsafe replay /no/such
corpus_files csq
if [[ ${#CORPUS_FILES[@]} -gt 0 ]]; then
  seed=${CORPUS_FILES[0]}
  expect 'replay of a seed' 0 'VERDICT pass' ./cancelsafe replay "$seed"
  expect 'replay from another folder' 0 'VERDICT pass' \
    env -C "$(dirname "$seed")" "$ROOT/cancelsafe" replay "$(basename "$seed")"
fi
expect 'a campaign finds the canary' 1 'VERDICT ' \
  ./cancelsafe fuzz --seconds 2 --sanitizer address --work build/front_door canary
expect 'a clean campaign' 0 'No findings.' \
  ./cancelsafe fuzz --seconds 2 --sanitizer address --work build/front_door device_queue
