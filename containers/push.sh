#!/bin/bash
# Pushes images that build.sh made, with docker, podman or buildah. Who pushes has logged in there before.
#
#   containers/push.sh [name…]         all of them, unless some are named
#
# REGISTRY  where to, several separated by spaces: what stands before /<name>:TAG, a registry's host and mostly a path.
#           oci:/<directory> is a directory instead, for a machine without a network (podman, buildah).
# TAG       which of the images here; latest, unless it is set
# BUILDER   docker, podman or buildah; the first that works, unless it is set
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=builder.sh
. containers/builder.sh

choose_builder
choose_registries
tag="${TAG:-latest}"
lines=$(wanted_images "$@")
while read -r name _; do
    for registry in "${registries[@]}"; do
        place=$(place_of "$registry" "$name" "$tag")
        echo "== $place"
        if is_there "$place"; then
            echo "is there already"
        elif [[ $builder == docker ]]; then
            docker tag "somleng-switch/$name:$tag" "$place"
            docker push --quiet "$place" < /dev/null
        else
            [[ $registry != oci:* ]] || mkdir -p "${registry#oci:}"
            "$builder" push --quiet "localhost/somleng-switch/$name:$tag" "$place" < /dev/null
        fi
    done
done <<< "$lines"
