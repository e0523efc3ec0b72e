// Replace the 31-mers that folds still share by Ns, so that no window can leak them.
process MASK {
    publishDir(
        "${task.ext.outdir}/sources", mode: "${task.ext.publish_mode}", overwrite: 'deep',
        pattern: '*.{json,tsv,parquet}'
    )

    input:
    path folds
    path sequences
    val code

    output:
    path 'masked.seq', emit: sequences
    path 'mask.json', emit: summary

    script:
    """
    mask.py --folds ${folds} --sequences ${sequences} --outdir .
    """
}
