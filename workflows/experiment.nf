// From labelled genomes to windows and their features.
include { codeDigest     } from '../functions/code'
include { readJson       } from '../functions/files'
include { listedFiles    } from '../functions/shell'
include { CHECK_GPU      } from '../modules/check_gpu/main'
include { SIMULATE       } from '../modules/simulate/main'
include { PLAN           } from '../modules/plan/main'
include { CHECK_INPUT    } from '../modules/check_input/main'
include { CLUSTER        } from '../modules/cluster/main'
include { SPLIT          } from '../modules/split/main'
include { MASK           } from '../modules/mask/main'
include { SAMPLE_WINDOWS } from '../modules/sample_windows/main'
include { FETCH_WEIGHTS  } from '../modules/fetch_weights/main'
include { EMBED          } from '../modules/embed/main'
include { EMBED_KMERS    } from '../modules/embed_kmers/main'
include { MERGE          } from '../modules/merge/main'
include { AUDIT          } from '../modules/audit/main'

// The files of a language model in the user's folder; none without a folder.
def givenWeights(folder, encoder) {
    if (!folder) {
        return []
    }
    def found = (file("${folder}/${encoder}", glob: false).listFiles() ?: []).findAll { f -> f.isFile() }
    if (!found) {
        error("virshort: --weights ${folder} has no folder ${encoder}: fill it on a machine with internet by bin/fetch_weights.py ${encoder} --out DIR")
    }
    return found.sort { f -> f.name }
}

// What a language model's embeddings depend on besides its files, and the memory (GB) that loading it takes. weights.json is
// written last.
def about(folder, options) {
    def record = folder.resolve('weights.json')
    if (!record.exists()) {
        error("virshort: ${folder}: no whole weights: delete this folder, then run again with -resume")
    }
    def found = readJson(record)
    def bytes = found.stored.values().sum { stored -> stored[0] }
    def device = options.device == 'cuda' && options.allow_cpu ? 'auto' : options.device
    return [
        precision: options.precision, device: device, digest: found.digest, memory: 3 + 2 * Math.ceil(bytes / 1e9).intValue()
    ]
}

// train/short of windows/train/short/shard_00000.fa.gz
def poolOf(path) {
    return "${path.parent.parent.name}/${path.parent.name}".toString()
}

def shardOf(path) {
    return path.name.tokenize('.')[0]
}

// The pairs of encoders (dna+protein) that some arm needs of a pool.
def pairsOf(plan, pool) {
    return pool.startsWith('test/') ? plan.pairs.test : plan.pairs[pool - 'train/']
}

workflow EXPERIMENT {
    take:
    options

    main:
    // Where a GPU is asked for, nothing is computed before one was found
    ready = channel.value(true)
    if (options.device == 'cuda' && !options.allow_cpu) {
        CHECK_GPU(codeDigest('check_gpu.py'))
        ready = CHECK_GPU.out.map { _f -> true }
    }
    if (options.demo) {
        SIMULATE(ready.map { _yes -> options.seed }, codeDigest('simulate.py'))
        sheet = SIMULATE.out.sheet
        table = SIMULATE.out.table
    }
    else {
        sheet = ready.map { _yes -> file(options.input, glob: false) }
        table = channel.value(options.source_table ? file(options.source_table, glob: false) : [])
    }

    // What is asked for, and what there is
    asked = options.subMap('arms', 'dna_encoder', 'protein_encoder', 'protein_input', 'device', 'weights_revision') +
        [pretrained: options.pretrained != null, weights_given: options.weights != null]
    PLAN(sheet, file(options.arms_file ?: "${projectDir}/assets/arms.yaml", glob: false), asked, codeDigest('plan.py'))
    plan = PLAN.out.plan.map { f -> readJson(f) }
    plan.flatMap { p -> p.note ? ["Note: ${p.note}"] : [] }.view()
    CHECK_INPUT(
        sheet,
        plan.combine(sheet).map { p, s -> listedFiles(p.fastas, s) }.first(),
        plan.map { p -> p.fastas },
        table,
        options.window_length,
        codeDigest('check_input.py')
    )

    // Clusters, folds, windows
    CLUSTER(CHECK_INPUT.out.sources, CHECK_INPUT.out.sequences, options.cluster_containment, codeDigest('cluster.py'))
    SPLIT(
        CHECK_INPUT.out.sources,
        CLUSTER.out.clusters,
        options.subMap('folds', 'test_folds', 'seed', 'cluster_cap'),
        codeDigest('split.py')
    )
    MASK(SPLIT.out.folds, CHECK_INPUT.out.sequences, codeDigest('mask.py'))
    SAMPLE_WINDOWS(
        SPLIT.out.folds,
        SPLIT.out.summary,
        MASK.out.sequences,
        plan.map { p -> p.train_sets },
        options.findAll { name, _value -> name in ['max_n', 'viral_share', 'cluster_cap', 'genetic_code', 'seed'] || name =~ /window|sweep/ },
        codeDigest('sample_windows.py')
    )
    sets = SAMPLE_WINDOWS.out.sets
    fastas = SAMPLE_WINDOWS.out.fastas.flatten().map { f -> [poolOf(f), shardOf(f), f] }
    manifests = SAMPLE_WINDOWS.out.manifests.flatten().map { f -> [poolOf(f), shardOf(f), f] }

    // Embed once, train many. A language model is ready when its weights are there; k-mers have none.
    FETCH_WEIGHTS(
        plan.flatMap { p -> p.weights.collect { model, revision -> [model, revision, givenWeights(options.weights, model)] } },
        "${workflow.workDir}/weights",
        codeDigest('fetch_weights.py')
    )
    shards = fastas.combine(plan)
        .flatMap { pool, shard, fasta, p ->
            def encoders = pairsOf(p, pool).collectMany { pair -> pair.tokenize('+') }.unique()
            encoders.collect { encoder -> [p.encoders[encoder], [encoder, pool, shard, fasta]] }
        }
        .branch { model, _shard ->
            models: model
            kmers: true
        }
    EMBED(
        shards.models.combine(FETCH_WEIGHTS.out, by: 0)
            .map { _model, shard, weights -> shard + [weights, about(weights, options)] },
        options.genetic_code,
        options.frames,
        options.device == 'cpu' ? '' : "${workflow.workDir}/gpus",
        codeDigest('embed.py')
    )
    EMBED_KMERS(
        shards.kmers.map { _model, shard -> shard }, options.genetic_code, options.frames, codeDigest('embed.py')
    )
    MERGE(
        EMBED.out.mix(EMBED_KMERS.out).combine(plan)
            .flatMap { pool, shard, encoder, rows, p ->
                pairsOf(p, pool).findAll { pair -> encoder in pair.tokenize('+') }.collect { pair -> [pool, shard, pair, rows] }
            }
            .groupTuple(by: [0, 1, 2], size: 2)
            .map { pool, shard, pair, rows -> [pool, shard, pair, rows.sort { f -> f.name }] }
            .combine(manifests, by: [0, 1]),
        codeDigest('merge.py')
    )

    // What leaked
    AUDIT(
        SAMPLE_WINDOWS.out.folder, sets, SPLIT.out.folds, MASK.out.sequences, options.leakage_limit, asked.pretrained,
        codeDigest('audit.py')
    )

    // What training and evaluation need of it
    arms = PLAN.out.arms
    width = channel.value([])
    features = MERGE.out.groupTuple(by: [0, 1]).map { pool, pair, files -> [pool, pair, files.flatten()] }
    leakage = AUDIT.out
    facts = SPLIT.out.summary.mix(CLUSTER.out.summary, MASK.out.summary, CHECK_INPUT.out.summary, CHECK_INPUT.out.skipped)
    windows = SAMPLE_WINDOWS.out.folder

    emit:
    arms
    width
    features
    sets
    leakage
    facts
    windows
}
