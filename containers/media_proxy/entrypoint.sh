#!/bin/bash
# Starts rtpengine between two networks: `private`, where the switches are, and `public`, where the clients are; the client
# gateway asks for them by these names. The environment says what differs from one machine to the next, rtpengine.conf
# what does not. Exit status 78 (EX_CONFIG) means that a setting is missing or wrong.
#
# Told to stop (SIGTERM), it lets the sessions that there are end, for DRAIN_TIMEOUT seconds at most; told once more, it
# stops at once. It refuses no session meanwhile: keeping new ones away is for the gateways, which know other proxies.
set -eu

# The container's first process has no default: without this, it would ignore being told before rtpengine runs.
trap 'exit 143' TERM INT

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
# shellcheck source=ng.sh
. "$here/ng.sh"

# --- settings

NG_PORT="${NG_PORT:-2223}"
MEDIA_PORT_MIN="${MEDIA_PORT_MIN:-30000}"
MEDIA_PORT_MAX="${MEDIA_PORT_MAX:-40000}"
HEALTHCHECK_PORT="${HEALTHCHECK_PORT:-2224}"
# syslog's levels: 4 warnings, 5 notices, 6 information (each call's statistics), 7 debugging (SDP too).
LOG_LEVEL="${LOG_LEVEL:-6}"
# Below the 120 seconds that ECS waits at most before it kills.
DRAIN_TIMEOUT="${DRAIN_TIMEOUT:-110}"

for name in NG_PORT MEDIA_PORT_MIN MEDIA_PORT_MAX HEALTHCHECK_PORT; do
    is_port "${!name}" || refuse "$name is '${!name}', not a port"
done
((MEDIA_PORT_MIN < MEDIA_PORT_MAX)) ||
    refuse "MEDIA_PORT_MIN is $MEDIA_PORT_MIN, not below MEDIA_PORT_MAX, which is $MEDIA_PORT_MAX"
[[ $LOG_LEVEL =~ ^[0-7]$ ]] || refuse "LOG_LEVEL is '$LOG_LEVEL', not a level from 0 to 7"
[[ $DRAIN_TIMEOUT =~ ^(0|[1-9][0-9]{0,4})$ ]] || refuse "DRAIN_TIMEOUT is '$DRAIN_TIMEOUT', not seconds from 0 to 99999"

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

# --- stop

# Waits until rtpengine has no session, has left three questions unanswered, or the time is up.
# shellcheck disable=SC2317 # the trap runs it
drain() {
    local misses=0 answer
    while kill -0 "$1" 2> /dev/null && ((misses < 3)); do
        answer=$(ng_ask "$PRIVATE_ADDRESS" "$NG_PORT" d7:command4:list5:limit1:1e)
        case "$answer" in
            d5:callsle6:result2:oke) return 0 ;; # a bare one would return what was before the trap
            "") misses=$((misses + 1)) ;;
            *) misses=0 ;;
        esac
        if ((SECONDS >= stop_by)); then
            echo "media proxy: ends with sessions that are not over" >&2
            return 0
        fi
        sleep 1
    done
}

# shellcheck disable=SC2317 # the trap runs it
stop() {
    local rtpengine="${!-}"
    [[ -n $rtpengine ]] || exit 143
    stop_by=$((SECONDS + DRAIN_TIMEOUT))
    trap 'stop_by=0' TERM INT
    echo "media proxy: told to stop; sessions have $DRAIN_TIMEOUT seconds to end" >&2
    drain "$rtpengine"
    trap '' TERM INT
    kill -TERM "$rtpengine" 2> /dev/null || true
    stopping=yes
}

# --- start

# Each call holds four sockets; an ordinary process starts with 1024, and may take as many as the hard limit.
ulimit -S -n "$(ulimit -H -n)"

trap stop TERM INT
"${RTPENGINE:-rtpengine}" \
    --config-file="$here/rtpengine.conf" \
    --interface="private/$PRIVATE_ADDRESS" \
    --interface="public/$PUBLIC_ADDRESS!$ADVERTISED_ADDRESS" \
    --listen-ng="$PRIVATE_ADDRESS:$NG_PORT" \
    --listen-cli="$HEALTHCHECK_ADDRESS:$HEALTHCHECK_PORT" \
    --port-min="$MEDIA_PORT_MIN" \
    --port-max="$MEDIA_PORT_MAX" \
    --log-level="$LOG_LEVEL" \
    --log-level-control="$control_log_level" &
rtpengine=$!
status=0
wait "$rtpengine" || status=$?
if [[ -n ${stopping:-} ]]; then # then it was the signal that ended the wait
    status=0
    wait "$rtpengine" || status=$?
fi
exit "$status"
