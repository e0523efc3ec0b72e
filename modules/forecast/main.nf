// Say how long the scores of all reads will take, and what they cost, from how long some reads of one chunk take.
include { quoted } from '../../functions/shell'

process FORECAST {
    label 'parallel'
    publishDir "${task.ext.outdir}/pipeline_info", mode: "${task.ext.publish_mode}", overwrite: 'deep'

    input:
    tuple path(samples, stageAs: 'samples/*'), path(reads)
    path model
    val checked // its files, as PLAN_READS checked them
    val options // reads_per_chunk, min_read_length, max_n, quality_trim
    val compiled // folder for the compiled code, which tasks share
    val code

    output:
    path 'forecast.json'

    script:
    def local = task.executor in [null, 'local']
    def queue = nextflow.Global.session.config.executor?.queueSize ?: 100
    def tasks = local ? Math.max(1, Runtime.runtime.availableProcessors().intdiv(task.cpus)) : queue
    """
    export NUMBA_CACHE_DIR=${quoted("${compiled}/${code}")}
    cat > checked.json <<'END_OF_CHECKED'
    ${groovy.json.JsonOutput.toJson(checked)}
    END_OF_CHECKED
    forecast.py --samples samples --model ${model} --checked checked.json --reads ${reads} --threads ${task.cpus} \\
        --min-read-length ${options.min_read_length} --max-n ${options.max_n} --quality-trim ${options.quality_trim} \\
        --tasks ${tasks} --out forecast.json
    """

    stub:
    """
    echo '{"sentence": "A stub takes no time."}' > forecast.json
    """
}
