#!/usr/bin/env bash
# Translations. usage: messages.sh update (collect, merge, compile) | compile (only what is older than its source)
set -euo pipefail
cd "$(dirname "$0")/.."

folder=portal/translations
if [ "${1:-update}" = update ]; then
  template=$(mktemp)
  trap 'rm -f "$template"' EXIT
  .venv/bin/pybabel -q extract -F babel.cfg -k N_ -k lazy_gettext -k lazy_ngettext --no-location --sort-output \
    --no-wrap --omit-header -o "$template" portal templates
  for locale in zh_Hans zh_Hant ko; do
    if [ -e "$folder/$locale/LC_MESSAGES/messages.po" ]; then step=update; else step=init; fi
    options=(-i "$template" -d "$folder" -l "$locale" --no-wrap)
    [ "$step" = init ] || options+=(--no-fuzzy-matching --ignore-obsolete --omit-header)
    .venv/bin/pybabel -q "$step" "${options[@]}"
  done
fi
for source in "$folder"/*/LC_MESSAGES/*.po; do
  [ -e "$source" ] || continue
  target=${source%.po}.mo
  [ "$target" -nt "$source" ] || .venv/bin/pybabel -q compile -i "$source" -o "$target"
done
