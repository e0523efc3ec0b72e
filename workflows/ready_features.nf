// Ready features, such as VirNucPro's merged files, in place of windows and their embeddings.
include { codeDigest     } from '../functions/code'
include { readJson       } from '../functions/files'
include { familyColumn   } from '../functions/hold_out'
include { contentOf      } from '../functions/pools'
include { listedFiles    } from '../functions/shell'
include { PLAN_FEATURES  } from '../modules/plan_features/main'
include { CHECK_FEATURES } from '../modules/check_features/main'
include { SPLIT          } from '../modules/split/main'
include { TAKE_FEATURES  } from '../modules/take_features/main'

workflow READY_FEATURES {
    take:
    options // all parameters, typed

    main:
    sheet = channel.value(file(options.features, glob: false))
    table = channel.value(options.source_table ? file(options.source_table, glob: false) : [])

    // Which arms run, on which files
    PLAN_FEATURES(
        sheet,
        table,
        file(options.arms_file ?: "${projectDir}/assets/arms_features.yaml", glob: false),
        options.subMap('arms', 'learning_curve', 'folds', 'hold_out') + [pretrained: options.pretrained != null],
        codeDigest('plan_features.py')
    )
    // [ file, ... ]
    merged = PLAN_FEATURES.out.plan.combine(sheet).map { plan, s -> listedFiles(readJson(plan).files, s) }.first()
    CHECK_FEATURES(sheet, merged, table, familyColumn(options), codeDigest('check_features.py'))

    // Contigs of a cluster stay in one fold, chunks with their contig, and frames with their chunk
    SPLIT(
        CHECK_FEATURES.out.sources,
        CHECK_FEATURES.out.clusters,
        options.subMap('folds', 'test_folds', 'hold_out', 'seed', 'cluster_cap'),
        codeDigest('split.py')
    )
    TAKE_FEATURES(sheet, merged, SPLIT.out.folds, SPLIT.out.summary, familyColumn(options), codeDigest('take_features.py'))

    arms = PLAN_FEATURES.out.arms
    width = CHECK_FEATURES.out.summary.map { f -> readJson(f).inputs }
    features = TAKE_FEATURES.out.features.flatMap { found ->
        found.groupBy { f -> [f.name.tokenize('.')[0..1].join('/'), contentOf(f.name)] }.collect { key, files -> key + [files] }
    }
    sets = TAKE_FEATURES.out.sets
    leakage = CHECK_FEATURES.out.leakage
    folds = SPLIT.out.folds
    facts = SPLIT.out.summary.mix(CHECK_FEATURES.out.summary)

    emit:
    arms // arms.json: the arms that run
    width // numbers per row
    features // [ pool, `given` or `windows`, [features or manifests of all its shards] ]
    sets // window_sets.json: which pools make a window set
    leakage // leakage.json
    folds // folds.parquet: the sources with their families and folds
    facts // summaries of the steps, for the report
}
