#!/bin/bash
# Builds the images with docker, podman or buildah, whichever works here, and tags each somleng-switch/<name>.
#
#   containers/build.sh [name…]        all of them, unless some are named
#
# BUILDER  docker, podman or buildah; the first that works, unless it is set
# ARCH     amd64 or arm64; this machine's own, unless it is set
# TAG      latest, unless it is set
# SIGNALWIRE_TOKEN  what SignalWire gives FreeSWITCH's packages for; the last image, freeswitch, needs it
# BUILD_OPTIONS  further options for the builder, separated by spaces
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Name, Dockerfile's folder, context, target. A Dockerfile.dockerignore belongs to a context that is not its folder.
images() {
    echo public-gateway containers/gateway containers/gateway public
    echo client-gateway containers/gateway containers/gateway client
    echo gateway-scheduler containers/opensips_scheduler . -
    echo media-proxy containers/media_proxy containers/media_proxy -
    echo switch-app containers/switch_app . -
    echo switch-webserver containers/nginx containers/nginx -
    echo freeswitch-event-logger containers/freeswitch_event_logger . -
    echo freeswitch containers/freeswitch containers/freeswitch -
}

fail() {
    echo "$1" >&2
    exit 1
}

# A docker client without its daemon builds nothing; the others need none.
works() {
    command -v "$1" > /dev/null && { [[ $1 != docker ]] || docker info > /dev/null 2>&1; }
}

builder="${BUILDER:-}"
if [[ -z $builder ]]; then
    for each in docker podman buildah; do
        if works "$each"; then
            builder=$each
            break
        fi
    done
fi
case "$builder" in
    docker) build=(docker build) ;;
    # Their own format has no health check.
    podman | buildah) build=("$builder" build --format docker) ;;
    "") fail "Images are built with docker, podman or buildah, and none of them works here. A docker without a running daemon does not count." ;;
    *) fail "BUILDER is '$builder', not docker, podman or buildah" ;;
esac
works "$builder" || fail "BUILDER is '$builder', which is not installed here, or whose daemon does not run"
case "${ARCH:-}" in
    "") ;;
    amd64 | arm64) build+=(--platform "linux/$ARCH") ;;
    *) fail "ARCH is '$ARCH', not amd64 or arm64" ;;
esac
read -ra options <<< "${BUILD_OPTIONS:-}"
build+=("${options[@]}")

for wanted in "$@"; do
    images | grep -q "^$wanted " || fail "there is no image '$wanted'; there are: $(images | cut -d ' ' -f 1 | tr '\n' ' ')"
done
images | while read -r name folder context target; do
    if (($# > 0)) && [[ " $* " != *" $name "* ]]; then
        continue
    fi
    arguments=(--file "$folder/Dockerfile" --tag "somleng-switch/$name:${TAG:-latest}")
    if [[ $name == freeswitch && -n ${SIGNALWIRE_TOKEN:-} ]]; then
        arguments+=(--secret "id=signalwire_token,env=SIGNALWIRE_TOKEN")
    fi
    [[ $target == - ]] || arguments+=(--target "$target")
    if [[ $builder != docker && -e $folder/Dockerfile.dockerignore ]]; then
        arguments+=(--ignorefile "$folder/Dockerfile.dockerignore") # docker finds it by its name
    fi
    echo "== somleng-switch/$name"
    "${build[@]}" "${arguments[@]}" "$context" < /dev/null
done
