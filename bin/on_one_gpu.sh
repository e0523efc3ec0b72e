#!/usr/bin/env bash
# Runs a command with exclusive use of one of this machine's GPUs (or MIG slices).
#   on_one_gpu.sh LOCKS COMMAND...   waits for a GPU that no other task holds, and shows the command only that one
#   on_one_gpu.sh --count            prints the number of GPUs
# The lock is on a file in the folder LOCKS and held by the command's process, so it is released however that process ends.
# Where a scheduler assigned a GPU to the task, only that one can be chosen. CUDA_VISIBLE_DEVICES limits the choice.
set -euo pipefail

# Prints one name per line. A GPU that is divided into MIG slices is represented by its slices only.
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
