# shellcheck shell=bash
# What build.sh, push.sh and join.sh have in common: which images there are, and with which program they are handled. Run
# from the repository's root; BUILDER is docker, podman or buildah, or else the first that works here.

# Name, Dockerfile's folder, context, target. A Dockerfile.dockerignore belongs to a context that is not its folder.
images() {
    echo public-gateway containers/gateway containers/gateway public
    echo client-gateway containers/gateway containers/gateway client
    echo gateway-scheduler containers/opensips_scheduler . -
    echo media-proxy containers/media_proxy containers/media_proxy -
    echo switch-app containers/switch_app . -
    echo switch-webserver containers/nginx containers/nginx -
    echo freeswitch-event-logger containers/freeswitch_event_logger . -
    echo operator containers/switch_operator . -
    echo freeswitch containers/freeswitch containers/freeswitch -
}

fail() {
    echo "$1" >&2
    exit 1
}

# A docker client without its daemon does nothing; the others need none.
works() {
    command -v "$1" > /dev/null && { [[ $1 != docker ]] || docker info > /dev/null 2>&1; }
}

# Sets `builder`.
choose_builder() {
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
        docker | podman | buildah) ;;
        "") fail "Images are handled with docker, podman or buildah, and none of them works here. A docker without a running daemon does not count." ;;
        *) fail "BUILDER is '$builder', not docker, podman or buildah" ;;
    esac
    works "$builder" || fail "BUILDER is '$builder', which is not installed here, or whose daemon does not run"
}

# Prints the lines of `images` that are wanted: all, unless some are named.
wanted_images() {
    local wanted name rest
    for wanted in "$@"; do
        images | grep -q "^$wanted " || fail "there is no image '$wanted'; there are: $(images | cut -d ' ' -f 1 | tr '\n' ' ')"
    done
    images | while read -r name rest; do
        if (($# == 0)) || [[ " $* " == *" $name "* ]]; then
            echo "$name $rest"
        fi
    done
}

# Splits REGISTRY into the array `registries`, and checks that images can be pushed there.
choose_registries() {
    local registry
    read -ra registries <<< "${REGISTRY:-}"
    ((${#registries[@]} > 0)) || fail "REGISTRY is not set; it says where images are pushed to"
    for registry in "${registries[@]}"; do
        case "$registry" in
            oci:/*) [[ $builder != docker ]] || fail "REGISTRY is '$registry', a directory, to which docker does not push; podman and buildah do" ;;
            *[!A-Za-z0-9.:/_-]* | oci:* | *://* | */) fail "REGISTRY is '$registry', not a registry's host with a path, or oci:/<directory>" ;;
        esac
    done
}

# Prints where an image is in a registry, as the builder wants to hear it.
place_of() {
    local registry=$1 name=$2 tag=$3
    case "$builder,$registry" in
        *,oci:*) echo "$registry/$name:$tag" ;;
        docker,*) echo "$registry/$name:$tag" ;;
        *) echo "docker://$registry/$name:$tag" ;;
    esac
}

# Tells whether a registry of docker's has an image already: tags cannot be moved there, and pushing one again would fail.
is_there() {
    [[ $builder == docker ]] && docker manifest inspect "$1" > /dev/null 2>&1
}
