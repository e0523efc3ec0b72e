// For tests/faults/test_downloads.py: FETCH_WEIGHTS alone.
include { FETCH_WEIGHTS } from '../../../modules/fetch_weights/main'

workflow {
    FETCH_WEIGHTS(channel.of([params.encoder, params.revision, new groovy.json.JsonSlurper().parse(file(params.row)), []]), params.store, 'code')
    FETCH_WEIGHTS.out.view { _encoder, folder -> "fetched ${folder}" }
}
