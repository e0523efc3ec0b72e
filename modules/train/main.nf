// Train one arm: a head for every test fold and replicate. A pretrained baseline is kept as it is.
include { quoted } from '../../functions/shell'

process TRAIN {
    tag "${arm.name}"
    label 'parallel'
    publishDir "${task.ext.outdir}/models", mode: "${task.ext.publish_mode}", overwrite: 'deep'

    input:
    tuple val(arm), val(sets), path(data, stageAs: 'data/*'), path(start, stageAs: 'start/*')
    val options
    val checkpoints
    val code

    output:
    tuple val(arm), path("${arm.name}", type: 'dir')

    script:
    def begin = start ? "--start ${start}" : ''
    """
    cat > arm.json <<'END_OF_ARM'
    ${groovy.json.JsonOutput.toJson(arm)}
    END_OF_ARM
    cat > window_sets.json <<'END_OF_SETS'
    ${groovy.json.JsonOutput.toJson(sets)}
    END_OF_SETS
    train.py --arm arm.json --data data --window-sets window_sets.json ${begin} --replicates ${options.replicates} \\
        --seed ${options.seed} --cpus ${task.cpus} --checkpoints ${quoted(checkpoints)} --code ${code} --out ${arm.name}
    """

    stub:
    """
    mkdir ${arm.name}
    """
}
