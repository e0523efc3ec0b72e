// Under -profile gpu, before anything is computed: stop where no GPU can be used. Never from the cache: machines change.
process CHECK_GPU {
    label 'gpu'
    cache false

    input:
    val code

    output:
    path 'gpu.json'

    script:
    """
    check_gpu.py --out gpu.json
    """
}
