// Count k-mers, residues or codons in the windows of one shard, which needs neither a model nor a GPU.
process EMBED_KMERS {
    tag "${encoder} ${pool} ${shard}"
    array(
        'slurm' in workflow.profile.tokenize(',')
            ? nextflow.Global.session.params.slurm_array.toString().toBigDecimal().intValue()
            : 0
    )

    input:
    tuple val(encoder), val(pool), val(shard), path(fasta), val(loader)
    val genetic_code
    val frames

    output:
    tuple val(pool), val(shard), val(encoder), path("${shard}.${encoder}.safetensors")

    script:
    """
    embed.py --shard ${fasta} --encoder ${encoder} --module ${loader.module} --genetic-code ${genetic_code} \\
        --frames ${frames} --out ${shard}.${encoder}.safetensors
    """

    stub:
    """
    touch ${shard}.${encoder}.safetensors
    """
}
