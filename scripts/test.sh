#!/usr/bin/env bash
# Lint, types, then one pytest over SQLite, PostgreSQL and the browser: its last line is the total.
# Types are checked beside the tests, which leave a core idle while they wait for browsers.
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONDONTWRITEBYTECODE= # servers and racers start as processes: compiling anew costs each 3 s

scripts/lint.sh
said=$(mktemp)
trap 'rm -f "$said"' EXIT
.venv/bin/mypy >"$said" 2>&1 &
types=$!
# One draw of the order for all, so that a red run can be run again; SHUFFLE=1 make test tries another.
status=0
.venv/bin/pytest -q --database=both -n "${WORKERS:-2}" --dist=loadgroup --randomly-seed="${SHUFFLE:-20261122}" \
  || status=$?
wait "$types" || { cat "$said" >&2; exit 1; }
exit "$status"
