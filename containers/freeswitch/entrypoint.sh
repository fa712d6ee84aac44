#!/bin/bash
# Starts FreeSWITCH: fills the configuration templates from the environment and runs it. Exit status 78 (EX_CONFIG) means
# that a setting is missing or wrong.
#
# Told to stop (SIGTERM), it has FreeSWITCH take no new call and lets those that there are end, for FS_DRAIN_TIMEOUT
# seconds at most; told once more, it hangs them up at once.
set -eu

# The container's first process has no default: without this, it would ignore being told to stop before FreeSWITCH runs.
trap 'exit 143' TERM INT

refuse() {
    echo "freeswitch: $1" >&2
    exit 78
}

is_port() {
    case "$1" in
        *[!0-9]* | '' | ??????*) return 1 ;;
    esac
    [ "$1" -ge 1 ] && [ "$1" -le 65535 ]
}

is_ipv4() {
    printf '%s\n' "$1" | grep -Eqx '(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}'
}

# --- settings

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=address.sh
. "$here/address.sh"
# shellcheck source=event_socket.sh
. "$here/event_socket.sh"

FS_LISTEN_ADDRESS="${FS_LISTEN_ADDRESS:-$(default_route_address)}" ||
    refuse "FS_LISTEN_ADDRESS is not set, and this machine has no default route that would tell"
export FS_LISTEN_ADDRESS
export FS_SIP_PORT="${FS_SIP_PORT:-5060}"
export FS_SIP_ALTERNATIVE_PORT="${FS_SIP_ALTERNATIVE_PORT:-5080}"
export FS_SIP_UAC_PORT="${FS_SIP_UAC_PORT:-$((FS_SIP_ALTERNATIVE_PORT + 1))}"
# The event socket: the app beside it uses loopback, the gateways this machine's address; the wildcard has both.
export FS_EVENT_SOCKET_LISTEN_ADDRESS="${FS_EVENT_SOCKET_LISTEN_ADDRESS:-0.0.0.0}"
export FS_EVENT_SOCKET_PORT="${FS_EVENT_SOCKET_PORT:-8021}"
# Networks that may log in, separated by commas: this machine, and where the gateways are.
FS_EVENT_SOCKET_NETWORKS="${FS_EVENT_SOCKET_NETWORKS:-127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16}"
# Where the app takes calls.
export FS_SWITCH_APP_ADDRESS="${FS_SWITCH_APP_ADDRESS:-127.0.0.1:8084}"
export FS_MAXIMUM_SESSIONS="${FS_MAXIMUM_SESSIONS:-150}"
export FS_RTP_PORT_MINIMUM="${FS_RTP_PORT_MINIMUM:-16384}"
export FS_RTP_PORT_MAXIMUM="${FS_RTP_PORT_MAXIMUM:-32768}"
# FreeSWITCH's levels: err, warning, notice, info. Its debug level writes what callers dial and what they are told.
export FS_LOG_LEVEL="${FS_LOG_LEVEL:-notice}"
export FS_LOG_FILE="${FS_LOG_FILE:-/dev/stdout}"
# Whether SIP messages are logged: yes, no.
export FS_SIP_TRACE="${FS_SIP_TRACE:-no}"
# Seconds that calls have to end when it is told to stop: with what its own end takes, below the 120 that ECS waits at most
# before it kills. Seconds that it stays at least: until no gateway sends calls here any more.
FS_DRAIN_TIMEOUT="${FS_DRAIN_TIMEOUT:-100}"
FS_STOP_DELAY="${FS_STOP_DELAY:-5}"
# Filled-in configuration and process files; databases, which are best in memory; what the app shares with FreeSWITCH:
# recordings, and data records that it sends on.
FS_STATE_DIRECTORY="${FS_STATE_DIRECTORY:-/var/lib/freeswitch/state}"
FS_DATABASE_DIRECTORY="${FS_DATABASE_DIRECTORY:-/dev/shm/freeswitch}"
FS_STORAGE_DIRECTORY="${FS_STORAGE_DIRECTORY:-/var/lib/freeswitch/storage}"
export CALL_DATA_RECORDS_DIRECTORY="${CALL_DATA_RECORDS_DIRECTORY:-$FS_STORAGE_DIRECTORY/call_data_records}"

value=
for name in FS_NAT_GATEWAY_IP FS_NAT_INSTANCE_IP FS_EVENT_SOCKET_PASSWORD; do
    eval "value=\${$name:-}"
    [ -n "$value" ] || refuse "$name is not set"
done
for name in FS_LISTEN_ADDRESS FS_EVENT_SOCKET_LISTEN_ADDRESS FS_NAT_GATEWAY_IP FS_NAT_INSTANCE_IP; do
    eval "value=\$$name"
    is_ipv4 "$value" || refuse "$name is '$value', not an IPv4 address"
done
for name in FS_SIP_PORT FS_SIP_ALTERNATIVE_PORT FS_SIP_UAC_PORT FS_EVENT_SOCKET_PORT FS_RTP_PORT_MINIMUM \
    FS_RTP_PORT_MAXIMUM; do
    eval "value=\$$name"
    is_port "$value" || refuse "$name is '$value', not a port"
done
[ "$FS_RTP_PORT_MINIMUM" -lt "$FS_RTP_PORT_MAXIMUM" ] ||
    refuse "FS_RTP_PORT_MINIMUM is $FS_RTP_PORT_MINIMUM, not below FS_RTP_PORT_MAXIMUM, $FS_RTP_PORT_MAXIMUM"
case "$FS_MAXIMUM_SESSIONS" in
    *[!0-9]* | '' | 0) refuse "FS_MAXIMUM_SESSIONS is '$FS_MAXIMUM_SESSIONS', not a positive number" ;;
esac
for name in FS_DRAIN_TIMEOUT FS_STOP_DELAY; do
    eval "value=\$$name"
    case "$value" in
        *[!0-9]* | '' | ??????*) refuse "$name is '$value', not seconds from 0 to 99999" ;;
    esac
done
case "$FS_LOG_LEVEL" in
    err | warning | notice | info) ;;
    *) refuse "FS_LOG_LEVEL is '$FS_LOG_LEVEL', not err, warning, notice or info" ;;
esac
case "$FS_SIP_TRACE" in
    yes | no) ;;
    *) refuse "FS_SIP_TRACE is '$FS_SIP_TRACE', not yes or no" ;;
esac
# FreeSWITCH reads $${...} as a variable of its own, and the event socket a line as a command.
case "$FS_EVENT_SOCKET_PASSWORD" in
    *[!A-Za-z0-9.,_~+/=:@%-]*) refuse "FS_EVENT_SOCKET_PASSWORD has a character other than letters, digits and .,_~+/=:@%-" ;;
esac
printf '%s\n' "$FS_SWITCH_APP_ADDRESS" | grep -Eqx '[A-Za-z0-9.-]+:[0-9]+' ||
    refuse "FS_SWITCH_APP_ADDRESS is '$FS_SWITCH_APP_ADDRESS', not host:port"
for name in FS_STATE_DIRECTORY FS_DATABASE_DIRECTORY CALL_DATA_RECORDS_DIRECTORY; do
    eval "value=\$$name"
    mkdir -p "$value" 2> /dev/null || true
    if ! [ -d "$value" ] || ! [ -w "$value" ]; then
        refuse "$name is '$value', not a directory that user $(id -u) may write to"
    fi
done

# --- configuration

configuration="$FS_STATE_DIRECTORY/configuration"
mkdir -p "$configuration" "$FS_STATE_DIRECTORY/log" "$FS_STATE_DIRECTORY/run"
for template in "$here"/configuration/*.xml; do
    awk -f "$here/render.awk" "$template" > "$configuration/${template##*/}" || exit 78
done
# The one setting that is a list.
{
    echo '<include>'
    for network in $(printf '%s' "$FS_EVENT_SOCKET_NETWORKS" | tr ',' ' '); do
        length=${network#*/}
        if ! is_ipv4 "${network%/*}" || ! [ "$length" -ge 0 ] 2> /dev/null || [ "$length" -gt 32 ]; then
            refuse "FS_EVENT_SOCKET_NETWORKS has '$network', not a network such as 10.0.0.0/8"
        fi
        echo "  <node type=\"allow\" cidr=\"$network\"/>"
    done
    echo '</include>'
} > "$configuration/event_socket_networks.xml"

# --- stop

# Prints how many sessions FreeSWITCH has, after it was told to take no call that comes in. One that a live call dials is
# no such call. FreeSWITCH's own ways to end in peace (`-elegant-term`, `fsctl shutdown elegant`) refuse those too.
# shellcheck disable=SC2317 # the trap runs it
sessions() {
    event_socket_ask "fsctl pause inbound" status 2> /dev/null | sed -n 's/^\([0-9]*\) session(s) - peak.*/\1/p'
}

# Waits until FreeSWITCH has no session, and thus has written every record, or the time is up; at least as long as the
# gateways may still send calls here, which are to be refused rather than left without an answer.
# shellcheck disable=SC2317 # the trap runs it
drain() {
    local misses=0 count leave_at=$((SECONDS + FS_STOP_DELAY))
    while kill -0 "$1" 2> /dev/null && [ "$misses" -lt 3 ] && [ "$SECONDS" -lt "$stop_by" ]; do
        count=$(sessions)
        case "$count" in
            0) [ "$SECONDS" -lt "$leave_at" ] || return 0 ;;
            "") misses=$((misses + 1)) ;;
            *) misses=0 ;;
        esac
        sleep 0.5
    done
}

# Hangs up what is left, and waits some seconds for its records.
# shellcheck disable=SC2317 # the trap runs it
cut_off() {
    local count hung_up_by=$((SECONDS + 5))
    count=$(sessions)
    if [ -z "$count" ] || [ "$count" -eq 0 ]; then
        return 0
    fi
    echo "freeswitch: ends with $count sessions, which are hung up" >&2
    event_socket_ask "hupall SYSTEM_SHUTDOWN" > /dev/null 2>&1 || true
    while [ "$SECONDS" -lt "$hung_up_by" ] && [ "$(sessions)" != 0 ]; do
        sleep 0.2
    done
}

# shellcheck disable=SC2317 # the trap runs it
stop() {
    local freeswitch="${!-}"
    [ -n "$freeswitch" ] || exit 143
    stop_by=$((SECONDS + FS_DRAIN_TIMEOUT))
    trap 'stop_by=0' TERM INT
    echo "freeswitch: told to stop; calls have $FS_DRAIN_TIMEOUT seconds to end" >&2
    drain "$freeswitch"
    trap '' TERM INT
    cut_off
    kill -TERM "$freeswitch" 2> /dev/null || true
    stopping=yes
}

# --- start

trap stop TERM INT
# No port mapping (-nonat), no console to type at (-nc), in the foreground (-nf). Standard input is nobody's.
"${FREESWITCH:-freeswitch}" -nonat -nc -nf \
    -conf "$configuration" -log "$FS_STATE_DIRECTORY/log" -run "$FS_STATE_DIRECTORY/run" -db "$FS_DATABASE_DIRECTORY" \
    ${FREESWITCH_MODULES:+-mod "$FREESWITCH_MODULES"} < /dev/null &
freeswitch=$!
status=0
wait "$freeswitch" || status=$?
if [ -n "${stopping:-}" ]; then # then it was the signal that ended the wait
    status=0
    wait "$freeswitch" || status=$?
fi
exit "$status"
