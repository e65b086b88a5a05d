#!/usr/bin/env bash
# A web scanner against a running portal; never against production. usage: scan.sh URL
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p build
.venv/bin/uv tool run --from wapiti3 wapiti -u "$1/" --scope folder --flush-session \
  -m "csp,http_headers,cookieflags,sql,xss,file,redirect,methods" -f txt -o build/scan.txt
cat build/scan.txt
