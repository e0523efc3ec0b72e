// Embed the windows of one shard with a language model. On a machine with GPUs, the task has one to itself.
include { contentOf ; shelvedName } from '../../functions/pools'
include { quoted                  } from '../../functions/shell'

process EMBED {
    tag "${encoder} ${pool} ${shard}"
    label 'gpu'
    memory { 1.GB * loader.memory * task.attempt }
    publishDir(
        "${task.ext.outdir}/features", mode: "${task.ext.publish_mode}", overwrite: 'deep',
        enabled: "${task.ext.keep_features}", saveAs: { name -> "${contentOf(name)}/${shelvedName(pool, name)}" }
    )
    array(
        'slurm' in workflow.profile.tokenize(',')
            ? nextflow.Global.session.params.slurm_array.toString().toBigDecimal().intValue()
            : 0
    )

    input:
    tuple val(encoder), val(pool), val(shard), path(fasta), path(weights), val(loader)
    val genetic_code
    val frames
    val gpu_locks

    output:
    tuple val(pool), path("${shard}.${encoder}.safetensors")

    script:
    def reading = loader.reading ? "--reading ${quoted(groovy.json.JsonOutput.toJson(loader.reading))}" : ''
    def on_one_gpu = gpu_locks ? "on_one_gpu.sh ${quoted(gpu_locks)} " : ''
    """
    ${on_one_gpu}embed.py --shard ${fasta} --encoders ${encoder}=${loader.module} --weights . ${reading} \\
        --precision ${loader.precision} --device ${loader.device} --threads ${task.cpus} \\
        --genetic-code ${genetic_code} --frames ${frames} --out .
    """

    stub:
    """
    touch ${shard}.${encoder}.safetensors
    """
}
