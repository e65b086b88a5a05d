#!/usr/bin/env bash
# Let two scanners loose on a demo of their own, signed in as a buyer and as a service agent:
# wapiti (pages, forms, headers) and sqlmap (what the address asks for). Nothing of yours is
# touched. They are no part of the project: install them where you like (docs/operations.md).
#   WAPITI=/path/wapiti SQLMAP=/path/sqlmap  where they are not on the PATH
#   MINUTES=5                                for each run of a scanner
# Ends well only when both ran and neither found anything; what they said is in build/scan/.
set -euo pipefail
cd "$(dirname "$0")/.."

wapiti=${WAPITI:-$(command -v wapiti || true)}
sqlmap=${SQLMAP:-$(command -v sqlmap || true)}
missing=()
[ -x "$wapiti" ] || missing+=("wapiti (pip install wapiti3)")
[ -x "$sqlmap" ] || missing+=("sqlmap (pip install sqlmap)")
if [ ${#missing[@]} -gt 0 ]; then
  printf 'Not scanned, for this is not installed: %s\n' "${missing[@]}" >&2
  exit 2
fi

out=build/scan
rm -rf "$out"
mkdir -p "$out"
PORTAL_DATA_DIR=$(mktemp -d)
port=${PORT:-8137}
url=http://127.0.0.1:$port
unset PORTAL_DATABASE_URL PORTAL_OWNER_DATABASE_URL
export PORTAL_DATA_DIR PORTAL_DEMO=1 PORTAL_BASE_URL=$url
portal=.venv/bin/portal
"$portal" db upgrade >"$out/server.log" 2>&1
"$portal" demo load >>"$out/server.log" 2>&1
"$portal" serve --port "$port" >>"$out/server.log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -rf "$PORTAL_DATA_DIR"' EXIT

.venv/bin/python scripts/scan.py "$url" "$out" "$wapiti" "$sqlmap" "${MINUTES:-5}"
