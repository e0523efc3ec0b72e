// Score the windows of one shard by the models of an arm whose encoder was trained end to end: each window by those of the
// splits that test it or validate on it.
include { contentOf ; shelvedName } from '../../functions/pools'
include { quoted                  } from '../../functions/shell'

process SCORE_FINETUNED {
    tag "${encoder} ${pool} ${shard}"
    label 'gpu'
    memory { 1.GB * 2 * loader.memory * task.attempt }
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
    tuple val(encoder), val(pool), val(shard), path(fasta), path(manifest), path(models, stageAs: 'models/*'), path(weights), val(loader)
    val options // genetic_code, frames
    val gpu_locks

    output:
    tuple val(pool), path("${shard}.${encoder}.safetensors")

    script:
    def reading = loader.reading ? "--reading ${quoted(groovy.json.JsonOutput.toJson(loader.reading))}" : ''
    def on_one_gpu = gpu_locks ? "on_one_gpu.sh ${quoted(gpu_locks)} " : ''
    def tested = pool.startsWith('test/') ? '--tested' : ''
    """
    ${on_one_gpu}score_finetuned.py --shard ${fasta} --manifest ${manifest} --models ${models} --folds ${loader.folds} ${tested} \\
        --module ${loader.module} --weights . ${reading} --precision ${loader.precision} --device ${loader.device} \\
        --threads ${task.cpus} --genetic-code ${options.genetic_code} --frames ${options.frames} \\
        --out ${shard}.${encoder}.safetensors
    """

    stub:
    """
    touch ${shard}.${encoder}.safetensors
    """
}
