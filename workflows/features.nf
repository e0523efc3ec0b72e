// Ready features, VirNucPro's merged files, in place of windows and their embeddings.
include { codeDigest     } from '../functions/code'
include { readJson       } from '../functions/files'
include { listedFiles    } from '../functions/shell'
include { PLAN_FEATURES  } from '../modules/plan_features/main'
include { CHECK_FEATURES } from '../modules/check_features/main'
include { SPLIT          } from '../modules/split/main'
include { TAKE_FEATURES  } from '../modules/take_features/main'

workflow FEATURES {
    take:
    options

    main:
    sheet = channel.value(file(options.features, glob: false))
    table = channel.value(options.source_table ? file(options.source_table, glob: false) : [])

    // What is asked for, and what there is
    asked = options.subMap('arms') + [pretrained: options.pretrained != null]
    arms_file = options.arms_file ?: "${projectDir}/assets/arms_features.yaml"
    PLAN_FEATURES(sheet, file(arms_file, glob: false), asked, codeDigest('plan_features.py'))
    merged = PLAN_FEATURES.out.plan.combine(sheet).map { plan, s -> listedFiles(readJson(plan).files, s) }.first()
    CHECK_FEATURES(sheet, merged, table, codeDigest('check_features.py'))

    // Contigs of a cluster stay in one fold, chunks with their contig, frames with their chunk
    SPLIT(
        CHECK_FEATURES.out.sources,
        CHECK_FEATURES.out.clusters,
        options.subMap('folds', 'test_folds', 'seed', 'cluster_cap'),
        codeDigest('split.py')
    )
    TAKE_FEATURES(sheet, merged, SPLIT.out.folds, SPLIT.out.summary, codeDigest('take_features.py'))

    // What training and evaluation need of it
    arms = PLAN_FEATURES.out.arms
    width = CHECK_FEATURES.out.summary.map { f -> readJson(f).inputs }
    features = TAKE_FEATURES.out.features.flatMap { found ->
        found.groupBy { f -> f.name.tokenize('.')[0..1].join('/') }.collect { pool, shards -> [pool, 'given+given', shards] }
    }
    sets = TAKE_FEATURES.out.sets
    leakage = CHECK_FEATURES.out.leakage
    facts = SPLIT.out.summary.mix(CHECK_FEATURES.out.summary)
    windows = channel.value([])

    emit:
    arms
    width
    features
    sets
    leakage
    facts
    windows
}
