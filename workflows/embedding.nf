// From windows to features: every window is embedded once by every encoder that some arm needs, however many arms share it.
include { codeDigest                 } from '../functions/code'
include { pairsOf ; poolOf ; shardOf } from '../functions/pools'
include { givenWeights ; loading     } from '../functions/weights'
include { FETCH_WEIGHTS              } from '../modules/fetch_weights/main'
include { EMBED                      } from '../modules/embed/main'
include { EMBED_KMERS                } from '../modules/embed_kmers/main'
include { MERGE                      } from '../modules/merge/main'

workflow EMBEDDING {
    take:
    options // all parameters, typed
    plan // plan.json, read
    fastas // [ shard_*.fa.gz, ... ]
    manifests // [ shard_*.windows.parquet, ... ]

    main:
    FETCH_WEIGHTS(
        // [ encoder, revision, [files of --weights] ]
        plan.flatMap { p ->
            p.weights.collect { encoder, revision -> [encoder, revision, givenWeights(options.weights, encoder)] }
        },
        "${workflow.workDir}/weights",
        codeDigest('fetch_weights.py')
    )
    // { encoder: { module that loads it, digest of its code, language model that it needs or null } }
    encoders = plan.map { p ->
        p.encoders.collectEntries { name, encoder -> [name, encoder + [code: codeDigest('embed.py', [encoder.module])]] }
    }
    // [ model or null, [ encoder, pool, shard, fasta ], { module, code } ]
    shards = fastas.flatten().combine(plan).combine(encoders)
        .flatMap { fasta, p, known ->
            def names = pairsOf(p, poolOf(fasta)).collectMany { pair -> pair.tokenize('+') }.unique()
            names.collect { name ->
                [known[name].model, [name, poolOf(fasta), shardOf(fasta), fasta], known[name].subMap('module', 'code')]
            }
        }
        .branch { model, _shard, _loader ->
            models: model
            kmers: true
        }
    EMBED(
        // [ encoder, pool, shard, fasta, weights, { module, code, precision, device, digest, memory } ]
        shards.models.combine(FETCH_WEIGHTS.out, by: 0)
            .map { _model, shard, loader, weights -> shard + [weights, loader + loading(weights, options)] },
        options.genetic_code,
        options.frames,
        options.device == 'cpu' ? '' : "${workflow.workDir}/gpus"
    )
    EMBED_KMERS(
        // [ encoder, pool, shard, fasta, { module, code } ]
        shards.kmers.map { _model, shard, loader -> shard + [loader] },
        options.genetic_code,
        options.frames
    )
    MERGE(
        // [ pool, shard, pair of encoders, [embeddings of both], manifest ]
        EMBED.out.mix(EMBED_KMERS.out).combine(plan)
            .flatMap { pool, shard, encoder, rows, p ->
                pairsOf(p, pool).findAll { pair -> encoder in pair.tokenize('+') }.collect { pair -> [pool, shard, pair, rows] }
            }
            .groupTuple(by: [0, 1, 2], size: 2)
            .map { pool, shard, pair, rows -> [pool, shard, pair, rows.sort { f -> f.name }] }
            .combine(manifests.flatten().map { f -> [poolOf(f), shardOf(f), f] }, by: [0, 1]),
        codeDigest('merge.py')
    )

    features = MERGE.out.groupTuple(by: [0, 1]).map { pool, pair, files -> [pool, pair, files.flatten()] }

    emit:
    features // [ pool, pair of encoders, [features and manifests of all its shards] ]
}
