// Write what windows are searched against: the stop-free stretches of the masked sources, for each fold and label.
process HOMOLOGY_DATABASES {
    publishDir(
        "${task.ext.outdir}/sources", mode: "${task.ext.publish_mode}", overwrite: 'deep',
        pattern: '*.json'
    )

    input:
    path folds
    path folds_json
    path sequences
    val genetic_code
    val code

    output:
    path 'homology', emit: folder
    path 'homology.json', emit: summary

    script:
    """
    homology_databases.py --folds ${folds} --folds-json ${folds_json} --sequences ${sequences} \\
        --genetic-code ${genetic_code} --outdir homology
    cp homology/databases.json homology.json
    """

    stub:
    """
    mkdir homology
    touch homology/databases.json homology.json
    """
}
