// For test_code.py: the files that the pipeline believes each script of bin/ to depend on. `scripts` is a file of lines, each
// a script and the modules that it is told to import.
include { reachedFiles; codeDigest } from '../../../functions/code'

workflow {
    file(params.scripts).readLines().each { line ->
        def (script, modules) = [line.tokenize(' ')[0], line.tokenize(' ').drop(1)]
        def files = reachedFiles(script, modules).collect { f -> f.toString() }
        println(groovy.json.JsonOutput.toJson([line: line, files: files, digest: codeDigest(script, modules)]))
    }
}
