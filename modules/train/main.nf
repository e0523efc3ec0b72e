// Train one arm: a head for every tested fold and replicate.
process TRAIN {
    tag "${arm.name}"
    label 'parallel'

    input:
    tuple val(arm), path(data, stageAs: 'data/*'), path(baseline, stageAs: 'start/*')
    path sets
    val options
    val checkpoints
    val code

    output:
    tuple val(arm), path("${arm.name}", type: 'dir')

    script:
    def start = baseline ? "--baseline ${baseline}" : ''
    """
    cat > arm.json <<'END_OF_ARM'
    ${groovy.json.JsonOutput.toJson(arm)}
    END_OF_ARM
    train.py --arm arm.json --data data --window-sets ${sets} ${start} --replicates ${options.replicates} \\
        --seed ${options.seed} --cpus ${task.cpus} --checkpoints '${checkpoints}' --code ${code} --out ${arm.name}
    """
}
