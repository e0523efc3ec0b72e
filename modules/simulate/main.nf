// The bundled demo: simulated viral and nonviral genomes, their samplesheet and source table.
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
