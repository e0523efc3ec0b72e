// Get a language model's weights, once: from the hub, or from a folder. `given`: the files of that folder, if there is one.
//
// storeDir looks at the folder's name only, so each revision has its own. It lies beside the tasks' folders, to be renamed
// into place and never copied. What a user vouches for has no revision to be told by, and goes through the cache.
include { quoted } from '../../functions/shell'

process FETCH_WEIGHTS {
    tag "${encoder}"
    label 'internet'
    scratch false
    storeDir { revision == 'local' ? null : "${store}/${encoder}/${revision}" }

    input:
    tuple val(encoder), val(revision), path(given, stageAs: 'given/*')
    val store
    val code

    output:
    tuple val(encoder), path("${encoder}")

    script:
    def link = given ? "mkdir -p source && ln -sfn ../given source/${encoder}" : ''
    def source = given ? '--weights source' : "--cache ${quoted(store)}"
    """
    ${link}
    fetch_weights.py ${encoder} --revision ${revision} --out . ${source}
    """
}
