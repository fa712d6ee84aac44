#!/bin/sh
# Starts the reverse proxy: fills the configuration template from the environment, and becomes nginx. Exit status 78
# (EX_CONFIG) means that a setting is missing or wrong.
set -eu

# The container's first process has no default: without this, it would ignore being told to stop before nginx runs.
trap 'exit 143' TERM INT

refuse() {
    echo "nginx: $1" >&2
    exit 78
}

is_number() {
    case "$1" in
        *[!0-9]* | '' | 0* | ???????*) return 1 ;;
    esac
}

here=$(cd "$(dirname "$0")" && pwd)

# --- settings

# Where it listens: an IPv4 address, or * for all of this machine.
export HTTP_ADDRESS="${HTTP_ADDRESS:-*}"
export HTTP_PORT="${HTTP_PORT:-80}"
# Where the app answers.
export APP_ADDRESS="${APP_ADDRESS:-127.0.0.1:3000}"
# Seconds that it may take: it asks where a client is before it makes a call.
export APP_TIMEOUT="${APP_TIMEOUT:-30}"
# What a request may carry; the app takes as much.
export BODY_MAXIMUM="${BODY_MAXIMUM:-512k}"
# Networks of load balancers whose X-Forwarded-For is believed, separated by commas.
TRUSTED_PROXIES="${TRUSTED_PROXIES:-10.0.0.0/8,172.16.0.0/12,192.168.0.0/16}"
# Where nginx keeps its process number and what it cannot keep in memory.
export STATE_DIRECTORY="${STATE_DIRECTORY:-/run/nginx}"

case "$HTTP_ADDRESS" in
    '*') ;;
    *[!0-9.]* | '' | .* | *. | *..*) refuse "HTTP_ADDRESS is '$HTTP_ADDRESS', not an IPv4 address or *" ;;
esac
{ is_number "$HTTP_PORT" && [ "$HTTP_PORT" -le 65535 ]; } || refuse "HTTP_PORT is '$HTTP_PORT', not a port"
case "$APP_ADDRESS" in
    *[!A-Za-z0-9.:_-]* | *:*:* | :*) refuse "APP_ADDRESS is '$APP_ADDRESS', not a host and a port" ;;
    *:*) is_number "${APP_ADDRESS##*:}" || refuse "APP_ADDRESS is '$APP_ADDRESS', not a host and a port" ;;
    *) refuse "APP_ADDRESS is '$APP_ADDRESS', not a host and a port" ;;
esac
is_number "$APP_TIMEOUT" || refuse "APP_TIMEOUT is '$APP_TIMEOUT', not a positive number of seconds"
is_number "${BODY_MAXIMUM%[km]}" || refuse "BODY_MAXIMUM is '$BODY_MAXIMUM', not a size like 512k"
case "$TRUSTED_PROXIES" in
    *[!0-9a-fA-F.:/,]*) refuse "TRUSTED_PROXIES is '$TRUSTED_PROXIES', not networks separated by commas" ;;
esac
if ! [ -d "$STATE_DIRECTORY" ] || ! [ -w "$STATE_DIRECTORY" ]; then
    refuse "STATE_DIRECTORY is '$STATE_DIRECTORY', not a directory that user $(id -u) may write to"
fi
case "$STATE_DIRECTORY" in
    *[!A-Za-z0-9./_-]*) refuse "STATE_DIRECTORY is '$STATE_DIRECTORY'; it may have letters, digits and ./_- in it" ;;
esac

TRUSTED_PROXY_LINES=$(echo "$TRUSTED_PROXIES" | tr ',' '\n' | sed -n 's|^..*$|    set_real_ip_from &;|p')
export TRUSTED_PROXY_LINES
# The health check is asked from this machine: by loopback, or by the one address there is.
HEALTHCHECK_LINES="allow 127.0.0.0/8;"
[ "$HTTP_ADDRESS" = '*' ] || HEALTHCHECK_LINES="$HEALTHCHECK_LINES allow $HTTP_ADDRESS;"
export HEALTHCHECK_LINES

# --- configuration

configuration="$STATE_DIRECTORY/nginx.conf"
awk -f "$here/render.awk" "$here/nginx.conf" > "$configuration" || exit 78
# What only nginx itself can tell: an address of a network that is none.
"${NGINX_PROGRAM:-nginx}" -t -q -e /dev/stderr -c "$configuration" || refuse "nginx does not take the configuration; it says why above"

# --- start

exec "${NGINX_PROGRAM:-nginx}" -e /dev/stderr -c "$configuration"
