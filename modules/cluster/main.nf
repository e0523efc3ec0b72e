// Cluster sources that are too similar to be split between training and test.
process CLUSTER {
    label 'parallel'
    publishDir(
        "${task.ext.outdir}/sources", mode: "${task.ext.publish_mode}", overwrite: 'deep',
        pattern: '*.{json,tsv,parquet}'
    )

    input:
    path sources
    path sequences
    val containment
    val code

    output:
    path 'clusters.parquet', emit: clusters
    path 'clusters.json', emit: summary

    script:
    """
    cluster.py --sources ${sources} --sequences ${sequences} --containment ${containment} --threads ${task.cpus} --outdir .
    """
}
