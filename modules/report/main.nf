// The report: one self-contained page, a summary for the terminal, and figures and methods for a paper.
process REPORT {
    publishDir "${task.ext.outdir}", mode: "${task.ext.publish_mode}", overwrite: 'deep'

    input:
    path comparison, stageAs: 'run/*'
    path models, stageAs: 'run/models/*'
    path facts, stageAs: 'run/*'
    path windows, stageAs: 'run/*'
    path assets, stageAs: 'assets/*'
    path templates, stageAs: 'assets/templates/*'
    val parameters
    val nextflow_version
    val code

    output:
    path 'report.html', emit: page
    path 'summary.txt', emit: summary
    path 'pipeline_info/*', emit: info
    path 'figures', emit: paper

    script:
    """
    mkdir pipeline_info
    cat > pipeline_info/parameters.json <<'END_OF_PARAMETERS'
    ${groovy.json.JsonOutput.toJson(parameters)}
    END_OF_PARAMETERS
    versions.py --nextflow ${nextflow_version} --out pipeline_info/versions.yml
    report.py run --parameters pipeline_info/parameters.json --versions pipeline_info/versions.yml --assets assets \\
        --paper figures --out report.html --summary summary.txt
    """

    stub:
    """
    mkdir pipeline_info figures
    touch report.html summary.txt pipeline_info/parameters.json
    """
}
