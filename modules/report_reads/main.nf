// The report on reads: a table, a text and one self-contained page of all samples.
process REPORT_READS {
    publishDir "${task.ext.outdir}", mode: "${task.ext.publish_mode}", overwrite: 'deep'

    input:
    path summaries, stageAs: 'summaries/*'
    path forecast, stageAs: 'forecast/*' // none with language models
    path model, stageAs: 'model.json'
    path assets, stageAs: 'assets/*'
    path macros, stageAs: 'assets/templates/*'
    path templates, stageAs: 'assets/reads/*'
    val parameters
    val nextflow_version
    val code

    output:
    path 'report.html', emit: page
    path 'summary.tsv', emit: table
    path 'summary.txt', emit: text
    path 'pipeline_info/*', emit: info

    script:
    """
    mkdir pipeline_info
    cat > pipeline_info/parameters.json <<'END_OF_PARAMETERS'
    ${groovy.json.JsonOutput.toJson(parameters)}
    END_OF_PARAMETERS
    versions.py --nextflow ${nextflow_version} --out pipeline_info/versions.yml
    report_reads.py --summaries summaries ${forecast ? "--forecast ${forecast}" : ''} --model model.json \\
        --parameters pipeline_info/parameters.json --versions pipeline_info/versions.yml --assets assets --out report.html --table summary.tsv \\
        --text summary.txt
    """

    stub:
    """
    mkdir pipeline_info
    touch report.html summary.tsv summary.txt pipeline_info/parameters.json
    """
}
