#!/bin/bash
# Pings the media proxy by the NG protocol, as the gateways do, and is content with a pong within two seconds.
set -eu

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=addresses.sh
. "$here/addresses.sh"
# shellcheck source=ng.sh
. "$here/ng.sh"

if ! address="${PRIVATE_ADDRESS:-$(default_route_address)}"; then
    echo "PRIVATE_ADDRESS is not set, and this machine has no default route that would tell" >&2
    exit 1
fi
port="${NG_PORT:-2223}"
answer=$(ng_ask "$address" "$port" d7:command4:pinge)
case "$answer" in
    d6:result4:ponge) exit 0 ;;
    "") echo "no answer from $address:$port" >&2 ;;
    *) echo "$address:$port answers: $answer" >&2 ;;
esac
exit 1
