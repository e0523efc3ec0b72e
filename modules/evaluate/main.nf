// Evaluate the heads of one arm on every test set.
process EVALUATE {
    tag "${arm.name}"
    publishDir "${task.ext.outdir}/evaluation", mode: "${task.ext.publish_mode}", overwrite: 'deep'

    input:
    tuple val(arm), val(sets), path(models, stageAs: 'models/*'), path(data, stageAs: 'data/*')
    val code

    output:
    path "${arm.name}", type: 'dir'

    script:
    """
    cat > window_sets.json <<'END_OF_SETS'
    ${groovy.json.JsonOutput.toJson(sets)}
    END_OF_SETS
    evaluate.py --arm ${arm.name} --role ${arm.role} --models ${models} --data data --window-sets window_sets.json \\
        --out ${arm.name}
    """

    stub:
    """
    mkdir ${arm.name}
    """
}
