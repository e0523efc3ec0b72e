// Assign the clusters, or whole families, to folds, balanced within label and kingdom.
process SPLIT {
    publishDir(
        "${task.ext.outdir}/sources", mode: "${task.ext.publish_mode}", overwrite: 'deep',
        pattern: '*.{json,tsv,parquet}'
    )

    input:
    path sources
    path clusters
    val options
    val code

    output:
    path 'folds.parquet', emit: folds
    path 'folds.json', emit: summary

    script:
    """
    split.py --sources ${sources} --clusters ${clusters} --folds ${options.folds} --test-folds ${options.test_folds} \\
        --hold-out ${options.hold_out} --seed ${options.seed} --cluster-cap ${options.cluster_cap} --outdir .
    """
}
