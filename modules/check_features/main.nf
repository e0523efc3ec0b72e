// Read all ready features, refuse invalid ones, and list their contigs, which are the sources.
process CHECK_FEATURES {
    publishDir(
        "${task.ext.outdir}", mode: "${task.ext.publish_mode}", overwrite: 'deep',
        saveAs: { name -> name == 'leakage.json' ? name : "sources/${name}" }
    )

    input:
    path sheet
    path files, stageAs: 'features/?/*'
    path table
    val family_column
    val code

    output:
    path 'sources.parquet', emit: sources
    path 'clusters.parquet', emit: clusters
    path 'input.json', emit: summary
    path 'leakage.json', emit: leakage

    script:
    def source_table = table ? "--source-table ${table}" : ''
    """
    check_features.py --features ${sheet} --files ${files} ${source_table} --family-column ${family_column} --out .
    """
}
