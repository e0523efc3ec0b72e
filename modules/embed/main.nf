// Turn the windows of one shard into vectors with one encoder. A language model has a GPU of this machine to itself.
include { quoted } from '../shell'

process EMBED {
    tag "${encoder} ${pool} ${shard}"
    label 'gpu'
    memory { 1.GB * ((model.memory ?: 2) * task.attempt) }

    input:
    tuple val(encoder), val(pool), val(shard), path(fasta), val(model), path(weights)
    val genetic_code
    val frames
    val gpu_locks
    val code

    output:
    tuple val(pool), val(shard), val(encoder), path("${shard}.${encoder}.safetensors")

    script:
    def on_one_gpu = gpu_locks && model ? "on_one_gpu.sh ${quoted(gpu_locks)} " : ''
    def language_model = model ? "--weights . --precision ${model.precision} --device ${model.device}" : ''
    """
    ${on_one_gpu}embed.py --shard ${fasta} --encoder ${encoder} ${language_model} --threads ${task.cpus} \\
        --genetic-code ${genetic_code} --frames ${frames} \\
        --out ${shard}.${encoder}.safetensors
    """

    stub:
    """
    touch ${shard}.${encoder}.safetensors
    """
}
