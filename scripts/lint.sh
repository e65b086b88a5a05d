#!/usr/bin/env bash
# Everything that reads the code without running it; takes seconds.
set -euo pipefail
cd "$(dirname "$0")/.."

.venv/bin/ruff check .
.venv/bin/ruff format --check --quiet . || { echo "Code is out of shape: make fmt."; exit 1; }
if [ -d templates ]; then
  .venv/bin/djlint templates --check --quiet || { echo "Templates are out of shape: make fmt."; exit 1; }
  .venv/bin/djlint templates --lint --quiet
fi
.venv/bin/lint-imports
