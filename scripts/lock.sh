#!/usr/bin/env bash
# Resolve pyproject.toml into locks with hashes that name no registry: what runs, what builds, all for developers.
set -euo pipefail
cd "$(dirname "$0")/.."

uv=.venv/bin/uv
lock() { "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header "$@"; }

lock pyproject.toml --group dev --group build -o requirements/dev.txt
lock pyproject.toml -c requirements/dev.txt -o requirements/run.txt
lock --group build -c requirements/dev.txt -o requirements/build.txt
