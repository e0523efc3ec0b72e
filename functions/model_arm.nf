// The arm of which a model is written.
include { readJson } from './files'

// Stops a run that asks for the model of an arm that it does not have, or that is no classifier to use. `arms`: arms.json, read.
def checkModelArm(asked, arms) {
    def allowed = arms.findAll { arm -> arm.role in ['baseline', 'remedy'] }.collect { arm -> arm.name }
    if (asked && !(asked in allowed)) {
        def what = asked in arms.collect { arm -> arm.name } ? 'is a control, which is no classifier to use' : 'is no arm of this run'
        error("virshort: --model_arm ${asked}: ${what}: choose one of ${allowed.join(', ')}")
    }
    return arms
}

// The one that is asked for, or the best one of comparison.json, which is empty in a stub run.
def modelArm(asked, comparison) {
    return asked ?: (comparison.size() ? readJson(comparison).best_arm.arm : 'baseline')
}
