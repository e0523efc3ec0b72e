// Write what windows are searched against: the stop-free stretches of the masked sources, for each fold and label.
process HOMOLOGY_DATABASES {
    input:
    path folds
    path folds_json
    path sequences
    val genetic_code
    val code

    output:
    path 'homology'

    script:
    """
    homology_databases.py --folds ${folds} --folds-json ${folds_json} --sequences ${sequences} \\
        --genetic-code ${genetic_code} --outdir homology
    """

    stub:
    """
    mkdir homology
    touch homology/databases.json
    """
}
