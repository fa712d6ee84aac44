#!/bin/sh
# Ends what start.sh started, and removes its volumes; the settings in local/.env stay.
#
# COMPOSE  the command; docker compose, unless it is set
set -eu
cd "$(dirname "$0")/.."

# What the file names must have a value, whatever it is.
export HOST_ADDRESS="${HOST_ADDRESS:-127.0.0.1}"
[ -e .env ] || {
    echo "compose: local/.env is not there, so nothing was started here" >&2
    exit 0
}
# Word by word: it is a command with its first argument.
${COMPOSE:-docker compose} --file compose.yaml --profile switch down --volumes --remove-orphans
