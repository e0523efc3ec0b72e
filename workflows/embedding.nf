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
        plan.flatMap { p -> p.weights.collect { encoder, revision -> [encoder, revision, givenWeights(options.weights, encoder)] } },
        "${workflow.workDir}/weights",
        codeDigest('fetch_weights.py')
    )
    // { encoder: digest of its code }
    codes = plan.map { p -> p.encoders.keySet().collectEntries { encoder -> [encoder, codeDigest('embed.py')] } }
    // [ language model or null, [ encoder, digest of its code, pool, shard, fasta ] ]
    shards = fastas.flatten().combine(plan).combine(codes)
        .flatMap { fasta, p, code ->
            def encoders = pairsOf(p, poolOf(fasta)).collectMany { pair -> pair.tokenize('+') }.unique()
            encoders.collect { encoder -> [p.encoders[encoder], [encoder, code[encoder], poolOf(fasta), shardOf(fasta), fasta]] }
        }
        .branch { model, _shard ->
            models: model
            kmers: true
        }
    EMBED(
        // [ encoder, digest, pool, shard, fasta, weights, { precision, device, digest, memory } ]
        shards.models.combine(FETCH_WEIGHTS.out, by: 0)
            .map { _model, shard, weights -> shard + [weights, loading(weights, options)] },
        options.genetic_code,
        options.frames,
        options.device == 'cpu' ? '' : "${workflow.workDir}/gpus"
    )
    EMBED_KMERS(
        // [ encoder, digest, pool, shard, fasta ]
        shards.kmers.map { _model, shard -> shard },
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
