// Join sources that are too similar to be parted between training and test.
process CLUSTER {
    label 'parallel'

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
