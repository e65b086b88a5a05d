#!/usr/bin/env bash
# Compare the models with a fresh database and write the difference as a migration.
# usage: migration.sh "Add shipments"
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export PORTAL_DEMO=1 PORTAL_DATA_DIR="$folder"
.venv/bin/portal db upgrade
.venv/bin/portal db revision --message "$1"
.venv/bin/ruff format --quiet portal/migrations
