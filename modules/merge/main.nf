// Join the modalities of a shard, after checking that all follow the same manifest.
process MERGE {
    tag "${encoding} ${pool} ${shard}"
    // A job array requests memory once for all its shards, and knows none of them: what 1,000,000 windows need
    memory { (embeddings ? 1.GB + 3.B * embeddings.sum { f -> f.size() } : 14.GB) * task.attempt }
    publishDir(
        "${task.ext.outdir}/features/${encoding}", mode: "${task.ext.publish_mode}", overwrite: 'deep',
        enabled: "${task.ext.keep_features}"
    )
    array(
        'slurm' in workflow.profile.tokenize(',')
            ? nextflow.Global.session.params.slurm_array.toString().toBigDecimal().intValue()
            : 0
    )

    input:
    tuple val(pool), val(shard), val(encoding), path(embeddings), path(manifest)
    val code

    output:
    tuple val(pool), val(encoding), path("${name}.*")

    script:
    name = "${pool.replace('/', '.')}.${shard}"
    """
    merge.py --manifest ${manifest} --embeddings ${embeddings} --out ${name}.features.safetensors
    cp -L ${manifest} ${name}.windows.parquet
    """

    stub:
    name = "${pool.replace('/', '.')}.${shard}"
    """
    touch ${name}.features.safetensors ${name}.windows.parquet
    """
}
