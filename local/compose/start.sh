#!/bin/sh
# Starts local/compose.yaml with docker compose: settings and passwords are made once, in local/.env, which git ignores.
#
# COMPOSE           the command; docker compose, unless it is set
# HOST_ADDRESS      where phones reach this machine; its address in its own network, unless it is set
# SIGNALWIRE_TOKEN  what SignalWire gives FreeSWITCH's packages for; without it there is no switch
# BUILD             no: takes images that are there
set -eu
umask 077
cd "$(dirname "$0")/.."
settings=.env

fail() {
    echo "compose: $1" >&2
    exit 1
}

# The address of the interface with the default route: `ip` is Linux's, `route` and `ipconfig` are those of macOS.
own_address() {
    if command -v ip > /dev/null; then
        ip -4 route get 192.0.2.1 2> /dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p'
    elif command -v ipconfig > /dev/null; then
        ipconfig getifaddr "$(route -n get default 2> /dev/null | sed -n 's/.*interface: //p')" 2> /dev/null
    fi
}

# 24 letters and digits, which every program here takes in a password.
secret() {
    LC_ALL=C tr -dc 'A-Za-z0-9' < /dev/urandom | head -c 24
}

# Adds a setting, unless the file has it.
add() {
    grep -q "^$1=" "$settings" || echo "$1=$2" >> "$settings"
}

setting() {
    sed -n "s/^$1=//p" "$settings"
}

touch "$settings"
add NETWORK_PREFIX 172.30.77
add FS_EVENT_SOCKET_PASSWORD "$(secret)"
add AHN_HTTP_PASSWORD "$(secret)"
add CALL_PLATFORM_PASSWORD "$(secret)"
# A number: it is whom a call comes from, unless the phone says otherwise.
add SIP_USERNAME 85510777001
add SIP_PASSWORD "$(secret)"
# Not kept: a laptop is elsewhere tomorrow.
host=${HOST_ADDRESS:-$(own_address)}
[ -n "$host" ] || fail "HOST_ADDRESS is not set, and this machine has no default route that would tell"
case "$host" in
    *[!0-9.]*) fail "HOST_ADDRESS is '$host', not an IPv4 address" ;;
esac
export HOST_ADDRESS="$host"

# Word by word: it is a command with its first argument.
compose=${COMPOSE:-docker compose}
$compose version > /dev/null 2>&1 || fail "'$compose' does not work here; Docker with Compose 2.20 or newer is needed"

build=--build
[ "${BUILD:-yes}" != no ] || build=--no-build
switch=yes
if [ -z "${SIGNALWIRE_TOKEN:-}" ] && [ "$build" = --build ]; then
    switch=no
    cat >&2 << 'END'
compose: SIGNALWIRE_TOKEN is not set, and FreeSWITCH's packages cannot be had without it. Everything but the switch starts:
         phones register, and a call is answered 500. A token comes from https://signalwire.com (personal access tokens):

             SIGNALWIRE_TOKEN=... make compose

         With an image somleng-switch/freeswitch that is there already, `BUILD=no make compose` takes it.

END
fi
# From the beginning: the emulator keeps nothing, and what others hold of its tables would be of the past.
$compose --file compose.yaml --profile switch down --volumes --remove-orphans
set --
[ "$switch" = no ] || set -- --profile switch
$compose --file compose.yaml "$@" up "$build" --detach --wait --wait-timeout 600

cat << END

Register your softphone with these values:

    user name   $(setting SIP_USERNAME)
    password    $(setting SIP_PASSWORD)
    domain      $HOST_ADDRESS, port 5060, UDP or TCP

and call any number. The HTTP API of the switch is at http://127.0.0.1:8080 (user adhearsion, password
AHN_HTTP_PASSWORD of local/.env), AWS at http://127.0.0.1:4566. \`make compose-down\` ends it.
END
