// For test_parameters.py: what main.nf makes of many sets of parameters, and its help, in one start of Nextflow.
include { readSchema; checkParams; helpText; typedParams; withoutEffect } from '../../../functions/params'

workflow {
    def specs = readSchema(file("${projectDir}/../../../nextflow_schema.json"))
    new groovy.json.JsonSlurper().parse(file(params.cases)).each { given ->
        def problems = checkParams(given, specs)
        def values = problems ? [:] : typedParams(given, specs)
        def notes = problems ? [] : withoutEffect(values, specs, [])
        println(groovy.json.JsonOutput.toJson([problems: problems, values: values, notes: notes]))
    }
    def texts = [true, 'all', 'viral_share', '--seed', 'viral_shade'].collect { name -> helpText(specs, name) }
    println(groovy.json.JsonOutput.toJson([help: texts]))
}
