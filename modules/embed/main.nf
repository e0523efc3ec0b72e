// Turn the windows of one shard into vectors with one encoder. Its cache looks at content, so a window set that was
// drawn again and came out the same is not embedded again.
process EMBED {
    tag "${encoder} ${pool} ${shard}"
    label 'gpu'
    cache 'deep'

    input:
    tuple val(pool), val(shard), val(encoder), path(fasta)
    val genetic_code
    val code

    output:
    tuple val(pool), val(shard), val(encoder), path("${shard}.${encoder}.safetensors")

    script:
    """
    embed.py --shard ${fasta} --encoder ${encoder} --genetic-code ${genetic_code} --out ${shard}.${encoder}.safetensors
    """
}
