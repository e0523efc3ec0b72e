// Evaluate one arm's heads on every test set.
process EVALUATE {
    tag "${arm.name}"

    input:
    tuple val(arm), path(models, stageAs: 'models/*'), path(data, stageAs: 'data/*')
    path sets
    val code

    output:
    path "${arm.name}", type: 'dir'

    script:
    """
    evaluate.py --arm ${arm.name} --models ${models} --data data --window-sets ${sets} --out ${arm.name}
    """
}
