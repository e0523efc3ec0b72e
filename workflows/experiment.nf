// The experiment: genomes become windows, and windows become features, unless features are given; every arm is trained and
// evaluated on the same windows, and the comparison gives the verdict and the model of the best arm.
include { WINDOWS        } from './windows'
include { EMBEDDING      } from './embedding'
include { READY_FEATURES } from './ready_features'
include { ARMS           } from './arms'

workflow EXPERIMENT {
    take:
    options // all parameters, typed

    main:
    if (options.features) {
        READY_FEATURES(options)
        data = READY_FEATURES.out
        features = data.features
        finetuned = channel.empty()
        width = data.width
        folder = channel.value([])
        rows = channel.value([:])
        sequences = channel.empty()
        databases = channel.empty()
    }
    else {
        WINDOWS(options)
        data = WINDOWS.out
        EMBEDDING(options, data.plan, data.fastas, data.manifests, data.sets, data.databases)
        features = EMBEDDING.out.features
        finetuned = EMBEDDING.out.finetuned
        width = data.plan.map { p -> p.width }
        rows = data.plan.map { p -> p.weights.collectEntries { name, wanted -> [name, wanted.row] } }
        folder = data.folder
        sequences = data.sequences
        databases = data.databases
    }
    ARMS(
        options,
        [
            arms: data.arms, features: features, sets: data.sets, leakage: data.leakage, folds: data.folds, facts: data.facts,
            windows: folder, width: width, rows: rows, sequences: sequences, databases: databases, finetuned: finetuned
        ]
    )
}
