// For test_functions.py: calls functions by name, with arguments from a JSON file, and prints what each returns.
include { failureLines } from '../../../functions/failures'
include { publishedNames ; removeEarlierResults ; resultsFolderComplaint } from '../../../functions/results_folder'
include { listedFiles ; unsafeFolder ; unsafeName ; unsafePipelineFolder } from '../../../functions/shell'

workflow {
    def functions = [
        failureLines: { args -> failureLines(args[0], args[1]) },
        publishedNames: { _args -> publishedNames() },
        removeEarlierResults: { args -> removeEarlierResults(args[0]) },
        resultsFolderComplaint: { args -> resultsFolderComplaint(args[0], args[1], file(args[2], glob: false), args[3]) },
        listedFiles: { args -> listedFiles(args[0], file(args[1], glob: false)).collect { f -> f.toString() } },
        unsafeFolder: { args -> unsafeFolder(args[0], file(args[1], glob: false)) },
        unsafeName: { args -> unsafeName(args[0]) },
        unsafePipelineFolder: { args -> unsafePipelineFolder(file(args[0], glob: false)) },
    ]
    new groovy.json.JsonSlurper().parse(file(params.calls)).each { name, args ->
        def result = null
        try {
            result = functions[name].call(args)
        }
        catch (Exception e) {
            result = [error: (e.cause ?: e).message ?: e.toString()]
        }
        println(groovy.json.JsonOutput.toJson([result: result]))
    }
}
