// End-to-end training: for each arm that asks for it, split and replicate, an encoder is trained together with a head on the
// windows of the arm, and then says how viral each window is that the split tests or validates on.
include { codeDigest                                        } from '../functions/code'
include { encodersOf ; poolOf ; trainingPools ; trainingSets } from '../functions/pools'
include { loading                                           } from '../functions/weights'
include { FINETUNE                                          } from '../modules/finetune/main'
include { SCORE_FINETUNED                                   } from '../modules/score_finetuned/main'

workflow FINETUNING {
    take:
    options // all parameters, typed
    plan // plan.json, read
    sets // window_sets.json, read
    fastas // [ shard_*.fa.gz, ... ]
    manifests // [ shard_*.windows.parquet, ... ]
    weights // [ language model, folder ]

    main:
    gpu_locks = options.device == 'cpu' ? '' : "${workflow.workDir}/gpus"
    // [ language model, arm, sets, { module, reading } ]
    arms = plan.combine(sets).flatMap { p, known ->
        p.arms.findAll { arm -> arm.finetune }.collect { arm ->
            def planned = p.encoders[arm.encoders.finetuned]
            [planned.model, arm, known, planned.subMap('module', 'reading')]
        }
    }
    // [ arm, sets, { module, reading, precision, device, digest, memory }, weights ]
    ready = arms.combine(weights, by: 0).map { _model, arm, known, loader, folder ->
        [arm, known, loader + loading(folder, options), folder]
    }
    // [ [ shard_*.fa.gz, shard_*.windows.parquet, ... ] ]
    shards = fastas.mix(manifests).flatten().toSortedList { a, b -> "${a}" <=> "${b}" }.map { all -> [all] }
    FINETUNE(
        // [ arm, sets, fold, replicate, [files of its window set], weights, loader ]
        ready.combine(shards).flatMap { arm, known, loader, folder, files ->
            def read = files.findAll { f -> poolOf(f) in trainingPools(known, arm) }
            def asked = trainingSets(known, arm).subMap('folds', 'viral_share', 'train') // other tested folds change nothing
            [known.test_folds, 0..<options.replicates].combinations()
                .collect { fold, replicate ->
                    [arm, asked, fold, replicate, read, folder, loader + [code: codeDigest('finetune.py', [loader.module])]]
                }
        },
        options.subMap('seed', 'genetic_code'),
        "${workflow.workDir}/checkpoints",
        gpu_locks
    )
    // [ arm's name, [folder of each split and replicate] ]
    models = FINETUNE.out.map { arm, folder -> [arm.name, folder] }.groupTuple()
        .map { name, folders -> [name, folders.sort { f -> f.name }] }
    SCORE_FINETUNED(
        // [ encoder, pool, shard, fasta, manifest, [models], weights, loader ]
        ready.map { arm, known, loader, folder ->
                def more = [folds: known.folds, code: codeDigest('score_finetuned.py', [loader.module])]
                [arm.name, arm.encoders.finetuned, folder, loader + more]
            }
            .combine(models, by: 0)
            .combine(plan)
            .combine(shards)
            .flatMap { _name, encoder, folder, loader, folders, p, files ->
                files.findAll { f -> encoder in encodersOf(p, poolOf(f)) }
                    .groupBy { f -> [poolOf(f), f.name.tokenize('.')[0]] }
                    .collect { place, both ->
                        def (fasta, manifest) = both.sort { f -> f.name } // shard_00000.fa.gz, shard_00000.windows.parquet
                        [encoder, place[0], place[1], fasta, manifest, folders, folder, loader]
                    }
            },
        options.subMap('genetic_code', 'frames'),
        gpu_locks
    )
    features = SCORE_FINETUNED.out

    emit:
    features // [ pool, features of a shard ]
    models // [ arm's name, [folder of each split and replicate] ]
}
