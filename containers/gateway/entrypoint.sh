#!/bin/bash
# Starts a gateway's OpenSIPS: fills the configuration template from the environment, waits until the scheduler has
# copied the routing tables, and runs it. Exit status 78 (EX_CONFIG) means that a setting is missing or wrong.
#
#   entrypoint.sh <public|client>
#
# Told to stop (SIGTERM), it has OpenSIPS take no new call and no registration, and lets live calls end, for DRAIN_TIMEOUT
# seconds at most; told once more, it stops at once.
set -eu

# The container's first process has no default: without this, it would ignore being told to stop before OpenSIPS runs.
trap 'exit 143' TERM INT

refuse() {
    echo "gateway: $1" >&2
    exit 78
}

# The address that EC2 maps to this instance; asked with a session token (IMDSv2). 16 seconds at most. The variable is
# the one that the AWS SDKs know. The media proxy's image asks alike; it is built from a folder of its own.
instance_metadata_address() {
    endpoint="${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254}"
    token=$(ask_metadata --request PUT --header "X-aws-ec2-metadata-token-ttl-seconds: 60" \
        "${endpoint%/}/latest/api/token") || return 1
    ask_metadata --header "X-aws-ec2-metadata-token: $token" "${endpoint%/}/latest/meta-data/public-ipv4"
}

ask_metadata() {
    curl --silent --show-error --fail --noproxy '*' --max-time 2 --retry 2 --retry-delay 1 --retry-connrefused \
        --retry-max-time 6 "$@"
}

is_port() {
    case "$1" in
        *[!0-9]* | '' | ??????*) return 1 ;;
    esac
    [ "$1" -ge 1 ] && [ "$1" -le 65535 ]
}

# What stands between quotes, or in an address of the configuration, must not end it.
is_plain() {
    case "$1" in
        *[!A-Za-z0-9.,_-]* | '') return 1 ;;
    esac
}

# --- settings

kind=${1:-${GATEWAY_KIND:-}}
case "$kind" in
    public | client) ;;
    *) refuse "GATEWAY_KIND is '$kind', not public or client" ;;
esac
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=address.sh
. "$here/address.sh"
# shellcheck source=management.sh
. "$here/management.sh"

# Where OpenSIPS and the scheduler meet: the databases, the management sockets, the scheduler's sign that it is ready.
export STATE_DIRECTORY="${STATE_DIRECTORY:-/var/lib/opensips}"
SIP_LISTEN_ADDRESS="${SIP_LISTEN_ADDRESS:-$(default_route_address)}" ||
    refuse "SIP_LISTEN_ADDRESS is not set, and this machine has no default route that would tell"
export SIP_LISTEN_ADDRESS
export SIP_PORT="${SIP_PORT:-5060}"
export SIP_ALTERNATIVE_PORT="${SIP_ALTERNATIVE_PORT:-5080}"
export SIP_REALM="${SIP_REALM:-somleng.org}"
# What clients may digest their password with. OpenSIPS offers the stronger first, in a header of its own each (RFC 8760);
# for a fleet of clients that look at the first header only and know no SHA-256, set MD5.
export DIGEST_ALGORITHMS="${DIGEST_ALGORITHMS:-MD5,SHA-256}"
export SIP_WORKERS="${SIP_WORKERS:-4}"
# The shortest registration that is granted, seconds.
export REGISTRATION_MINIMUM="${REGISTRATION_MINIMUM:-600}"
# The load-balancing group of the client gateways' own region.
export SWITCH_GROUP_ID="${SWITCH_GROUP_ID:-1}"
# Seconds without any answer, and seconds of ringing, until a call goes elsewhere or ends.
export ANSWER_TIMEOUT="${ANSWER_TIMEOUT:-5}"
export RING_TIMEOUT="${RING_TIMEOUT:-30}"
# Calls that a switch is taken to bear until its first heartbeat; a reload of the targets counts as that, too.
export INITIAL_SWITCH_CAPACITY="${INITIAL_SWITCH_CAPACITY:-1000}"
# Seconds between two OPTIONS to a switch.
export PROBE_INTERVAL="${PROBE_INTERVAL:-10}"
# Seconds that the scheduler is waited for.
READY_TIMEOUT="${READY_TIMEOUT:-120}"
# Seconds that calls have to end when it is told to stop; below the 120 that ECS waits at most before it kills.
DRAIN_TIMEOUT="${DRAIN_TIMEOUT:-110}"
# OpenSIPS's levels: -1 errors, 1 warnings, 2 notices, 3 information, 4 debugging.
export LOG_LEVEL="${LOG_LEVEL:-2}"
export SHARED_MEMORY_MEGABYTES="${SHARED_MEMORY_MEGABYTES:-256}"
export OPENSIPS_MODULES="${OPENSIPS_MODULES:-/usr/lib/$(uname -m)-linux-gnu/opensips/modules/}"

[ -n "${SIP_ADVERTISED_ADDRESS:-}" ] ||
    refuse "SIP_ADVERTISED_ADDRESS is not set; it is the address that peers reach this gateway at"
if [ "$SIP_ADVERTISED_ADDRESS" = instance-metadata ]; then
    SIP_ADVERTISED_ADDRESS=$(instance_metadata_address) ||
        refuse "SIP_ADVERTISED_ADDRESS is instance-metadata, but the instance has no public address or does not tell"
    export SIP_ADVERTISED_ADDRESS
fi
value=
for name in SIP_LISTEN_ADDRESS SIP_ADVERTISED_ADDRESS SIP_REALM DIGEST_ALGORITHMS; do
    eval "value=\$$name"
    is_plain "$value" || refuse "$name is '$value'; it may have letters, digits and .,_- in it"
done
for name in SIP_PORT SIP_ALTERNATIVE_PORT; do
    eval "value=\$$name"
    is_port "$value" || refuse "$name is '$value', not a port"
done
for name in SIP_WORKERS REGISTRATION_MINIMUM SWITCH_GROUP_ID ANSWER_TIMEOUT RING_TIMEOUT INITIAL_SWITCH_CAPACITY \
    PROBE_INTERVAL SHARED_MEMORY_MEGABYTES READY_TIMEOUT; do
    eval "value=\$$name"
    case "$value" in
        *[!0-9]* | '' | 0) refuse "$name is '$value', not a positive number" ;;
    esac
done
case "$DRAIN_TIMEOUT" in
    *[!0-9]* | '' | ??????*) refuse "DRAIN_TIMEOUT is '$DRAIN_TIMEOUT', not seconds from 0 to 99999" ;;
esac
case "$LOG_LEVEL" in
    -3 | -2 | -1 | 0 | 1 | 2 | 3 | 4) ;;
    *) refuse "LOG_LEVEL is '$LOG_LEVEL', not a level from -3 to 4" ;;
esac
[ "$ANSWER_TIMEOUT" -ge 2 ] || refuse "ANSWER_TIMEOUT is '$ANSWER_TIMEOUT'; OpenSIPS takes no less than 2 seconds"

if ! [ -d "$STATE_DIRECTORY" ] || ! [ -w "$STATE_DIRECTORY" ]; then
    refuse "STATE_DIRECTORY is '$STATE_DIRECTORY', not a directory that user $(id -u) may write to"
fi

# --- configuration

configuration="$STATE_DIRECTORY/opensips.cfg"
awk -f "$here/render.awk" "$here/common.cfg" > "$STATE_DIRECTORY/common.cfg" || exit 78
awk -f "$here/render.awk" "$here/$kind/opensips.cfg" > "$configuration" || exit 78

# --- stop

# Prints how many calls live, one that nobody has answered to yet included; nothing when OpenSIPS does not say.
# shellcheck disable=SC2317 # the trap runs it
live_calls() {
    management_ask profile_get_size '{"profile":"calls"}' | sed -n 's/.*"count":\([0-9]*\).*/\1/p'
}

# Waits until no call lives, OpenSIPS has left three questions unanswered, or the time is up.
# shellcheck disable=SC2317 # the trap runs it
drain() {
    local misses=0 count
    while kill -0 "$1" 2> /dev/null && [ "$misses" -lt 3 ] && [ "$SECONDS" -lt "$stop_by" ]; do
        management_ask shv_set '{"name":"draining","type":"int","value":1}' > /dev/null
        count=$(live_calls)
        case "$count" in
            0) return 0 ;;
            "") misses=$((misses + 1)) ;;
            *) misses=0 ;;
        esac
        sleep 0.5
    done
    echo "gateway: ends with ${count:-an unknown number of} calls" >&2
}

# shellcheck disable=SC2317 # the trap runs it
stop() {
    local opensips="${!-}"
    [ -n "$opensips" ] || exit 143
    stop_by=$((SECONDS + DRAIN_TIMEOUT))
    trap 'stop_by=0' TERM INT
    echo "gateway: told to stop; calls have $DRAIN_TIMEOUT seconds to end" >&2
    drain "$opensips"
    trap '' TERM INT
    kill -TERM "$opensips" 2> /dev/null || true
    stopping=yes
}

# --- start

# A gateway that knows no switch and no client would refuse every call: it waits for the scheduler's whole copy.
waited=0
until [ -e "$STATE_DIRECTORY/ready" ]; do
    if [ "$waited" -ge "$READY_TIMEOUT" ]; then
        echo "gateway: the scheduler is not ready after $READY_TIMEOUT seconds ($STATE_DIRECTORY/ready is not there)" >&2
        exit 75
    fi
    sleep 1
    waited=$((waited + 1))
done
rm -f "$STATE_DIRECTORY/mi.sock"
trap stop TERM INT
"${OPENSIPS:-opensips}" -F -f "$configuration" -m "$SHARED_MEMORY_MEGABYTES" &
opensips=$!
status=0
wait "$opensips" || status=$?
if [ -n "${stopping:-}" ]; then # then it was the signal that ended the wait
    status=0
    wait "$opensips" || status=$?
fi
exit "$status"
