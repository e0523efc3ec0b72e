// Turn the windows of one shard into vectors with one encoder.
process EMBED {
    tag "${encoder} ${pool} ${shard}"
    label 'gpu'

    input:
    tuple val(pool), val(shard), val(encoder), path(fasta)
    val genetic_code
    val frames
    val code

    output:
    tuple val(pool), val(shard), val(encoder), path("${shard}.${encoder}.safetensors")

    script:
    """
    embed.py --shard ${fasta} --encoder ${encoder} --genetic-code ${genetic_code} --frames ${frames} \\
        --out ${shard}.${encoder}.safetensors
    """
}
