#!/bin/bash
# Pings the media proxy by the NG protocol, as the gateways do, and is content with a pong within two seconds.
set -eu

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=addresses.sh
. "$here/addresses.sh"

if ! address="${PRIVATE_ADDRESS:-$(default_route_address)}"; then
    echo "PRIVATE_ADDRESS is not set, and this machine has no default route that would tell" >&2
    exit 1
fi
port="${NG_PORT:-2223}"
# A message is a cookie, which comes back with the answer, and a bencoded dictionary.
cookie="healthcheck-$$-$RANDOM"
exec 3<> "/dev/udp/$address/$port"
printf '%s d7:command4:pinge' "$cookie" >&3
# One read takes the whole datagram; bash's own would take a byte of it and lose the rest.
answer=$(timeout 2 dd bs=65535 count=1 status=none <&3 2> /dev/null) || true
case "$answer" in
    "$cookie d6:result4:ponge") exit 0 ;;
    "") echo "no answer from $address:$port" >&2 ;;
    *) echo "$address:$port answers: $answer" >&2 ;;
esac
exit 1
