#!/bin/bash
# Asks the proxy whether it lives. Whether the app does is the app's own health check.
set -eu

address="${HTTP_ADDRESS:-*}"
[[ $address != "*" && $address != 0.0.0.0 ]] || address=127.0.0.1
port="${HTTP_PORT:-80}"
exec 3<> "/dev/tcp/$address/$port"
printf 'GET /nginx_health HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
read -r -t 4 _ status _ <&3 || status="nothing"
[[ $status == 200 ]] && exit 0
echo "$address:$port answers: $status" >&2
exit 1
