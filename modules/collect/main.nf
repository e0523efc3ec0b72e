// Call the reads of one sample, and write its tables, its viral reads and its summary.
include { quoted } from '../../functions/shell'

process COLLECT {
    tag "${sample}"
    publishDir "${task.ext.outdir}", mode: "${task.ext.publish_mode}", overwrite: 'deep', saveAs: { name -> name - 'out/' }

    input:
    tuple val(sample), path(reads, stageAs: 'chunks/*'), path(record), path(scores, stageAs: 'chunks/*')
    path model, stageAs: 'model/model.json'
    path sources, stageAs: 'model/homology/sources.json' // or [] where the model searches none
    path truth, stageAs: 'truth/*' // or []
    val options // threshold, pair_rule, formats
    val compiled // folder for the compiled code, which tasks share
    val code

    output:
    path "out/${sample}", type: 'dir', emit: files
    path "out/${sample}/${sample}.summary.json", emit: summary

    script:
    """
    export NUMBA_CACHE_DIR=${quoted("${compiled}/${code}")}
    collect.py --reads ${record} --chunks chunks --model model/model.json --threshold ${quoted(options.threshold)} \\
        --pair-rule ${options.pair_rule} --formats ${quoted(options.formats ?: '')} --threads ${task.cpus} \\
        ${truth ? "--truth ${truth}" : ''} --out out/${sample}
    """

    stub:
    """
    mkdir -p out/${sample}
    touch out/${sample}/${sample}.summary.json
    """
}
