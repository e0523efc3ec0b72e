// Get the weights of a language model, once: from the hub or, if the user has a folder of weights, from its files (`given`).
//
// storeDir looks only at a folder's name, so each revision has a folder of its own. It lies beside the tasks' folders, so that
// weights are renamed into place and never copied. Local weights have no revision, and go through the cache instead.
//
// The row of encoders.yaml says what to fetch. Two workflows include this module, and the strict parser then allows it to
// include nothing, not even `quoted`.

process FETCH_WEIGHTS {
    tag "${encoder}"
    label 'internet'
    scratch false
    storeDir { revision == 'local' ? null : "${store}/${encoder}/${revision}" }

    input:
    tuple val(encoder), val(revision), val(row), path(given, stageAs: 'given/*')
    val store
    val code

    output:
    tuple val(encoder), path("${encoder}")

    script:
    def link = given ? "mkdir -p source && ln -sfn ../given source/${encoder}" : ''
    def source = given ? '--weights source' : "--cache '${store.replace("'", "'\\''")}'"
    """
    ${link}
    cat > row.json <<'END_OF_ROW'
    ${groovy.json.JsonOutput.toJson(row)}
    END_OF_ROW
    fetch_weights.py ${encoder} --row row.json --revision ${revision} --out . ${source}
    """
}
