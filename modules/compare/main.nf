// Every arm on every test set, with intervals that know about clusters and replicates, and the verdict.
process COMPARE {
    input:
    path arms
    path models, stageAs: 'run/models/*'
    path evaluations, stageAs: 'run/evaluation/*'
    path leakage
    val options
    val code

    output:
    path 'comparison.json', emit: comparison
    path 'comparison.tsv', emit: table

    script:
    """
    compare.py run --arms ${arms} --leakage ${leakage} --seed ${options.seed} --window-length ${options.window_length ?: 0} \\
        --out comparison.json --tsv comparison.tsv
    """

    stub:
    """
    touch comparison.json comparison.tsv
    """
}
