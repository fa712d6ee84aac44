#!/bin/bash
# Starts rtpengine between two networks: `private`, where the switches are, and `public`, where the clients are; the client
# gateway asks for them by these names. The environment says what differs from one machine to the next, rtpengine.conf
# what does not. Exit status 78 (EX_CONFIG) means that a setting is missing or wrong.
set -eu

refuse() {
    echo "media proxy: $1" >&2
    exit 78
}

is_address() {
    local octet='(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])'
    [[ $1 =~ ^$octet(\.$octet){3}$ ]]
}

is_port() {
    [[ $1 =~ ^[1-9][0-9]{0,4}$ ]] && (($1 <= 65535))
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=addresses.sh
. "$here/addresses.sh"

# --- settings

NG_PORT="${NG_PORT:-2223}"
MEDIA_PORT_MIN="${MEDIA_PORT_MIN:-30000}"
MEDIA_PORT_MAX="${MEDIA_PORT_MAX:-40000}"
HEALTHCHECK_PORT="${HEALTHCHECK_PORT:-2224}"
# syslog's levels: 4 warnings, 5 notices, 6 information (each call's statistics), 7 debugging (SDP too).
LOG_LEVEL="${LOG_LEVEL:-6}"

for name in NG_PORT MEDIA_PORT_MIN MEDIA_PORT_MAX HEALTHCHECK_PORT; do
    is_port "${!name}" || refuse "$name is '${!name}', not a port"
done
((MEDIA_PORT_MIN < MEDIA_PORT_MAX)) ||
    refuse "MEDIA_PORT_MIN is $MEDIA_PORT_MIN, not below MEDIA_PORT_MAX, which is $MEDIA_PORT_MAX"
[[ $LOG_LEVEL =~ ^[0-7]$ ]] || refuse "LOG_LEVEL is '$LOG_LEVEL', not a level from 0 to 7"

if [[ -z ${PRIVATE_ADDRESS:-} ]]; then
    PRIVATE_ADDRESS=$(default_route_address) ||
        refuse "PRIVATE_ADDRESS is not set, and this machine has no default route that would tell"
fi
[[ -n ${ADVERTISED_ADDRESS:-} ]] ||
    refuse "ADVERTISED_ADDRESS is not set; it is the address that clients reach this machine at"
if [[ $ADVERTISED_ADDRESS == instance-metadata ]]; then
    ADVERTISED_ADDRESS=$(instance_metadata_address) ||
        refuse "ADVERTISED_ADDRESS is instance-metadata, but the instance has no public address or does not tell it"
fi
# Behind EC2's NAT both networks are reached from one address; a machine that has one in each names the other here.
PUBLIC_ADDRESS="${PUBLIC_ADDRESS:-$PRIVATE_ADDRESS}"
# Where rtpengine's command line listens. It asks for no password, and neither does NG: no security group opens it.
HEALTHCHECK_ADDRESS="${HEALTHCHECK_ADDRESS:-$PRIVATE_ADDRESS}"
for name in PRIVATE_ADDRESS PUBLIC_ADDRESS ADVERTISED_ADDRESS HEALTHCHECK_ADDRESS; do
    is_address "${!name}" || refuse "$name is '${!name}', not an IPv4 address"
done

# At level 6 every command of a gateway is logged, and so is every ping. Debugging is when somebody wants to see them.
control_log_level=$((LOG_LEVEL == 6 ? 5 : LOG_LEVEL))

# --- start

# Each call holds four sockets; an ordinary process starts with 1024, and may take as many as the hard limit.
ulimit -S -n "$(ulimit -H -n)"

exec "${RTPENGINE:-rtpengine}" \
    --config-file="$here/rtpengine.conf" \
    --interface="private/$PRIVATE_ADDRESS" \
    --interface="public/$PUBLIC_ADDRESS!$ADVERTISED_ADDRESS" \
    --listen-ng="$PRIVATE_ADDRESS:$NG_PORT" \
    --listen-cli="$HEALTHCHECK_ADDRESS:$HEALTHCHECK_PORT" \
    --port-min="$MEDIA_PORT_MIN" \
    --port-max="$MEDIA_PORT_MAX" \
    --log-level="$LOG_LEVEL" \
    --log-level-control="$control_log_level"
