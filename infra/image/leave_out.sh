#!/bin/sh
# Deletes from a folder what the patterns in a list name: leave_out.sh FOLDER LIST
set -eu
cd "$1"
grep -v '^#' "$2" | while read -r pattern; do
    # shellcheck disable=SC2086 # a pattern is to be expanded
    rm -rf $pattern
done
