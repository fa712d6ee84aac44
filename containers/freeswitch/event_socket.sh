# shellcheck shell=bash
# How the container's scripts ask FreeSWITCH, as the app does: over the event socket. Sourced by entrypoint.sh and
# healthcheck.sh.

# Logs in, runs API commands one after the other, and prints what is answered within a second. The status is 1 when nobody
# listens; what the answers say is for the caller.
event_socket_ask() (
    listen="${FS_EVENT_SOCKET_LISTEN_ADDRESS:-0.0.0.0}" port="${FS_EVENT_SOCKET_PORT:-8021}"
    [ "$listen" != 0.0.0.0 ] || listen=127.0.0.1
    # Where nobody listens, bash says so itself.
    if ! { exec 4<> "/dev/tcp/$listen/$port"; } 2> /dev/null; then
        echo "no event socket at $listen:$port" >&2
        return 1
    fi
    # FreeSWITCH closes on a wrong password at once; what it said is read all the same.
    trap '' PIPE
    {
        printf 'auth %s\n\n' "${FS_EVENT_SOCKET_PASSWORD:-}"
        printf 'api %s\n\n' "$@"
        printf 'exit\n\n'
    } >&4 2> /dev/null || true
    timeout 1 cat <&4 || true
)
