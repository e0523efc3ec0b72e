// Find how new each short test window is: its nearest relative in training, and whether its family was there.
process NOVELTY {
    publishDir "${task.ext.outdir}/evaluation", mode: "${task.ext.publish_mode}", overwrite: 'deep'

    input:
    path data, stageAs: 'data/*'
    val sets
    path folds
    val code

    output:
    path 'novelty.parquet'

    script:
    """
    cat > window_sets.json <<'END_OF_SETS'
    ${groovy.json.JsonOutput.toJson(sets)}
    END_OF_SETS
    novelty.py --data data --window-sets window_sets.json --folds ${folds} --out novelty.parquet
    """

    stub:
    """
    touch novelty.parquet
    """
}
