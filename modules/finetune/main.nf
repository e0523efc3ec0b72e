// Train the encoder of an arm end to end with a head, for one tested fold and replicate. On a machine with GPUs, the task has
// one to itself.
include { quoted } from '../../functions/shell'

process FINETUNE {
    tag "${arm.name} fold ${fold} replicate ${replicate}"
    label 'gpu'
    memory { 1.GB * (4 + 2 * loader.memory) * task.attempt }

    input:
    tuple val(arm), val(sets), val(fold), val(replicate), path(shards, stageAs: 'data/*'), path(weights), val(loader)
    val options // seed, genetic_code
    val checkpoints
    val gpu_locks

    output:
    tuple val(arm), path("fold_${fold}_replicate_${replicate}", type: 'dir')

    script:
    def reading = loader.reading ? "--reading ${quoted(groovy.json.JsonOutput.toJson(loader.reading))}" : ''
    def on_one_gpu = gpu_locks ? "on_one_gpu.sh ${quoted(gpu_locks)} " : ''
    """
    cat > arm.json <<'END_OF_ARM'
    ${groovy.json.JsonOutput.toJson(arm)}
    END_OF_ARM
    cat > window_sets.json <<'END_OF_SETS'
    ${groovy.json.JsonOutput.toJson(sets)}
    END_OF_SETS
    ${on_one_gpu}finetune.py --arm arm.json --data data --window-sets window_sets.json --module ${loader.module} --weights . ${reading} \\
        --fold ${fold} --replicate ${replicate} --seed ${options.seed} --precision ${loader.precision} \\
        --device ${loader.device} --genetic-code ${options.genetic_code} --checkpoints ${quoted(checkpoints)} --code ${loader.code} \\
        --out fold_${fold}_replicate_${replicate}
    """

    stub:
    """
    mkdir fold_${fold}_replicate_${replicate}
    """
}
