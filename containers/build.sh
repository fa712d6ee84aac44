#!/bin/bash
# Builds the images with docker, podman or buildah, whichever works here, and tags each somleng-switch/<name>.
#
#   containers/build.sh [name…]        all of them, unless some are named
#
# BUILDER  docker, podman or buildah; the first that works, unless it is set
# ARCH     amd64 or arm64; this machine's own, unless it is set
# TAG      latest, unless it is set
# DEBIAN_IMAGE, PYTHON_IMAGE  what the base images of the Dockerfiles are taken to be, such as debian:bookworm-slim@sha256:…
# SIGNALWIRE_TOKEN  what SignalWire gives FreeSWITCH's packages for; the last image, freeswitch, needs it
# BUILD_OPTIONS  further options for the builder, separated by spaces
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=builder.sh
. containers/builder.sh

choose_builder
case "$builder" in
    docker) build=(docker build) ;;
    # Their own format has no health check.
    *) build=("$builder" build --format docker) ;;
esac
case "${ARCH:-}" in
    "") ;;
    amd64 | arm64) build+=(--platform "linux/$ARCH") ;;
    *) fail "ARCH is '$ARCH', not amd64 or arm64" ;;
esac
read -ra options <<< "${BUILD_OPTIONS:-}"
build+=("${options[@]}")

# Prints what a Dockerfile is made from. The name stays in the Dockerfile, where updates are looked for.
base_of() {
    local word base rest
    while read -r word base rest; do
        if [[ $word == FROM ]]; then
            echo "$base"
            return
        fi
    done < "$1"
}

lines=$(wanted_images "$@")
while read -r name folder context target; do
    arguments=(--file "$folder/Dockerfile" --tag "somleng-switch/$name:${TAG:-latest}")
    base=$(base_of "$folder/Dockerfile")
    case "$base" in
        debian:*) pinned="${DEBIAN_IMAGE:-}" ;;
        python:*) pinned="${PYTHON_IMAGE:-}" ;;
        *) fail "$folder/Dockerfile is made from '$base', for which there is no setting" ;;
    esac
    [[ -z $pinned ]] || arguments+=(--build-context "$base=docker-image://$pinned")
    if [[ $name == freeswitch && -n ${SIGNALWIRE_TOKEN:-} ]]; then
        arguments+=(--secret "id=signalwire_token,env=SIGNALWIRE_TOKEN")
    fi
    [[ $target == - ]] || arguments+=(--target "$target")
    if [[ $builder != docker && -e $folder/Dockerfile.dockerignore ]]; then
        arguments+=(--ignorefile "$folder/Dockerfile.dockerignore") # docker finds it by its name
    fi
    echo "== somleng-switch/$name"
    "${build[@]}" "${arguments[@]}" "$context" < /dev/null
done <<< "$lines"
