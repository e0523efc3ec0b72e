// Search the windows of one shard by translation against the sources of every fold but their own.
include { contentOf ; shelvedName } from '../../functions/pools'
include { quoted                  } from '../../functions/shell'

process SEARCH {
    tag "${encoder} ${pool} ${shard}"
    label 'parallel'
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
    tuple val(encoder), val(pool), val(shard), path(fasta), path(manifest)
    path databases
    val options // homology_sensitivity, genetic_code, frames
    val compiled // folder for the compiled search, which tasks share
    val code

    output:
    tuple val(pool), path("${shard}.${encoder}.safetensors")

    script:
    """
    export NUMBA_CACHE_DIR=${quoted("${compiled}/${code}")}
    search.py --shard ${fasta} --manifest ${manifest} --databases ${databases} --threads ${task.cpus} \\
        --sensitivity ${options.homology_sensitivity} --genetic-code ${options.genetic_code} \\
        --frames ${options.frames} --out ${shard}.${encoder}.safetensors
    """

    stub:
    """
    touch ${shard}.${encoder}.safetensors
    """
}
