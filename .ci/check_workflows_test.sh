#!/usr/bin/env bash
# Tests of check_workflows.sh: what is wrong with a workflow is found. Exit status 4 if
# the linters are missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

work=$(mktemp -d "${TMPDIR:-/tmp}/check_workflows_test.XXXXXX")
trap 'rm -rf "$work"' EXIT
cat >"$work/wrong.yml" <<'EOF'
---
name: Wrong
on: push
jobs:
  first:
    runs-on: ubuntu-24.04
    needs: [missing]
    steps:
      - uses: actions/checkout@v4
        wiht: {depth: 1}
      - run: .ci/no_such_script.sh
      - run: ./cancelsafe nonsense
      - run: echo "${{ matrix.engine }}"
EOF
status=0
.ci/check_workflows.sh "$work/wrong.yml" >"$work/log" 2>&1 || status=$?
if grep -q 'NOT CHECKED' "$work/log"; then exit 4; fi
failed=0
for text in 'the script .ci/no_such_script.sh does not exist' 'the subcommand nonsense does not exist' \
  "Additional property 'wiht' is not allowed" 'unresolved job missing' \
  'property "engine" is not defined'; do
  if ! grep -qF -- "$text" "$work/log"; then
    echo "FAILED: not found: $text"
    failed=1
  fi
done
if [[ $status -ne 1 ]]; then
  echo "FAILED: exit status $status"
  failed=1
fi
if [[ $failed -ne 0 ]]; then cat "$work/log"; fi
exit $failed
