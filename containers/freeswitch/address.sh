# shellcheck shell=sh
# How FreeSWITCH finds its own address. Sourced by entrypoint.sh and healthcheck.sh; the gateways do it alike.

# The address that packets to the internet leave from. Only the routing table is asked, nothing is sent; 192.0.2.1 is a
# documentation address (RFC 5737), which no host has. A host's name may stand for a loopback address, or for several.
default_route_address() {
    ip -4 route get 192.0.2.1 2> /dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p' | grep .
}
