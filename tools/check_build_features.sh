#!/bin/sh
# Lists the dependencies of the wheel whose features differ from those in a test of the whole
# workspace. Nothing should be listed.
set -eu
cd "$(dirname "$0")/.."
features() { cargo tree "$@" --prefix none -f '{p} [{f}]' | sed 's/ (\*)$//' | sort -u; }
one=$(mktemp)
all=$(mktemp)
trap 'rm -f "$one" "$all"' EXIT
features -p render-on-lambda-python -e normal,build >"$one"
features --workspace -e normal,dev,build >"$all"
comm -23 "$one" "$all"
