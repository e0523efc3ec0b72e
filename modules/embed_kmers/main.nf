// Turn the windows of one shard into k-mer frequencies: no model, no GPU.
process EMBED_KMERS {
    tag "${encoder} ${pool} ${shard}"

    input:
    tuple val(encoder), val(pool), val(shard), path(fasta), val(about)
    val genetic_code
    val frames

    output:
    tuple val(pool), val(shard), val(encoder), path("${shard}.${encoder}.safetensors")

    script:
    """
    embed.py --shard ${fasta} --encoder ${encoder} --module ${about.module} --genetic-code ${genetic_code} \\
        --frames ${frames} --out ${shard}.${encoder}.safetensors
    """

    stub:
    """
    touch ${shard}.${encoder}.safetensors
    """
}
