#!/bin/bash
# Asks the proxy whether it lives. Whether the app does is the app's own health check.
set -eu

port="${HTTP_PORT:-80}"
exec 3<> "/dev/tcp/127.0.0.1/$port"
printf 'GET /nginx_health HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
read -r -t 4 _ status _ <&3 || status="nothing"
[[ $status == 200 ]] && exit 0
echo "127.0.0.1:$port answers: $status" >&2
exit 1
