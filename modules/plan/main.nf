// Read the samplesheet and the arms, refuse invalid ones, and determine what the run needs.
include { quoted } from '../../functions/shell'

process PLAN {
    publishDir(
        "${task.ext.outdir}/pipeline_info", mode: "${task.ext.publish_mode}", overwrite: 'deep',
        pattern: 'arms.json'
    )

    input:
    path sheet
    path table
    path arms_file
    path encoders_files, stageAs: 'encoders_?.yaml' // a later one goes first
    val options
    val code

    output:
    path 'plan.json', emit: plan
    path 'arms.json', emit: arms

    script:
    def source_table = table ? "--source-table ${table}" : ''
    def curve = options.learning_curve ? "--learning-curve ${options.learning_curve} --folds ${options.folds}" : ''
    def arms = options.arms ? "--arms ${quoted(options.arms)}" : ''
    def weights = options.weights_given ? '--weights-given' : ''
    def revision = options.weights_revision ? "--weights-revision ${quoted(options.weights_revision)}" : ''
    """
    plan.py --samplesheet ${sheet} ${source_table} --hold-out ${options.hold_out} --arms-file ${arms_file} --encoders-files ${encoders_files} ${arms} ${options.pretrained ? '--pretrained' : ''} \\
        --dna-encoder ${quoted(options.dna_encoder)} --protein-encoder ${quoted(options.protein_encoder)} \\
        --protein-input ${options.protein_input} --device ${options.device} ${weights} ${revision} ${curve}
    """
}
