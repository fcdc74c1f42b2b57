#!/bin/sh
# Links consumer, producer and set-up function as they are deployed, into build/functions.
set -eu
cd "$(dirname "$0")/.."
mkdir -p build/functions
# cargo-zigbuild looks for zig on the path.
PATH="$PWD/.tools/venv/bin:$PATH"
export PATH
for function in consumer producer setup; do
    name=render-on-lambda-$function
    cargo rustc --release --locked --quiet --package $name --bin $name -- \
        -C "linker=$PWD/tools/lambda_linker.sh"
    cp target/release/$name build/functions/$name
done
