#!/usr/bin/env bash
# Lint, types, then one pytest over SQLite, PostgreSQL and the browser: its last line is the total.
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONDONTWRITEBYTECODE= # servers and racers start as processes: compiling anew costs each 3 s

scripts/lint.sh
.venv/bin/mypy
exec .venv/bin/pytest -q --database=both -n "${WORKERS:-2}" --dist=loadgroup
