#!/usr/bin/env bash
# Prepare the checkout: system libraries, .venv, locked packages, the project itself, translations.
# usage: setup.sh run|test    A step whose input did not change since last time is skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

purpose=${1:-run}
stamps=.venv/.stamps
libraries=(libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fontconfig fonts-dejavu-core fonts-noto-cjk)
[ "$purpose" = run ] || libraries+=(chromium-headless-shell) # half the work of a whole chromium

say() { printf '%s\n' "$*" >&2; }

as_root() { # run apt as root, or name the one command that a person has to run
  if [ "$(id -u)" = 0 ]; then
    say "Installing with apt: $*"
    apt-get update -qq >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
  else
    say "System packages are missing. Please run this once, then repeat:"
    say "  sudo apt-get update && sudo apt-get install -y --no-install-recommends $*"
    exit 1
  fi
}

can_install() { [ "$(id -u)" = 0 ] && [ -n "$(apt-cache madison chromium-headless-shell 2>/dev/null)" ]; }

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

system_libraries() {
  if ! command -v dpkg-query >/dev/null; then
    say "Not a Debian: WeasyPrint needs Pango, HarfBuzz and a CJK font from your own package manager."
    return
  fi
  local missing=() package
  for package in "${libraries[@]}"; do is_installed "$package" || missing+=("$package"); done
  # A whole browser will do where nobody can install the small one.
  if [ -x /usr/bin/chromium ] && ! can_install; then missing=("${missing[@]/#chromium-headless-shell/}"); fi
  # shellcheck disable=SC2206 - drops the empty word left above; package names hold no spaces
  missing=(${missing[@]})
  [ ${#missing[@]} = 0 ] || as_root "${missing[@]}"
}

find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  say "Python 3.11 or newer is needed."
  exit 1
}

virtual_environment() {
  [ -x .venv/bin/python ] && .venv/bin/python -c 'import pip' 2>/dev/null && return
  local python
  python=$(find_python)
  "$python" -c 'import ensurepip, venv' 2>/dev/null || as_root python3-venv
  say "Creating .venv with $("$python" --version)"
  "$python" -m venv --clear .venv
}

install() { # install FILE: exactly the versions and hashes of the lock
  local stamp
  stamp=$stamps/$(basename "$1" .txt)-$(sha256sum "$1" | cut -c1-16)
  [ -e "$stamp" ] && return
  say "Installing $1"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --require-hashes -r "$1"
  rm -f "$stamps/$(basename "$1" .txt)"-*
  touch "$stamp"
}

project() { # the checkout itself, editable: the code runs from where it lies
  local stamp
  stamp=$stamps/project-$(sha256sum pyproject.toml | cut -c1-16)
  [ -e "$stamp" ] && [ -x .venv/bin/portal ] && return
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
  rm -f "$stamps"/project-*
  touch "$stamp"
}

system_libraries
virtual_environment
mkdir -p "$stamps"
install requirements/build.txt
install requirements/run.txt
[ "$purpose" = run ] || install requirements/dev.txt
project
scripts/messages.sh compile
