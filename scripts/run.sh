#!/usr/bin/env bash
# Start the demo: schema, cast (only into an empty database), web server and worker.
# PORT and every PORTAL_* setting count; a checkout that already ran keeps its data.
set -euo pipefail
cd "$(dirname "$0")/.."

export PORTAL_DEMO=${PORTAL_DEMO:-1}
export PORTAL_BASE_URL=${PORTAL_BASE_URL:-http://127.0.0.1:${PORT:-8000}}
portal=.venv/bin/portal

"$portal" db upgrade
"$portal" demo load --if-empty
exec "$portal" serve --port "${PORT:-8000}"
