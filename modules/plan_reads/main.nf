// Read the sheet of reads and the model's record, refuse invalid ones, and determine what the run needs.
include { quoted } from '../../functions/shell'

process PLAN_READS {
    input:
    path sheet
    path model
    path truth, stageAs: 'truth/*' // or []
    val threshold
    val weights_revision
    val code

    output:
    path 'plan.json'

    script:
    def revision = weights_revision ? "--weights-revision ${quoted(weights_revision)}" : ''
    """
    plan_reads.py --reads ${sheet} --model ${model} --threshold ${quoted(threshold)} ${revision} \\
        ${truth ? "--truth ${truth}" : ''} --out plan.json
    """
}
