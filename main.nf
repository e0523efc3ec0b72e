#!/usr/bin/env nextflow
// virshort: is it the training distribution, or are 150 bp too short? See README.md.
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

    EXPERIMENT(options)

    workflow.onComplete = {
        if (workflow.success) {
            println(file("${options.outdir}/summary.txt").text)
        }
        else {
            def said = (workflow.errorReport ?: '').readLines().findAll { line -> line.trim().startsWith('virshort:') }
            said.unique().each { line -> println(line.trim()) }
        }
    }
}
