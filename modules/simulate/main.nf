// Simulate the genomes of the demo, viral and nonviral, with their samplesheet and source table.
process SIMULATE {
    input:
    val seed
    val code

    output:
    path 'demo/samplesheet.csv', emit: sheet
    path 'demo/sources.tsv', emit: table
    path 'demo/*.fa.gz', emit: genomes

    script:
    """
    simulate.py --seed ${seed} --outdir demo
    """
}
