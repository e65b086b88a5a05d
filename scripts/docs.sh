#!/usr/bin/env bash
# Pages generated from the code's own tables; a test says when one is out of date.
set -euo pipefail
cd "$(dirname "$0")/.."

.venv/bin/portal permissions --matrix >docs/permissions.csv
