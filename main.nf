#!/usr/bin/env nextflow
// virshort: is it the training distribution, or are 150 bp too short? See README.md.
include { checkParams ; helpText ; readSchema ; typedParams } from './modules/params'
include { EXPERIMENT } from './workflows/experiment'

// What a failed task said to the user. (Nextflow itself prints what the workflow says.)
def failures(report) {
    if (!report.contains('Command executed')) {
        return []
    }
    def lines = report.readLines().collect { line -> line.trim() }.findAll { line -> line.startsWith('virshort:') }
    def missing = (report =~ /No module named '(\w+)/).collect { m -> m[1] }.unique().collect { name ->
        "virshort: the Python package ${name} is missing: run `make setup` and put .venv/bin first on PATH"
    }
    return (lines + missing).unique()
}

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
        def summary = file("${options.outdir}/summary.txt")
        if (workflow.success) {
            println(summary.exists() ? summary.text : '')
        }
        else {
            failures(workflow.errorReport ?: '').each { line -> println(line) }
        }
    }
}
