#!/bin/sh
# In Lambda, and with --poll, the consumer itself; anywhere else the consumer under Lambda's emulator.
set -eu
consumer=/opt/render-on-lambda/consumer
if [ -n "${AWS_LAMBDA_RUNTIME_API:-}" ] || [ "${1:-}" = --poll ]; then
    exec "$consumer" "$@"
fi
exec /usr/local/bin/aws-lambda-rie \
    --runtime-interface-emulator-address "${RIE_ADDRESS:-0.0.0.0:8080}" \
    --runtime-api-address "${RIE_RUNTIME_API:-127.0.0.1:9001}" \
    "$consumer" "$@"
