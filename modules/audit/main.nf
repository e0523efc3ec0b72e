// Measure leakage: the 31-mers, on either strand, that test windows share with training windows.
process AUDIT {
    publishDir "${task.ext.outdir}", mode: "${task.ext.publish_mode}", overwrite: 'deep'

    input:
    path windows
    path sets
    path folds
    path sequences
    val limit
    val pretrained
    val hold_out
    val code

    output:
    path 'leakage.json'

    script:
    """
    audit.py --windows-root ${windows} --window-sets ${sets} --folds ${folds} --sequences ${sequences} --limit ${limit} \\
        ${pretrained ? '--pretrained' : ''} --hold-out ${hold_out} --out leakage.json
    """

    stub:
    """
    touch leakage.json
    """
}
