// Read the samplesheet and the arms, refuse what is wrong with them, and say what the run needs.
include { quoted } from '../shell'

process PLAN {
    input:
    path sheet
    path arms_file
    val options
    val code

    output:
    path 'plan.json', emit: plan
    path 'arms.json', emit: arms

    script:
    def arms = options.arms ? "--arms ${quoted(options.arms)}" : ''
    """
    plan.py --samplesheet ${sheet} --arms-file ${arms_file} ${arms} ${options.pretrained ? '--pretrained' : ''} \\
        --dna-encoder ${options.dna_encoder} --protein-encoder ${options.protein_encoder}
    """
}
