// Read every record once, refuse invalid input, and store the sources in one format.
process CHECK_INPUT {
    publishDir(
        "${task.ext.outdir}/sources", mode: "${task.ext.publish_mode}", overwrite: 'deep',
        pattern: '*.{json,tsv,parquet}'
    )

    input:
    path sheet
    path fastas, stageAs: 'fasta/?/*'
    val names
    path table
    val family_column
    val min_length
    val code

    output:
    path 'sources.parquet', emit: sources
    path 'sources.seq', emit: sequences
    path 'input.json', emit: summary
    path 'skipped.tsv', emit: skipped

    script:
    def paths = [fastas].flatten().collect { f -> f.toString() }
    def staged = groovy.json.JsonOutput.toJson([names, paths].transpose().collectEntries())
    def source_table = table ? "--source-table ${table}" : ''
    """
    cat > files.json <<'END_OF_FILES'
    ${staged}
    END_OF_FILES
    check_input.py --samplesheet ${sheet} --files files.json ${source_table} \\
        --family-column ${family_column} --min-length ${min_length} --outdir .
    """
}
