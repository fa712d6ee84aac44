# shellcheck shell=bash
# How the media proxy's scripts ask rtpengine, as the gateways do: by its NG protocol. Sourced by entrypoint.sh and
# healthcheck.sh.

# Sends a bencoded command to an address and port, and prints what is answered within two seconds, nothing if nothing is.
# A message is a cookie, which comes back with the answer, and a dictionary; an answer to another cookie keeps it.
ng_ask() {
    local cookie="container-$$-$RANDOM" answer
    exec 3<> "/dev/udp/$1/$2"
    printf '%s %s' "$cookie" "$3" >&3
    # One read takes the whole datagram; bash's own would take a byte of it and lose the rest.
    answer=$(timeout 2 dd bs=65535 count=1 status=none <&3 2> /dev/null) || true
    exec 3>&-
    printf '%s' "${answer#"$cookie "}"
}
