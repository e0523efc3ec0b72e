// Every arm trained, evaluated and compared: what the workflows have in common.
include { codeDigest     } from '../functions/code'
include { readJson       } from '../functions/files'
include { PRETRAINED     } from '../modules/pretrained/main'
include { TRAIN as TRAIN_BASELINE ; TRAIN } from '../modules/train/main'
include { EVALUATE       } from '../modules/evaluate/main'
include { COMPARE        } from '../modules/compare/main'
include { TRACE          } from '../modules/trace/main'
include { REPORT         } from '../modules/report/main'

// The files of a head: ours are two.
def headFiles(head) {
    def record = file("${head.parent}/model.json")
    return head.name.endsWith('.safetensors') && record.exists() ? [head, record] : [head]
}

// The files of some pools, as one pair of encoders gave them, in one order.
def filesOf(features, pair, pools) {
    return features.findAll { f -> f.pair == pair && f.pool in pools }.collectMany { f -> f.files }.sort { f -> f.name }
}

// What an arm needs to know of the window sets. It is all that its training depends on: another size of a test set, or of
// a set that it does not train on, does not train it again.
def trainingSets(sets, arm) {
    return sets.subMap('folds', 'test_folds', 'viral_share') + [train: sets.train.subMap(arm.windows ?: 'short', 'short')]
}

// Every arm is also judged on the validation windows of `short`.
def trainingPools(sets, arm) {
    return [arm.windows ?: 'short', 'short'].collectMany { name -> sets.train[name].pools }
}

def testPools(sets) {
    return sets.test.values().collectMany { s -> s.pools }
}

workflow ARMS {
    take:
    options // all parameters
    arms_file // arms.json, the arms that run
    width // numbers a row of ready features; none where encoders say it
    features // [pool, pair of encoders, files] of each
    sets // window_sets.json
    leakage // leakage.json
    facts // what else the report shows
    windows // folder of the windows, for the report

    main:
    arms = arms_file.flatMap { f -> readJson(f) }
    start = channel.value([[]])
    if (options.pretrained) {
        PRETRAINED(
            headFiles(file(options.pretrained)),
            arms_file.map { f -> readJson(f).find { arm -> arm.role == 'baseline' } },
            width,
            codeDigest('read_pretrained.py')
        )
        start = PRETRAINED.out
    }

    inputs = features
        .map { pool, pair, files -> [pool: pool, pair: pair, files: files] }
        .toList()
        .map { all -> [all] } // combine would put a list's members side by side; in a run that is being stopped there may be none
        .combine(sets.map { f -> readJson(f) })
        .map { all, known -> [features: all, sets: known] }

    // Every arm, over all folds and replicates
    jobs = arms.combine(inputs).map { arm, given ->
        [arm, trainingSets(given.sets, arm), filesOf(given.features, arm.pair, trainingPools(given.sets, arm))]
    }
    training = options.subMap('replicates', 'seed')
    checkpoints = "${workflow.workDir}/checkpoints"
    TRAIN_BASELINE(
        jobs.filter { arm, _known, _files -> arm.role == 'baseline' }.combine(start),
        training, checkpoints, codeDigest('train.py')
    )
    TRAIN(
        jobs.filter { arm, _known, _files -> arm.role != 'baseline' }
            .combine(TRAIN_BASELINE.out.map { _arm, models -> models })
            .map { arm, known, files, baseline -> [arm, known, files, arm.start == 'baseline' ? baseline : []] },
        training, checkpoints, codeDigest('train.py')
    )
    trained = TRAIN_BASELINE.out.mix(TRAIN.out)
    EVALUATE(
        trained.combine(inputs).map { arm, models, given ->
            [arm, given.sets.subMap('test', 'test_folds'), models, filesOf(given.features, arm.pair, testPools(given.sets))]
        },
        codeDigest('evaluate.py')
    )

    // Who won, and what a person reads of it
    models = trained.map { _arm, folder -> folder }.toSortedList { a, b -> a.name <=> b.name }
    COMPARE(
        arms_file, models, EVALUATE.out.toSortedList { a, b -> a.name <=> b.name }, leakage,
        options.subMap('seed') + [window_length: options.features ? null : options.window_length], codeDigest('compare.py')
    )
    TRACE(COMPARE.out.comparison, "${file(options.outdir)}/pipeline_info".toString())
    REPORT(
        COMPARE.out.comparison, models,
        leakage.mix(facts, sets, TRACE.out).toSortedList { a, b -> a.name <=> b.name },
        windows,
        files("${projectDir}/assets/report/*"),
        files("${projectDir}/assets/report/templates/*"),
        options,
        workflow.nextflow.version.toString(),
        codeDigest('report.py') + codeDigest('versions.py')
    )
}
