#!/usr/bin/env bash
# Translations. usage: messages.sh update (collect, merge, compile) | compile (only what is older than its source)
set -euo pipefail
cd "$(dirname "$0")/.."

folder=portal/translations
if [ "${1:-update}" = update ]; then
  template=$(mktemp)
  trap 'rm -f "$template"' EXIT
  .venv/bin/pybabel -q extract -F babel.cfg -k N_ -k _l -k lazy_gettext -k lazy_ngettext --no-location --sort-output \
    --no-wrap -o "$template" portal templates
  for locale in zh_Hans zh_Hant ko; do
    if [ -e "$folder/$locale/LC_MESSAGES/messages.po" ]; then step=update; else step=init; fi
    options=(-i "$template" -d "$folder" -l "$locale" --no-wrap)
    [ "$step" = init ] || options+=(--no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date)
    .venv/bin/pybabel -q "$step" "${options[@]}"
    # The header keeps what is needed to read the file (the plural rule among it), no dates and no names.
    sed -i -E '/^"(Project-Id-Version|Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team|Generated-By)/d; /^#( .*)?$/d' \
      "$folder/$locale/LC_MESSAGES/messages.po"
  done
fi
for source in "$folder"/*/LC_MESSAGES/*.po; do
  [ -e "$source" ] || continue
  target=${source%.po}.mo
  [ "$target" -nt "$source" ] || .venv/bin/pybabel -q compile -i "$source" -o "$target"
done
