#!/usr/bin/env nextflow
// virshort: is it the training distribution, or are 150 bp too short? See README.md.
include { failureLines } from './functions/failures'
include { requireImage } from './functions/image'
include { lockOutdir } from './functions/lock'
include { checkParams ; helpText ; readSchema ; typedParams } from './functions/params'
include { unsafeFolder } from './functions/shell'
include { ARMS } from './workflows/arms'
include { EXPERIMENT } from './workflows/experiment'
include { FEATURES } from './workflows/features'

workflow {
    main:
    def specs = readSchema(file("${projectDir}/nextflow_schema.json"))
    if (params.help) {
        println(helpText(specs, params.help))
        return
    }
    def problems = [unsafeFolder(projectDir)].findAll() ?: checkParams(params, specs)
    if (problems) {
        error(problems.collect { problem -> "virshort: ${problem}" }.join('\n'))
    }
    def options = typedParams(params, specs)
    def lock = lockOutdir(options.outdir)
    requireImage(workflow.containerEngine, workflow.container, projectDir, workflow.manifest.version)

    // Windows with their features, of genomes or ready; then every arm side by side
    if (options.features) {
        FEATURES(options)
        given = FEATURES.out
    }
    else {
        EXPERIMENT(options)
        given = EXPERIMENT.out
    }
    ARMS(options, given.arms, given.width, given.features, given.sets, given.leakage, given.facts, given.windows)

    workflow.onComplete = {
        def summary = file("${options.outdir}/summary.txt")
        if (workflow.success) {
            println(summary.exists() ? summary.text : '')
        }
        else {
            failureLines(workflow.errorReport ?: '').each { line -> println(line) }
        }
        lock?.close()
    }
}
