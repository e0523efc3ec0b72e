// Score the reads of one chunk with a model that counts or searches.
include { quoted } from '../../functions/shell'

process PREDICT {
    tag "${sample} ${chunk}"
    label 'parallel'
    array(
        'slurm' in workflow.profile.tokenize(',')
            ? nextflow.Global.session.params.slurm_array.toString().toBigDecimal().intValue()
            : 0
    )

    input:
    tuple val(sample), val(chunk), path(reads)
    path model
    val checked // its files, as PLAN_READS checked them
    val options // reads_per_chunk, min_read_length, max_n, quality_trim
    val compiled // folder for the compiled code, which tasks share
    val code

    output:
    tuple val(sample), path("${sample}.${chunk}.scores.parquet")

    script:
    def first = chunk.replace('chunk_', '').toLong() * options.reads_per_chunk
    """
    export NUMBA_CACHE_DIR=${quoted("${compiled}/${code}")}
    cat > checked.json <<'END_OF_CHECKED'
    ${groovy.json.JsonOutput.toJson(checked)}
    END_OF_CHECKED
    predict.py --model ${model} --checked checked.json --reads ${reads} --first-record ${first} --threads ${task.cpus} \\
        --min-read-length ${options.min_read_length} --max-n ${options.max_n} --quality-trim ${options.quality_trim} \\
        --out ${sample}.${chunk}.scores.parquet
    """

    stub:
    """
    touch ${sample}.${chunk}.scores.parquet
    """
}
