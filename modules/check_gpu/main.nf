// With -profile gpu, stop before anything is computed if no GPU can be used. Never taken from the cache: machines change.
process CHECK_GPU {
    label 'gpu'
    cache false
    publishDir "${task.ext.outdir}/pipeline_info", mode: "${task.ext.publish_mode}", overwrite: 'deep'

    input:
    val code

    output:
    path 'gpu.json'

    script:
    """
    check_gpu.py --out gpu.json
    """
}
