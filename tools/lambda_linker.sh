#!/bin/sh
# Links for glibc 2.28, older than that of any function (2.34 in provided.al2023): what is built on a
# newer Debian or Ubuntu would ask for that system's glibc, and not start in Lambda.
exec "$(dirname "$0")/../.tools/venv/bin/cargo-zigbuild" zig cc -- \
    -g -fno-sanitize=all -target x86_64-linux-gnu.2.28 "$@"
