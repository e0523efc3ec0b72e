#!/usr/bin/env nextflow
// virshort: are 150 bp too short to recognize viruses, or is it the training distribution? See README.md.
include { failureLines                                                      } from './functions/failures'
include { requireImage                                                      } from './functions/image'
include { checkParams ; helpText ; readSchema ; typedParams ; withoutEffect } from './functions/params'
include { discardRecords ; keepRecords                                      } from './functions/records'
include { claimResultsFolder ; emptyResultsFolder                           } from './functions/results_folder'
include { unsafeFolder ; unsafePipelineFolder                               } from './functions/shell'
include { EXPERIMENT                                                        } from './workflows/experiment'
include { CLASSIFY                                                          } from './workflows/classify'

workflow {
    main:
    def specs = readSchema(projectDir.resolve('nextflow_schema.json'))
    if (params.help) {
        discardRecords()
        println(helpText(specs, params.help))
        return
    }
    def folders = [unsafePipelineFolder(projectDir), unsafeFolder('work folder', workflow.workDir)].findAll()
    def problems = folders ?: checkParams(params, specs)
    if (problems) {
        discardRecords()
        error(problems.collect { problem -> "virshort: ${problem}" }.join('\n'))
    }
    def options = typedParams(params, specs)
    withoutEffect(options, specs, workflow.profile.tokenize(',')).each { line -> log.warn("virshort: ${line}") }
    def lock = claimResultsFolder(options, specs, workflow.workDir)
    keepRecords(options.outdir)
    requireImage(workflow.containerEngine, options.container ?: workflow.container, projectDir, workflow.manifest.version)
    if (!workflow.preview) {
        emptyResultsFolder(options.outdir)
    }

    // Reads are classified by a model. Without reads, the experiment makes such a model
    if (options.reads) {
        CLASSIFY(options)
    }
    else {
        EXPERIMENT(options)
    }

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
