// The arm of which a model is written.
include { readJson } from './files'

// Stops a run that asks for the model of an arm that it does not have, or that is no classifier to use. Returns arms.json.
def checkModelArm(asked, listed) {
    def arms = readJson(listed)
    def allowed = arms.findAll { arm -> arm.role in ['baseline', 'remedy'] }.collect { arm -> arm.name }
    if (asked && !(asked in allowed)) {
        def what = asked in arms.collect { arm -> arm.name } ? 'is a control or of the learning curve, and no classifier to use' : 'is no arm of this run'
        error("virshort: --model_arm ${asked}: ${what}: choose one of ${allowed.join(', ')}")
    }
    return listed
}

// The one that is asked for, or the best one of comparison.json, which is empty in a stub run.
def modelArm(asked, comparison) {
    return asked ?: (comparison.size() ? readJson(comparison).best_arm.arm : 'baseline')
}
