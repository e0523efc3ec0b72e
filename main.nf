#!/usr/bin/env nextflow
// virshort: is it the training distribution, or are 150 bp too short? See README.md.
include { failureLines } from './functions/failures'
include { requireImage } from './functions/image'
include { checkParams ; helpText ; readSchema ; typedParams } from './functions/params'
include { lockResultsFolder ; removeEarlierResults ; resultsFolderComplaint } from './functions/results_folder'
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
    def files = options.subMap(specs.findAll { s -> s.exists }.collect { s -> s.name }).findAll { _name, path -> path }
    def refusal = resultsFolderComplaint(options.outdir, options.publish_mode, workflow.workDir, files)
    if (refusal) {
        error("virshort: ${refusal}")
    }
    def lock = lockResultsFolder(options.outdir)
    requireImage(workflow.containerEngine, workflow.container, projectDir, workflow.manifest.version)
    def removed = workflow.preview ? [] : removeEarlierResults(options.outdir)
    if (removed) {
        println(
            "Note: removed what an earlier run published in ${options.outdir}: ${removed.join(', ')}. " +
            'To get it back, repeat that run with -resume.'
        )
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
