#!/usr/bin/env bash
# Known vulnerabilities of the locked packages. --strict: without a network it fails instead of reporting success.
set -euo pipefail
cd "$(dirname "$0")/.."

.venv/bin/uv tool run pip-audit --strict --disable-pip --require-hashes -r requirements/run.txt
