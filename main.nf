#!/usr/bin/env nextflow
// virshort: is it the training distribution, or are 150 bp too short? See README.md.
include { failureLines } from './modules/failures'
include { lockOutdir } from './modules/lock'
include { checkParams ; helpText ; readSchema ; typedParams } from './modules/params'
include { EXPERIMENT } from './workflows/experiment'

workflow {
    main:
    def specs = readSchema(file("${projectDir}/nextflow_schema.json"))
    if (params.help) {
        println(helpText(specs, params.help))
        return
    }
    def problems = checkParams(params, specs)
    if (problems) {
        error(problems.collect { problem -> "virshort: ${problem}" }.join('\n'))
    }
    def options = typedParams(params, specs)
    def lock = lockOutdir(options.outdir)

    EXPERIMENT(options)

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
