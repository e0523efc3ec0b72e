// For test_code.py: what the pipeline believes that each script of bin/ depends on.
include { reachedFiles; codeDigest } from '../../../functions/code'

workflow {
    params.scripts.tokenize(',').each { script ->
        def files = reachedFiles(script).collect { f -> f.toString() }
        println(groovy.json.JsonOutput.toJson([script: script, files: files, digest: codeDigest(script)]))
    }
}
