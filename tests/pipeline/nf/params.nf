// For test_parameters.py: what main.nf makes of many sets of parameters, in one go.
include { readSchema; checkParams; typedParams } from '../../../functions/params'

workflow {
    def specs = readSchema(file("${projectDir}/../../../nextflow_schema.json"))
    new groovy.json.JsonSlurper().parse(file(params.cases)).each { given ->
        def problems = checkParams(given, specs)
        println(groovy.json.JsonOutput.toJson([problems: problems, values: problems ? [:] : typedParams(given, specs)]))
    }
}
