// From features to the report: every arm trained and evaluated, all arms compared.
include { codeDigest                                                                  } from '../functions/code'
include { filesIn ; headFiles ; readJson                                              } from '../functions/files'
include { checkModelArm ; modelArm                                                    } from '../functions/model_arm'
include { filesOf ; testPools ; testSets ; trainingPools ; trainingSets ; withMatches } from '../functions/pools'
include { PRETRAINED                                                                  } from '../modules/pretrained/main'
include { TRAIN as TRAIN_BASELINE ; TRAIN ; TRAIN as TRAIN_COMBINED                   } from '../modules/train/main'
include { EVALUATE                                                                    } from '../modules/evaluate/main'
include { NOVELTY                                                                     } from '../modules/novelty/main'
include { COMPARE                                                                     } from '../modules/compare/main'
include { MODEL                                                                       } from '../modules/model/main'
include { TRACE                                                                       } from '../modules/trace/main'
include { REPORT                                                                      } from '../modules/report/main'

workflow ARMS {
    take:
    options // all parameters, typed
    // Channels by name. arms: arms.json; features: [ pool, encoder or `windows`, [files] ]; sets: window_sets.json; leakage:
    // leakage.json; folds: folds.parquet; facts: what else the report shows; windows: their folder, or []; width: numbers
    // per row of the baseline's features; rows: of encoders.yaml, by language model; sequences: the bases of all sources, and
    // databases: what windows are searched against, nothing where there are none; finetuned: [ arm's name, [folder of each
    // model] ] of arms whose encoder was trained end to end
    data

    main:
    // The baseline is trained here unless a trained head is given
    start = channel.value([[]])
    if (options.pretrained) {
        PRETRAINED(
            headFiles(file(options.pretrained, glob: false)),
            data.arms.map { f -> readJson(f).find { arm -> arm.role == 'baseline' } },
            data.width,
            codeDigest('read_pretrained.py')
        )
        start = PRETRAINED.out
    }

    // { features: [ { pool, content, files }, ... ], sets }
    inputs = data.features
        .map { pool, content, files -> [pool: pool, content: content, files: files] }
        .toList()
        .map { all -> [all] } // combine would spread a bare list, which is empty in a run that is being stopped
        .combine(data.sets.map { f -> readJson(f) })
        .map { all, known -> [features: all, sets: known] }

    // [ arm, sets, [files] ], first the arms that others combine, since these wait for them
    listed = data.arms.flatMap { f ->
        def arms = readJson(f)
        arms.sort(false) { arm -> arms.any { other -> arm.name in other.combine } ? 0 : 1 }
    }
    jobs = listed.combine(inputs).map { arm, given ->
        [arm, trainingSets(given.sets, arm), filesOf(given.features, arm.encoders.values(), trainingPools(given.sets, arm))]
    }
    kinds = jobs.branch { arm, _sets, _files ->
        baseline: (arm.curve_of ?: arm.name).tokenize('@')[0] == 'baseline' // with any encoder
        combined: arm.combine
        after_baseline: arm.begins_with
        finetuned: arm.finetune
        other: true
    }
    checkpoints = "${workflow.workDir}/checkpoints"
    TRAIN_BASELINE(
        // [ baseline, sets, [files], pretrained head or [] ]
        kinds.baseline.combine(start).map { arm, sets, files, head -> [arm, sets, files, arm.start == 'pretrained' ? head : []] },
        options.subMap('replicates', 'seed'), checkpoints, codeDigest('train.py')
    )
    TRAIN(
        // [ arm, sets, [files], the models of the baseline that it begins with, those trained end to end, or [] ]
        kinds.other.map { arm, sets, files -> [arm, sets, files, []] }.mix(
            kinds.after_baseline.map { arm, sets, files -> [arm.begins_with[0], arm, sets, files] }
                .combine(TRAIN_BASELINE.out.map { arm, models -> [arm.name, models] }, by: 0)
                .map { _name, arm, sets, files, models -> [arm, sets, files, models] },
            kinds.finetuned.map { arm, sets, files -> [arm.name, arm, sets, files] }
                .combine(data.finetuned, by: 0)
                .map { _name, arm, sets, files, folders -> [arm, sets, files, folders] }
        ),
        options.subMap('replicates', 'seed'), checkpoints, codeDigest('train.py')
    )
    // [ name, models ]
    parts = TRAIN_BASELINE.out.mix(TRAIN.out).map { arm, models -> [arm.name, models] }
    TRAIN_COMBINED(
        // [ arm, sets, [files], [models of each arm that it combines] ]
        kinds.combined
            .flatMap { arm, sets, files ->
                arm.combine.collect { name -> [name, groupKey(arm.name, arm.combine.size()), arm, sets, files] }
            }
            .combine(parts, by: 0)
            .map { _name, key, arm, sets, files, models -> [key, arm, sets, files, models] }
            .groupTuple()
            .map { _key, arms, sets, files, models -> [arms[0], sets[0], files[0], models.sort { f -> f.name }] },
        options.subMap('replicates', 'seed'), checkpoints, codeDigest('train.py')
    )
    // [ arm, models ]
    trained = TRAIN_BASELINE.out.mix(TRAIN.out, TRAIN_COMBINED.out)
    EVALUATE(
        // [ arm, sets, models, [files] ]
        trained.combine(inputs).map { arm, models, given ->
            def sets = testSets(given.sets, arm)
            def read = filesOf(given.features, arm.encoders.values(), testPools(sets))
            [arm, sets, models, read]
        },
        codeDigest('evaluate.py')
    )

    // How new the short test windows are to the splits that test them
    tested = inputs.filter { given -> given.sets.test.short }
    NOVELTY(
        // [ manifests and features, with matches if there are any ... ]
        tested.map { given ->
            def pools = given.sets.test.short.pools
            filesOf(given.features, [withMatches(given.features, pools)], pools)
        },
        tested.map { given -> [folds: given.sets.folds, test: given.sets.test.subMap('short')] },
        data.folds,
        codeDigest('novelty.py')
    )

    // [ models of an arm, ... ]
    models = trained.map { _arm, folder -> folder }.toSortedList { a, b -> a.name <=> b.name }
    COMPARE(
        data.arms,
        models,
        // [ evaluation of an arm, ... ]
        EVALUATE.out.toSortedList { a, b -> a.name <=> b.name },
        NOVELTY.out.ifEmpty([]),
        data.leakage,
        data.folds,
        options.subMap('seed', 'min_training_accuracy', 'min_accuracy', 'min_precision', 'min_recall', 'min_f1') +
            [window_length: options.features ? null : options.window_length],
        codeDigest('compare.py')
    )
    // The arm that validation prefers, or --model_arm, as a model that reads can be classified by; none of ready features
    MODEL(
        // [ arm, models, evaluation, databases or [], { each language model of the run: its row of encoders.yaml } ]
        trained.map { arm, folder -> [arm.name, arm, folder] }
            .join(EVALUATE.out.map { folder -> [folder.name, folder] })
            .combine(COMPARE.out.comparison)
            .filter { name, _arm, _models, _evaluation, compared -> name == modelArm(options.model_arm, compared) }
            .combine(data.databases.ifEmpty([]).map { found -> [found] })
            .combine(data.rows)
            .map { _name, arm, found, evaluation, _compared, databases, rows ->
                [arm, found, evaluation, 'homology' in arm.modalities ? databases : [], rows]
            },
        COMPARE.out.comparison,
        data.arms.map { f -> checkModelArm(options.model_arm, f) }, // before anything is trained
        data.sets,
        data.folds,
        data.sequences,
        options.subMap('window_length', 'genetic_code', 'frames', 'homology_sensitivity', 'demo'),
        codeDigest('write_model.py')
    )
    TRACE(COMPARE.out.comparison)
    REPORT(
        COMPARE.out.comparison,
        models,
        // [ leakage.json, window_sets.json, trace.tsv, summaries of the steps ... ]
        data.leakage.mix(data.facts, data.sets, TRACE.out).toSortedList { a, b -> a.name <=> b.name },
        data.windows,
        filesIn(projectDir.resolve('assets/report')),
        filesIn(projectDir.resolve('assets/report/templates')),
        options,
        workflow.nextflow.version.toString(),
        codeDigest('report.py') + codeDigest('versions.py')
    )
}
