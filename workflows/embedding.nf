// From windows to features: every window is embedded once by every encoder that some arm needs, however many arms share it.
include { codeDigest                                          } from '../functions/code'
include { readJson                                            } from '../functions/files'
include { contentOf ; encodersOf ; poolOf ; shardOf ; shelved } from '../functions/pools'
include { loading ; weightsToFetch                            } from '../functions/weights'
include { FETCH_WEIGHTS                                       } from '../modules/fetch_weights/main'
include { FINETUNING                                          } from './finetuning'
include { EMBED                                               } from '../modules/embed/main'
include { EMBED_KMERS                                         } from '../modules/embed_kmers/main'
include { SEARCH                                              } from '../modules/search/main'

workflow EMBEDDING {
    take:
    options // all parameters, typed
    plan // plan.json, read
    fastas // [ shard_*.fa.gz, ... ]
    manifests // [ shard_*.windows.parquet, ... ]
    sets // window_sets.json
    databases // what windows are searched against, as a folder; nothing if no arm reads matches

    main:
    FETCH_WEIGHTS(
        // [ language model, revision, its row of encoders.yaml, [files of the user] ]
        plan.flatMap { p -> weightsToFetch(p, options.weights) },
        "${workflow.workDir}/weights",
        codeDigest('fetch_weights.py')
    )
    // { encoder: { process that computes it, module that loads it, digest of its code, language model that it needs or null, how
    // that reads sequences or null } }
    encoders = plan.map { p ->
        p.encoders.collectEntries { name, encoder ->
            [name, encoder + [code: encoder.module ? codeDigest('embed.py', [encoder.module]) : codeDigest('search.py')]]
        }
    }
    // [ process, [ pool, shard, fasta ], { encoder that it computes: { module, code, model, reading } } ]
    shards = fastas.flatten().combine(plan).combine(encoders)
        .flatMap { fasta, p, known ->
            encodersOf(p, poolOf(fasta)).groupBy { name -> known[name].process }
                .collect { process, names -> [process, [poolOf(fasta), shardOf(fasta), fasta], known.subMap(names)] }
        }
        .branch { process, _shard, _encoders ->
            embed: process == 'EMBED'
            embed_kmers: process == 'EMBED_KMERS'
            search: process == 'SEARCH'
        }
    EMBED(
        // [ encoder, pool, shard, fasta, weights, { module, code, reading, precision, device, digest, memory } ]
        shards.embed
            .flatMap { _process, shard, known ->
                known.collect { name, encoder -> [encoder.model, [name] + shard, encoder.subMap('module', 'code', 'reading')] }
            }
            .combine(FETCH_WEIGHTS.out, by: 0)
            .map { _model, shard, loader, weights -> shard + [weights, loader + loading(weights, options)] },
        options.genetic_code,
        options.frames,
        options.device == 'cpu' ? '' : "${workflow.workDir}/gpus"
    )
    EMBED_KMERS(
        // [ pool, shard, fasta, { encoder: { module, code } } ]
        shards.embed_kmers.map { _process, shard, known ->
            shard + [known.collectEntries { name, encoder -> [name, encoder.subMap('module', 'code')] }]
        },
        options.genetic_code,
        options.frames
    )
    // [ pool, shard, manifest ]
    listed = manifests.flatten().map { f -> [poolOf(f), shardOf(f), f] }
    SEARCH(
        // [ encoder, pool, shard, fasta, manifest ]
        shards.search.map { _process, shard, known -> shard + known.keySet() }
            .combine(listed, by: [0, 1])
            .map { pool, shard, fasta, name, manifest -> [name, pool, shard, fasta, manifest] },
        databases.first(),
        options.subMap('homology_sensitivity', 'genetic_code', 'frames'),
        "${workflow.workDir}/compiled",
        codeDigest('search.py')
    )
    // An arm that trains an encoder end to end has log-odds as its features
    FINETUNING(options, plan, sets.map { f -> readJson(f) }, fastas, manifests, FETCH_WEIGHTS.out)
    finetuned = FINETUNING.out.models
    // [ pool, encoder or `windows`, [features or manifests of all its shards] ]
    features = EMBED.out.mix(EMBED_KMERS.out, SEARCH.out, FINETUNING.out.features)
        .transpose()
        .mix(listed.map { pool, _shard, manifest -> [pool, manifest] })
        .map { pool, f -> [pool, contentOf(f.name), f] }
        .groupTuple(by: [0, 1])
        .map { pool, content, files -> [pool, content, files.sort { f -> f.name }] }
        .map { pool, content, files -> [pool, content, shelved("${workflow.workDir}/shelves", pool, files)] }

    emit:
    features // [ pool, encoder or `windows`, [features or manifests of all its shards] ]
    finetuned // [ arm's name, [folder of each split and replicate] ]
}
