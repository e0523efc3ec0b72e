// Turn the windows of one shard into vectors with one encoder. A language model has a GPU of this machine to itself.
include { quoted } from '../shell'

process EMBED {
    tag "${encoder} ${pool} ${shard}"
    label 'gpu'

    input:
    tuple val(pool), val(shard), val(encoder), path(fasta)
    val genetic_code
    val frames
    val gpu_locks
    val code

    output:
    tuple val(pool), val(shard), val(encoder), path("${shard}.${encoder}.safetensors")

    script:
    def on_one_gpu = gpu_locks && !encoder.startsWith('kmer-') ? "on_one_gpu.sh ${quoted(gpu_locks)} " : ''
    """
    ${on_one_gpu}embed.py --shard ${fasta} --encoder ${encoder} --genetic-code ${genetic_code} --frames ${frames} \\
        --out ${shard}.${encoder}.safetensors
    """
}
