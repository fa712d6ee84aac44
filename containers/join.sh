#!/bin/bash
# Makes one tag of the images of two architectures that push.sh has pushed, so that a machine of either finds its own:
# REGISTRY/<name>:TAG of …:TAG-amd64 and …:TAG-arm64.
#
#   containers/join.sh [name…]         all of them, unless some are named
#
# REGISTRY, TAG, BUILDER  as push.sh has them
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=builder.sh
. containers/builder.sh

choose_builder
choose_registries
[[ -n ${TAG:-} ]] || fail "TAG is not set; it is the tag to be made"
lines=$(wanted_images "$@")
while read -r name _; do
    for registry in "${registries[@]}"; do
        place=$(place_of "$registry" "$name" "$TAG")
        parts=("$(place_of "$registry" "$name" "$TAG-amd64")" "$(place_of "$registry" "$name" "$TAG-arm64")")
        echo "== $place"
        if is_there "$place"; then
            echo "is there already"
        elif [[ $builder == docker ]]; then
            docker buildx imagetools create --tag "$place" "${parts[@]}" < /dev/null
        else
            list="somleng-switch-$name-$TAG"
            "$builder" manifest create "$list" > /dev/null
            for part in "${parts[@]}"; do
                "$builder" manifest add "$list" "$part" > /dev/null < /dev/null
            done
            "$builder" manifest push --all "$list" "$place" < /dev/null
            "$builder" manifest rm "$list" > /dev/null
        fi
    done
done <<< "$lines"
