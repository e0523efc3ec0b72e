// Compare all arms on every test set, with intervals that account for clusters and replicates, and give the verdict.
process COMPARE {
    publishDir "${task.ext.outdir}", mode: "${task.ext.publish_mode}", overwrite: 'deep'

    input:
    path arms
    path models, stageAs: 'run/models/*'
    path evaluations, stageAs: 'run/evaluation/*'
    path novelty, stageAs: 'run/evaluation/*'
    path leakage
    path folds
    val options
    val code

    output:
    path 'comparison.json', emit: comparison
    path 'comparison.tsv', emit: table
    path 'novelty.tsv', emit: novelty

    script:
    """
    compare.py run --arms ${arms} --leakage ${leakage} --folds ${folds} --seed ${options.seed} --window-length ${options.window_length ?: 0} \\
        --min-training-accuracy ${options.min_training_accuracy} --min-accuracy ${options.min_accuracy} \\
        --min-precision ${options.min_precision} --min-recall ${options.min_recall} --min-f1 ${options.min_f1} \\
        --out comparison.json --tsv comparison.tsv --novelty-tsv novelty.tsv
    """

    stub:
    """
    touch comparison.json comparison.tsv novelty.tsv
    """
}
