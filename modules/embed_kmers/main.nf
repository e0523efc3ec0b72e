// Count k-mers, residues or codons in the windows of one shard, which needs neither a model nor a GPU. One task reads the shard
// for all encoders that count.
include { contentOf ; shelvedName } from '../../functions/pools'

process EMBED_KMERS {
    tag "${loaders.keySet().join('+')} ${pool} ${shard}"
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
    tuple val(pool), val(shard), path(fasta), val(loaders) // { encoder: { module, code } }
    val genetic_code
    val frames

    output:
    tuple val(pool), path("${shard}.*.safetensors", arity: '1..*')

    script:
    def encoders = loaders.collect { encoder, loader -> "${encoder}=${loader.module}" }
    """
    embed.py --shard ${fasta} --encoders ${encoders.join(' ')} --genetic-code ${genetic_code} --frames ${frames} --out .
    """

    stub:
    """
    touch ${loaders.keySet().collect { encoder -> "${shard}.${encoder}.safetensors" }.join(' ')}
    """
}
