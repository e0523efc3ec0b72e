// Write the model of one arm: its heads, and everything that is needed to score reads with them.
process MODEL {
    tag "${arm.name}"
    publishDir "${task.ext.outdir}", mode: "${task.ext.publish_mode}", overwrite: 'deep'

    input:
    // databases: what windows were searched against, or [] if the arm reads no matches
    tuple val(arm), path(models, stageAs: 'models/*'), path(evaluation, stageAs: 'evaluation/*'), path(databases), val(rows)
    path comparison
    path arms
    path sets
    path folds
    path sequences
    val options // window_length, genetic_code, frames, homology_sensitivity, demo
    val code

    output:
    path 'model', type: 'dir'

    script:
    """
    cat > rows.json <<'END_OF_ROWS'
    ${groovy.json.JsonOutput.toJson(rows)}
    END_OF_ROWS
    write_model.py --arm ${arm.name} --arms ${arms} --models ${models} --evaluation ${evaluation} \\
        --comparison ${comparison} --window-sets ${sets} --folds ${folds} --sequences ${sequences} \\
        ${databases ? "--databases ${databases}" : ''} --rows rows.json --window-length ${options.window_length} \\
        --genetic-code ${options.genetic_code} --frames ${options.frames} --sensitivity ${options.homology_sensitivity} \\
        ${options.demo ? '--simulated' : ''} --out model
    """

    stub:
    """
    mkdir model
    """
}
