// From windows to features: every window is embedded once by every encoder that some arm needs, however many arms share it.
include { codeDigest                                  } from '../functions/code'
include { encodersOf ; encodingsOf ; poolOf ; shardOf } from '../functions/pools'
include { givenWeights ; loading                      } from '../functions/weights'
include { FETCH_WEIGHTS                               } from '../modules/fetch_weights/main'
include { EMBED                                       } from '../modules/embed/main'
include { EMBED_KMERS                                 } from '../modules/embed_kmers/main'
include { MERGE                                       } from '../modules/merge/main'

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
    // { encoder: { process that computes it, module that loads it, digest of its code, language model that it needs or null } }
    encoders = plan.map { p ->
        p.encoders.collectEntries { name, encoder -> [name, encoder + [code: codeDigest('embed.py', [encoder.module])]] }
    }
    // [ { process, module, code, model or null }, [ encoder, pool, shard, fasta ] ]
    shards = fastas.flatten().combine(plan).combine(encoders)
        .flatMap { fasta, p, known ->
            def names = encodingsOf(p, poolOf(fasta)).collectMany { encoding -> encodersOf(encoding) }.unique()
            names.collect { name -> [known[name], [name, poolOf(fasta), shardOf(fasta), fasta]] }
        }
        .branch { encoder, _shard ->
            embed: encoder.process == 'EMBED'
            embed_kmers: encoder.process == 'EMBED_KMERS'
        }
    EMBED(
        // [ encoder, pool, shard, fasta, weights, { module, code, precision, device, digest, memory } ]
        shards.embed.map { encoder, shard -> [encoder.model, shard, encoder.subMap('module', 'code')] }
            .combine(FETCH_WEIGHTS.out, by: 0)
            .map { _model, shard, loader, weights -> shard + [weights, loader + loading(weights, options)] },
        options.genetic_code,
        options.frames,
        options.device == 'cpu' ? '' : "${workflow.workDir}/gpus"
    )
    EMBED_KMERS(
        // [ encoder, pool, shard, fasta, { module, code } ]
        shards.embed_kmers.map { encoder, shard -> shard + [encoder.subMap('module', 'code')] },
        options.genetic_code,
        options.frames
    )
    MERGE(
        // [ pool, shard, encoding, [embeddings of all its encoders], manifest ]
        EMBED.out.mix(EMBED_KMERS.out).combine(plan)
            .flatMap { pool, shard, encoder, rows, p ->
                encodingsOf(p, pool).findAll { encoding -> encoder in encodersOf(encoding) }
                    .collect { encoding -> [groupKey([pool, shard, encoding], encodersOf(encoding).size()), rows] }
            }
            .groupTuple()
            .map { key, rows -> key.groupTarget + [rows.sort { f -> f.name }] }
            .combine(manifests.flatten().map { f -> [poolOf(f), shardOf(f), f] }, by: [0, 1]),
        codeDigest('merge.py')
    )

    features = MERGE.out.groupTuple(by: [0, 1]).map { pool, encoding, files -> [pool, encoding, files.flatten()] }

    emit:
    features // [ pool, encoding, [features and manifests of all its shards] ]
}
