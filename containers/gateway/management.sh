# shellcheck shell=bash
# How the gateway's scripts ask OpenSIPS: by its management pipe, as the scheduler does. Sourced by entrypoint.sh.

# Runs a command with parameters as JSON, and prints the answer, nothing if there is none within two seconds.
management_ask() (
    reply="mi-entrypoint-$RANDOM"
    mkfifo -m 660 "$STATE_DIRECTORY/$reply"
    trap 'rm -f "$STATE_DIRECTORY/$reply"' EXIT
    # Open both ways: one way, it would wait for the other side.
    exec 3<> "$STATE_DIRECTORY/$reply"
    # Where nobody reads the pipe, it is not waited for; where there is none, no file is made in its place.
    printf ':%s:{"jsonrpc":"2.0","id":1,"method":"%s","params":%s}\n' "$reply" "$1" "$2" |
        timeout 1 dd of="$STATE_DIRECTORY/mi.fifo" bs=4096 conv=nocreat,notrunc status=none 2> /dev/null || return 0
    timeout 2 dd bs=65535 count=1 status=none <&3 2> /dev/null || true
)
