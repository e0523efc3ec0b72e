#!/usr/bin/env bash
# Builds the image that tasks run in, from this folder's Dockerfile or virshort.def.
#   build.sh [--if-missing] ENGINE IMAGE     BUILD_FLAGS holds further flags for the engine's build command
set -euo pipefail
if_missing=
[ "$1" != --if-missing ] || { if_missing=yes; shift; }
engine=$1 image=$2
cd "$(dirname "${BASH_SOURCE[0]}")/.."

exists() {
    case $engine in
        docker | podman) "$engine" image inspect "$image" > /dev/null 2>&1 ;;
        *) [ -e "$image" ] ;;
    esac
}

[ -z "$if_missing" ] || ! exists || exit 0
command -v "$engine" > /dev/null || { echo "image: $engine is not on PATH: install it" >&2; exit 1; }
echo "image: building $image with $engine, which happens once, downloads 3 GB and takes some minutes"
# shellcheck disable=SC2086  # BUILD_FLAGS is a list of words
case $engine in
    docker | podman)
        if [ "$engine" = docker ] && ! docker buildx version > /dev/null 2>&1; then
            # Some distributions package only Docker's older builder, which does not support secrets.
            sed 's/--mount=[^ ]* *//g' containers/Dockerfile | DOCKER_BUILDKIT=0 docker build ${BUILD_FLAGS:-} -f - -t "$image" .
        else
            "$engine" build ${BUILD_FLAGS:-} -f containers/Dockerfile -t "$image" .
        fi
        ;;
    *)
        "$engine" build --force ${BUILD_FLAGS:-} "$image.part" containers/virshort.def
        mv "$image.part" "$image"
        ;;
esac
