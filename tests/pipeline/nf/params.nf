// For test_parameters.py: what main.nf does with parameters, without the experiment.
include { readSchema; helpText; checkParams; typedParams } from '../../../modules/params'

workflow {
    def specs = readSchema(file("${projectDir}/../../../nextflow_schema.json"))
    if (params.help) {
        println(helpText(specs, params.help))
        return
    }
    def problems = checkParams(params, specs)
    if (problems) {
        error("virshort: ${problems.join('; ')}")
    }
    println(groovy.json.JsonOutput.toJson(typedParams(params, specs)))
}
