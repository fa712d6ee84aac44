#!/bin/bash
# Asks the gateway with a SIP OPTIONS over UDP, as a peer would, and is content with a 200 within two seconds.
set -eu

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=address.sh
. "$here/address.sh"

if ! address="${SIP_LISTEN_ADDRESS:-$(default_route_address)}"; then
    echo "SIP_LISTEN_ADDRESS is not set, and this machine has no default route that would tell" >&2
    exit 1
fi
port="${SIP_PORT:-5060}"
exec 3<> "/dev/udp/$address/$port"
printf '%s\r\n' \
    "OPTIONS sip:$address:$port SIP/2.0" \
    "Via: SIP/2.0/UDP $address;branch=z9hG4bK$$-$RANDOM;rport" \
    "Max-Forwards: 10" \
    "From: <sip:healthcheck@$address>;tag=$$" \
    "To: <sip:$address:$port>" \
    "Call-ID: healthcheck-$$-$RANDOM@$address" \
    "CSeq: 1 OPTIONS" \
    "Content-Length: 0" \
    "" | dd bs=65535 iflag=fullblock status=none >&3 # a datagram is one write; printf makes one of each line
# One read takes the whole datagram; bash's own would take a byte of it and lose the rest.
answer=$(timeout 2 dd bs=65535 count=1 status=none <&3 | tr -d '\r') || true
status=${answer%%$'\n'*}
case "$status" in
    "SIP/2.0 200 "*) exit 0 ;;
    "") echo "no answer from $address:$port" >&2 ;;
    *) echo "$address:$port answers: $status" >&2 ;;
esac
exit 1
