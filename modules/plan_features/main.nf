// Read the sheet of ready features and the arms, refuse invalid ones, and determine what the run needs.
include { quoted } from '../../functions/shell'

process PLAN_FEATURES {
    publishDir(
        "${task.ext.outdir}/pipeline_info", mode: "${task.ext.publish_mode}", overwrite: 'deep',
        pattern: 'arms.json'
    )

    input:
    path sheet
    path table
    path arms_file
    val options
    val code

    output:
    path 'plan.json', emit: plan
    path 'arms.json', emit: arms

    script:
    def source_table = table ? "--source-table ${table}" : ''
    def curve = options.learning_curve ? "--learning-curve ${options.learning_curve} --folds ${options.folds}" : ''
    def arms = options.arms ? "--arms ${quoted(options.arms)}" : ''
    """
    plan_features.py --features ${sheet} ${source_table} --hold-out ${options.hold_out} --arms-file ${arms_file} ${arms} \\
        ${options.pretrained ? '--pretrained' : ''} ${curve}
    """
}
