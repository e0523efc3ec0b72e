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
    def exported = arm.role in ['baseline', 'remedy'] ? '--exported' : '' // controls are no classifiers to use
    """
    cat > window_sets.json <<'END_OF_SETS'
    ${groovy.json.JsonOutput.toJson(sets)}
    END_OF_SETS
    evaluate.py --arm ${arm.name} --models ${models} --data data --window-sets window_sets.json ${exported} \\
        --out ${arm.name}
    """

    stub:
    """
    mkdir ${arm.name}
    """
}
