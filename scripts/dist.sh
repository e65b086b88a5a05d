#!/usr/bin/env bash
# Build the wheel and look into it: a page without its template is found here, not in production.
set -euo pipefail
cd "$(dirname "$0")/.."

rm -rf dist
.venv/bin/python -m build --wheel --no-isolation --outdir dist . >/dev/null
wheel=$(ls dist/*.whl)
held=$(.venv/bin/python -m zipfile -l "$wheel")
for part in portal/templates/base.html portal/static/ portal/translations/ko/LC_MESSAGES/messages.mo portal/migrations/env.py; do
  grep -q "^$part" <<< "$held" || { echo "$wheel lacks $part" >&2; exit 1; }
done
cp requirements/run.txt dist/requirements.txt
echo "$wheel"
