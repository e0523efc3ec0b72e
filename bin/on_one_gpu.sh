#!/usr/bin/env bash
# Runs a command with one of this machine's GPUs (or MIG slices) to itself.
#   on_one_gpu.sh LOCKS COMMAND...   waits for a GPU that no other task holds, and shows the command only that one
#   on_one_gpu.sh --count            prints how many there are
# The lock is a file in the folder LOCKS, held by the command's process: it is let go however that ends. A scheduler that
# gave the task its GPU leaves one to choose from. CUDA_VISIBLE_DEVICES says which GPUs may be used at all.
set -euo pipefail

# A name a line. A GPU that is cut into MIG slices is named by its slices only.
gpus() {
    if [ -n "${CUDA_VISIBLE_DEVICES+set}" ]; then
        tr ',' '\n' <<< "$CUDA_VISIBLE_DEVICES" | grep . || true
    elif command -v nvidia-smi > /dev/null; then
        { nvidia-smi -L || true; } | awk -F 'UUID: |[)]' '
            /^GPU/ { if (gpu) print gpu; gpu = $(NF - 1) }
            /^ +MIG/ { print $(NF - 1); gpu = "" }
            END { if (gpu) print gpu }'
    fi
}

mapfile -t found < <(gpus)
if [ "$1" = --count ]; then
    echo "${#found[@]}"
    exit
fi
locks=$1
shift
if [ "${#found[@]}" -gt 0 ]; then
    mkdir -p "$locks"
    claimed=
    until [ -n "$claimed" ]; do
        for gpu in "${found[@]}"; do
            exec {lock}> "$locks/${gpu//[^A-Za-z0-9._-]/_}.lock"
            if flock --nonblock "$lock"; then
                claimed=$gpu
                break
            fi
            exec {lock}>&-
        done
        [ -n "$claimed" ] || sleep 1
    done
    export CUDA_VISIBLE_DEVICES=$claimed
fi
exec "$@"
