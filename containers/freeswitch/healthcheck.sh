#!/bin/bash
# Asks FreeSWITCH as its peers do: a SIP OPTIONS on both ports that calls come by, and a login at the event socket. Content
# with 200, 200 and a status, each within a second.
set -eu

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=address.sh
. "$here/address.sh"
# shellcheck source=event_socket.sh
. "$here/event_socket.sh"

if ! address="${FS_LISTEN_ADDRESS:-$(default_route_address)}"; then
    echo "FS_LISTEN_ADDRESS is not set, and this machine has no default route that would tell" >&2
    exit 1
fi

options() {
    local port=$1 answer status
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
    answer=$(timeout 1 dd bs=65535 count=1 status=none <&3 | tr -d '\r') || true
    exec 3>&-
    status=${answer%%$'\n'*}
    case "$status" in
        "SIP/2.0 200 "*) return 0 ;;
        # It has all the calls that it can have, or takes no more before it ends: both are as they should be.
        "SIP/2.0 503 "*) return 0 ;;
        "") echo "no answer from $address:$port" >&2 ;;
        *) echo "$address:$port answers: $status" >&2 ;;
    esac
    return 1
}

# The answer to each of its three lines begins with a header; the last one has the status in its body.
event_socket() {
    local listen="${FS_EVENT_SOCKET_LISTEN_ADDRESS:-0.0.0.0}:${FS_EVENT_SOCKET_PORT:-8021}" answer
    answer=$(event_socket_ask status) || return 1
    case "$answer" in
        *"+OK accepted"*"is ready"*) return 0 ;;
        *"-ERR invalid"*) echo "the event socket at $listen refuses the password" >&2 ;;
        *) echo "the event socket at $listen does not say that FreeSWITCH is ready" >&2 ;;
    esac
    return 1
}

options "${FS_SIP_PORT:-5060}"
options "${FS_SIP_ALTERNATIVE_PORT:-5080}"
event_socket
