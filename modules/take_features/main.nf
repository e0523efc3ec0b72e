// Write ready features as shards of windows with their folds, named like those that are embedded here.
process TAKE_FEATURES {
    publishDir(
        "${task.ext.outdir}", mode: "${task.ext.publish_mode}", overwrite: 'deep',
        pattern: '**/window_sets.json',
        saveAs: { _name -> 'window_sets.json' }
    )

    input:
    path sheet
    path files, stageAs: 'features/?/*'
    path folds
    path folds_json
    val family_column
    val code

    output:
    path 'taken/*.{parquet,safetensors}', emit: features
    path 'taken/window_sets.json', emit: sets

    script:
    """
    take_features.py --features ${sheet} --files ${files} --folds ${folds} --folds-json ${folds_json} \\
        --family-column ${family_column} --out taken
    """
}
