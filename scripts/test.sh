#!/usr/bin/env bash
# Lint, types, then one pytest over SQLite, PostgreSQL and the browser: its last line is the total.
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONDONTWRITEBYTECODE= # servers and racers start as processes: compiling anew costs each 3 s

scripts/lint.sh
.venv/bin/mypy
# One draw of the order for all, so that a red run can be run again; SHUFFLE=1 make test tries another.
exec .venv/bin/pytest -q --database=both -n "${WORKERS:-2}" --dist=loadgroup --randomly-seed="${SHUFFLE:-20261122}"
