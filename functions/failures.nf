// What a person is told when a task failed. Nextflow itself prints the whole report above it.

// Why a task that was tried again did not come through. `said`: the task's own last line, if it had one.
def cause(code, said) {
    def known = [
        137: 'killed, mostly for needing more memory than it asked for: give it more',
        140: 'it reached its time limit: give it more time, or --windows_per_shard fewer windows',
        143: 'it was cancelled or preempted',
        (Integer.MAX_VALUE): 'no exit code: it was cancelled while it waited, or its node died',
    ]
    def number = code == Integer.MAX_VALUE ? '' : "exit code ${code}: "
    return number + (said ?: (known[code] ?: 'it was ended by a signal or by the scheduler') + ' (docs/usage.md, Resources)')
}

// The exit codes that conf/base.config tries again.
def isRetried(code) {
    return code in ((130..145) + [104, 175, Integer.MAX_VALUE])
}

// What a container engine says when it cannot start, and the remedy.
def engineTrouble(report) {
    def known = [
        'Unable to find image|no such image|image not known|pinging container registry localhost|could not open image|unable to open image': 'the image is not there: `make image`, or name another by --container',
        'could not select device driver|unresolvable CDI devices': 'the container engine knows of no GPU: docs/containers.md says what it needs',
        'Cannot connect to the Docker daemon|permission denied while trying to connect to the Docker daemon': 'Docker does not run, or not for you',
    ]
    return known.findAll { pattern, _remedy -> report =~ pattern }.collect { _pattern, remedy -> "virshort: ${remedy}".toString() }
}

// Lines for the user, from the report of the workflow.
def failureLines(report) {
    def lines = report.readLines().collect { line -> line.trim() }
    def task = (report =~ /Error executing process > '(?:\w+:)*(.*)'/).collect { m -> m[1] }.find { true }
    def refused = lines.findAll { line -> line.startsWith('sbatch: error: ') }
    if (report.contains('Failed to submit process') && refused) {
        return ["virshort: ${task}: the cluster refused the job (${refused.last() - 'sbatch: error: '}): correct --slurm_queue, --slurm_account, --slurm_qos, --slurm_gpu or the resources (docs/slurm.md), then -resume"]
    }
    def code = (report =~ /terminated with an error exit status \((\d+)\)/).collect { m -> m[1].toInteger() }.find { true }
    def ended = code ?: (report.contains('terminated for an unknown reason') ? Integer.MAX_VALUE : null)
    def said = report.contains('Command executed') ? lines.findAll { line -> line.startsWith('virshort: ') } : []
    if (isRetried(ended) && !(ended == 104 && said)) {
        def why = cause(ended, said ? said.last() - 'virshort: ' : null)
        return ["virshort: ${task}: gave up after three times, the last with ${why}, then -resume"]
    }
    def missing = (report =~ /No module named '(\w+)/).collect { m -> m[1] }.unique().collect { name ->
        "virshort: the Python package ${name} is missing: run `make setup` and put .venv/bin first on PATH"
    }
    def full = report.contains('No space left on device') ? ['virshort: no space left on a disk: free some, then run again with -resume'] : []
    return (said + missing + engineTrouble(report)).unique() ?: full
}
