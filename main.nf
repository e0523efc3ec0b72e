#!/usr/bin/env nextflow
// virshort: is it the training distribution, or are 150 bp too short? See README.md.
include { failureLines } from './functions/failures'
include { requireImage } from './functions/image'
include { checkParams ; helpText ; readSchema ; typedParams } from './functions/params'
include { claimResultsFolder ; emptyResultsFolder } from './functions/results_folder'
include { unsafeFolder ; unsafePipelineFolder } from './functions/shell'
include { ARMS } from './workflows/arms'
include { EXPERIMENT } from './workflows/experiment'
include { FEATURES } from './workflows/features'

workflow {
    main:
    def specs = readSchema(projectDir.resolve('nextflow_schema.json'))
    if (params.help) {
        println(helpText(specs, params.help))
        return
    }
    def folders = [unsafePipelineFolder(projectDir), unsafeFolder('work folder', workflow.workDir)].findAll()
    def problems = folders ?: checkParams(params, specs)
    if (problems) {
        error(problems.collect { problem -> "virshort: ${problem}" }.join('\n'))
    }
    def options = typedParams(params, specs)
    def lock = claimResultsFolder(options, specs, workflow.workDir)
    requireImage(workflow.containerEngine, workflow.container, projectDir, workflow.manifest.version)
    if (!workflow.preview) {
        emptyResultsFolder(options.outdir)
    }

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
        def summary = file("${options.outdir}/summary.txt", glob: false)
        if (workflow.success) {
            println(summary.exists() ? summary.text : '')
        }
        else {
            failureLines(workflow.errorReport ?: '', workflow.containerEngine).each { line -> println(line) }
        }
        lock?.close()
    }
}
