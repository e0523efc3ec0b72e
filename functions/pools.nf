// Pools of windows, window sets made of them, and the files that hold their windows and features.

// train/short, of windows/train/short/shard_00000.fa.gz
def poolOf(path) {
    return "${path.parent.parent.name}/${path.parent.name}".toString()
}

// shard_00000, of the same
def shardOf(path) {
    return path.name.tokenize('.')[0]
}

// What a file holds of a shard: an encoder, whose features are in shard_00000.<encoder>.safetensors, or `windows`, which are
// listed in shard_00000.windows.parquet. The name of the pool may stand before it.
def contentOf(name) {
    return name.tokenize('.')[-2]
}

// The name of such a file among those of other pools: train.short.shard_00000.windows.parquet
def shelvedName(pool, name) {
    return "${pool.replace('/', '.')}.${name}".toString()
}

// The files of a pool with one content, as links whose names hold the pool, in a folder of `shelves` named by what the files say.
// Training and evaluation compare their inputs by place and time (conf/base.config), so they are not repeated where a step before
// them was repeated with the same outcome: a link stays as it is while what it leads to is there.
def shelved(shelves, pool, files) {
    def content = nextflow.util.CacheHelper.hasher(files, nextflow.util.CacheHelper.HashMode.DEEP).hash().toString()
    def shelf = file("${shelves}/${content}", glob: false)
    shelf.mkdirs()
    return files.collect { f ->
        def link = shelf.resolve(shelvedName(pool, f.name))
        if (!link.exists()) {
            f.mklink(link, overwrite: true)
        }
        link
    }
}

// The encoders that some arm needs for a pool. `plan`: plan.json, read.
def encodersOf(plan, pool) {
    return pool.startsWith('test/') ? plan.needed.test : plan.needed[pool - 'train/']
}

// The files of some pools that list their windows and hold their features by some encoders, always in the same order.
// `features`: maps of pool, content, files.
def filesOf(features, encoders, pools) {
    return features.findAll { f -> f.pool in pools && (f.content == 'windows' || f.content in encoders) }
        .collectMany { f -> f.files }
        .sort { f -> f.name }
}

// The encoder whose features of some pools are the matches of a homology search, if there is one, and otherwise any.
def withMatches(features, pools) {
    def encoders = features.findAll { f -> f.pool in pools && f.content != 'windows' }.collect { f -> f.content }.unique().sort()
    return 'homology' in encoders ? 'homology' : encoders[0]
}

// All that an arm's training needs to know of window_sets.json. It holds no more, so that a change of a test set, or of a set
// that the arm does not train on, does not train it again. Every arm is also validated on windows of `short`.
def trainingSets(sets, arm) {
    return sets.subMap('folds', 'test_folds', 'viral_share') + [train: sets.train.subMap(arm.windows ?: 'short', 'short')]
}

def trainingPools(sets, arm) {
    return [arm.windows ?: 'short', 'short'].collectMany { name -> sets.train[name].pools }
}

// All that an arm's evaluation needs to know of it. Arms of the learning curve are tested on short windows only.
def testSets(sets, arm) {
    return sets.subMap('folds', 'test_folds') + [test: arm.role == 'curve' ? sets.test.subMap('short') : sets.test]
}

def testPools(sets) {
    return sets.test.values().collectMany { set -> set.pools }
}

// What SAMPLE_WINDOWS pretends to have drawn in a stub run: window_sets.json with one pool per set, and pool:shards of each.
def stubPools(train_sets, options) {
    def sizes = ['test/short': options.test_windows, 'test/full': options.test_windows] + (train_sets + 'short').unique()
        .collectEntries { name -> ["train/${name}".toString(), options["${name}_windows".toString()]] }
    def sets = sizes.keySet().groupBy { pool -> pool.tokenize('/')[0] }.collectEntries { purpose, pools ->
        [purpose, pools.collectEntries { pool -> [pool.tokenize('/')[1], [pools: [pool], size: sizes[pool], notes: []]] }]
    }
    return [
        sets: sets + [folds: 3, test_folds: [0], viral_share: options.viral_share],
        shards: sizes.collect { pool, windows -> "${pool}:${Math.ceil(windows / options.windows_per_shard).intValue()}" },
    ]
}
