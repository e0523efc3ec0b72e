// The weights of language models, on their way into a task.

// What FETCH_WEIGHTS takes of each language model of a run, [ encoder, revision, row, [files of the user] ]. plan: plan.json,
// read; folder: --weights, or null.
def weightsToFetch(plan, folder) {
    return plan.weights.collect { encoder, wanted ->
        def own = folder && file("${folder}/${encoder}", glob: false).isDirectory()
        def given = wanted.row.folder && !own ? filesOfModel(wanted.row.folder) : givenWeights(folder, encoder)
        [encoder, wanted.revision, wanted.row, given]
    }
}

// The files in the folder that a row of encoders.yaml names.
def filesOfModel(folder) {
    return filesWithin(folder) ?:
        error("virshort: ${folder}: is no folder with files, though the encoder's row names it: correct it, or use --weights")
}

// The files of a language model in the user's folder of weights; none if no folder is given.
def givenWeights(folder, encoder) {
    def command = "bin/fetch_weights.py ${encoder} --out ${folder}"
    return !folder ? [] : filesWithin("${folder}/${encoder}") ?:
        error("virshort: --weights ${folder} has no folder ${encoder}: fill it with `${command}` on a machine with internet")
}

// The files in a folder, in the order of their names; none if it is not there.
def filesWithin(folder) {
    return (file(folder, glob: false).listFiles() ?: []).findAll { f -> f.isFile() }.sort { f -> f.name }
}

// How a task loads the weights in `folder`: precision, device and digest, which are all that the embeddings depend on besides
// code and windows, and the memory it takes (GB). weights.json is written last, so a folder without it is incomplete.
def loading(folder, options) {
    def record = folder.resolve('weights.json')
    if (!record.exists()) {
        error("virshort: ${folder}: these weights are incomplete: delete the folder, then run again with -resume")
    }
    def found = new groovy.json.JsonSlurper().parse(record)
    def bytes = found.stored.values().sum { stored -> stored[0] }
    def device = options.device == 'cuda' && options.allow_cpu ? 'auto' : options.device
    return [
        precision: options.precision, device: device, digest: found.digest, memory: 3 + 2 * Math.ceil(bytes / 1e9).intValue()
    ]
}
