// Deal the clusters into folds, balanced within label and kingdom.
process SPLIT {
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
        --seed ${options.seed} --cluster-cap ${options.cluster_cap} --outdir .
    """
}
