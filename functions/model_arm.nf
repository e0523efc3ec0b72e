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
    if (asked && withoutModel(arms.find { arm -> arm.name == asked })) {
        error("virshort: --model_arm ${asked}: its encoder is trained end to end, and a model cannot hold it: choose another")
    }
    return listed
}

// The one that is asked for, or the best one of comparison.json whose model can be written. In a stub run comparison.json is empty.
def modelArm(asked, comparison, listed) {
    if (asked || !comparison.size()) {
        return asked ?: 'baseline'
    }
    def written = readJson(listed).findAll { arm -> !withoutModel(arm) }.collect { arm -> arm.name }
    return readJson(comparison).best_arm.candidates.collect { found -> found.arm }.find { name -> name in written }
}

// Whether no model of reads can be written of an arm: one whose encoder was trained end to end, or that combines such an arm.
def withoutModel(arm) {
    return 'finetuned' in arm.modalities
}

// What a user is told where the model is not that of the best arm, or null.
def modelNote(asked, comparison, listed) {
    def best = comparison.size() ? readJson(comparison).best_arm.arm : null
    def arm = modelArm(asked, comparison, listed)
    if (asked || !best || best == arm) {
        return null
    }
    return "the model in model/ is that of ${arm}, because no model can be written of ${best}, the best arm, whose encoder " +
        'was trained end to end'
}
