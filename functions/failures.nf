// The lines that a user reads when a task has failed. Nextflow prints its own, long report above them.

// How the last attempt of a task ended, and the remedy. `message`: what the task itself said last, if it said anything.
def lastAttempt(code, message) {
    def known = [
        137: 'the task was killed, usually because it needed more memory than it had asked for: give it more',
        140: 'the task reached its time limit: give it more time, or fewer windows at once (--windows_per_shard)',
        143: 'the task was cancelled or preempted',
        (Integer.MAX_VALUE): 'the job was cancelled while it waited, or its node failed',
    ]
    def number = code == Integer.MAX_VALUE ? 'without an exit code' : "with exit code ${code}"
    def reason = message ?: "${known[code] ?: 'a signal or the scheduler ended the task'} (docs/usage.md, Resources)"
    return "${number}: ${reason}"
}

// Whether conf/base.config tries a task again after this exit code.
def isRetried(code) {
    return code in ((130..145) + [104, 175, Integer.MAX_VALUE])
}

// What a container engine prints when it cannot start -> the remedy.
def engineFailures(report) {
    def known = [
        [
            'Unable to find image|no such image|image not known|pinging container registry localhost|could not open image|' +
            'unable to open image',
            'the image is missing: build it with `make image`, or name another with --container',
        ],
        [
            'could not select device driver|unresolvable CDI devices',
            'the container engine finds no GPU: docs/containers.md lists what it needs',
        ],
        [
            'Cannot connect to the Docker daemon|permission denied while trying to connect to the Docker daemon',
            'Docker is not running, or you may not use it: start it, or ask to join the group docker',
        ],
    ]
    def found = known.findAll { pattern, _remedy -> report =~ pattern }
    return found.collect { _pattern, remedy -> "virshort: ${remedy}".toString() }
}

// A line for each module that Python did not find. A module inside a package is missing where the package is installed, but
// damaged or made for another version of Python.
def missingModules(report, engine) {
    def remedy = engine
        ? 'rebuild the image with `make image`, or name another with --container'
        : 'run `make setup`, and put .venv/bin first on PATH (tasks ignore PYTHONPATH and packages in your home)'
    return (report =~ /No module named '([\w.]+)'/).collect { m -> m[1] }.unique().collect { name ->
        def parts = name.tokenize('.')
        if (parts[0] == 'virshort') {
            return "virshort: bin/ of the pipeline is incomplete (Python finds no ${name}): get the pipeline again".toString()
        }
        def reason = parts.size() > 1
            ? "the Python package ${parts[0]} is damaged or made for another version of Python (it lacks ${name})"
            : "the Python package ${name} is not installed for the python3 that tasks find on PATH"
        return "virshort: ${reason}: ${remedy}".toString()
    }
}

// `report`: the error report of the workflow. `engine`: the container engine that tasks run in, if any.
def failureLines(report, engine = null) {
    def lines = report.readLines().collect { line -> line.trim() }
    def task = (report =~ /Error executing process > '(?:\w+:)*(.*)'/).collect { m -> m[1] }.find { true }
    def refused = lines.findAll { line -> line.startsWith('sbatch: error: ') }
    if (report.contains('Failed to submit process') && refused) {
        def reason = refused.last() - 'sbatch: error: '
        return [
            "virshort: ${task}: the cluster refused the job (${reason}): correct --slurm_queue, --slurm_account, " +
            '--slurm_qos, --slurm_gpu or the resources (docs/slurm.md), then run again with -resume'
        ]
    }
    def code = (report =~ /terminated with an error exit status \((\d+)\)/).collect { m -> m[1].toInteger() }.find { true }
    def ended = code ?: (report.contains('terminated for an unknown reason') ? Integer.MAX_VALUE : null)
    def messages = report.contains('Command executed') ? lines.findAll { line -> line.startsWith('virshort: ') } : []
    if (isRetried(ended) && !(ended == 104 && messages)) {
        def why = lastAttempt(ended, messages ? messages.last() - 'virshort: ' : null)
        return ["virshort: ${task}: failed three times; the last attempt ended ${why}, then run again with -resume"]
    }
    def found = (messages + missingModules(report, engine) + engineFailures(report)).unique()
    if (!found && report.contains('No space left on device')) {
        return ['virshort: no space left on a disk: free some, then run again with -resume']
    }
    return found
}
