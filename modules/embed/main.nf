// Turn the windows of one shard into vectors with a language model, which has a GPU of this machine to itself.
include { quoted } from '../../functions/shell'

process EMBED {
    tag "${encoder} ${pool} ${shard}"
    label 'gpu'
    memory { 1.GB * about.memory * task.attempt }

    input:
    tuple val(encoder), val(pool), val(shard), path(fasta), path(weights), val(about)
    val genetic_code
    val frames
    val gpu_locks

    output:
    tuple val(pool), val(shard), val(encoder), path("${shard}.${encoder}.safetensors")

    script:
    def on_one_gpu = gpu_locks ? "on_one_gpu.sh ${quoted(gpu_locks)} " : ''
    """
    ${on_one_gpu}embed.py --shard ${fasta} --encoder ${encoder} --module ${about.module} --weights . --precision ${about.precision} \\
        --device ${about.device} --threads ${task.cpus} --genetic-code ${genetic_code} --frames ${frames} \\
        --out ${shard}.${encoder}.safetensors
    """

    stub:
    """
    touch ${shard}.${encoder}.safetensors
    """
}
