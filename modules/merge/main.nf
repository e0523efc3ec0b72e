// Put the modalities of a shard side by side, after checking that all follow the same manifest.
process MERGE {
    tag "${pair} ${pool} ${shard}"
    memory { (1.GB + 3.B * embeddings.sum { f -> f.size() }) * task.attempt }

    input:
    tuple val(pool), val(shard), val(pair), path(embeddings), path(manifest)
    val code

    output:
    tuple val(pool), val(pair), path("${name}.*")

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
