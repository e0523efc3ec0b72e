#!/usr/bin/env nextflow
// virshort: are 150 bp too short to recognize viruses, or is it the training distribution? See README.md.
include { failureLines                                                      } from './functions/failures'
include { requireImage                                                      } from './functions/image'
include { checkParams ; helpText ; readSchema ; typedParams ; withoutEffect } from './functions/params'
include { discardRecords ; keepRecords                                      } from './functions/records'
include { claimResultsFolder ; emptyResultsFolder                           } from './functions/results_folder'
include { unsafeFolder ; unsafePipelineFolder                               } from './functions/shell'
include { WINDOWS                                                           } from './workflows/windows'
include { EMBEDDING                                                         } from './workflows/embedding'
include { READY_FEATURES                                                    } from './workflows/ready_features'
include { ARMS                                                              } from './workflows/arms'
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

    // Reads are classified by a model. Without them there is an experiment: genomes become windows, and windows become features,
    // unless features are given
    if (options.reads) {
        CLASSIFY(options)
    }
    else if (options.features) {
        READY_FEATURES(options)
        data = READY_FEATURES.out
        features = data.features
        width = data.width
        folder = channel.value([])
        sequences = channel.empty()
        databases = channel.empty()
    }
    else {
        WINDOWS(options)
        data = WINDOWS.out
        EMBEDDING(options, data.plan, data.fastas, data.manifests, data.databases)
        features = EMBEDDING.out.features
        width = channel.value([])
        folder = data.folder
        sequences = data.sequences
        databases = data.databases
    }

    // Every arm is trained and evaluated on the same windows; the comparison gives the verdict
    if (!options.reads) {
        ARMS(
            options,
            [
                arms: data.arms, features: features, sets: data.sets, leakage: data.leakage, folds: data.folds,
                facts: data.facts, windows: folder, width: width, sequences: sequences, databases: databases
            ]
        )
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
