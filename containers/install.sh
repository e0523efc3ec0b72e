#!/usr/bin/env bash
# Installs everything that tasks need into a bare Debian 12 or newer: the same pinned and hashed packages as `make setup`, with
# CUDA from PyTorch's wheels, but without the parts that no task uses. The Dockerfile and virshort.def both call this script as
# root while they build an image.
#   install.sh FOLDER     FOLDER holds requirements.txt, and is removed at the end
set -euo pipefail
folder=$1
prefix=/opt/virshort
export DEBIAN_FRONTEND=noninteractive HOME=$folder TMPDIR=$folder # pip's cache is removed with the folder

apt-get -qq update
apt-get -qq install -y --no-install-recommends procps python3 python3-venv > /dev/null # procps has ps, which Nextflow's trace calls
python3 -m venv "$prefix"
# These packages compile kernels, draw bitmaps with a browser, or duplicate another one. The list is complete, so that pip need
# not resolve dependencies.
awk '/^[^ ]/ { wanted = !/^(triton|kaleido|polars-runtime-32)==/ } wanted' "$folder/requirements.txt" > "$folder/wanted.txt"
"$prefix/bin/pip" install --quiet --no-compile --no-input --disable-pip-version-check --progress-bar off --no-deps \
    --require-hashes -r "$folder/wanted.txt"

# Parts that only building and testing need.
cd "$prefix"/lib/python3*/site-packages
rm -rf pip pip-* "$prefix"/bin/pip* torch/include torch/bin/protoc* torch/test pyarrow/include nvidia/*/include nvidia/*/bin
find . -type d \( -name tests -o -name __pycache__ \) -prune -exec rm -rf {} +
find . -name '*.a' -delete
rm -f nvidia/nvshmem/lib/*.bc nvidia/nccl/lib/*.bc nvidia/cu13/lib/libcusolverMg.so.* nvidia/cu13/lib/libnvperf_*.so*

# Import everything that tasks import. This also compiles it, which is impossible at run time, when the folder is read-only.
for name in torch torch._dynamo tokenizers huggingface_hub safetensors.torch numpy scipy.sparse.csgraph \
    scipy.optimize scipy.special numba pyarrow.parquet pyarrow.compute pyarrow.dataset multiqc.multiqc sourmash isal xopen \
    matplotlib.figure matplotlib.backends.backend_svg matplotlib.backends.backend_agg jinja2 filelock \
    Bio.Data.CodonTable Bio.SeqIO.QualityIO yaml; do
    "$prefix/bin/python" -c "import $name" > /dev/null || { echo "install.sh: $name: cannot be imported, because too much was removed" >&2; exit 1; }
done

apt-get -qq purge -y --auto-remove python3-venv > /dev/null
rm -rf "$folder" /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/*
