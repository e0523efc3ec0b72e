// Simulate reads for the demo's model, of genomes that its experiment has not seen, with the label of each.
process SIMULATE_READS {
    publishDir "${task.ext.outdir}", mode: "${task.ext.publish_mode}", overwrite: 'deep'

    input:
    val seed
    val code

    output:
    path 'simulated', type: 'dir'

    script:
    """
    simulate_reads.py --seed ${seed} --outdir simulated
    """

    stub:
    """
    mkdir simulated
    """
}
