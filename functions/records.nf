// Nextflow's own records of a run: the trace, with one row per task, and the timeline.

// Where nextflow.config has Nextflow write a record while it runs.
def openRecord(name) {
    return file("${workflow.launchDir}/.nextflow/${name.replace('.', "_${java.lang.management.ManagementFactory.getRuntimeMXBean().getName()}.")}")
}

// Move both records into a results folder once Java ends: Nextflow closes them after workflow.onComplete. Each run has its own
// files there, so that a second run, resumed or refused, leaves those of the first alone.
def keepRecords(outdir) {
    def folder = file("${outdir}/pipeline_info")
    def time = new java.util.Date().format('yyyy-MM-dd_HH-mm-ss')
    def records = ['trace.tsv', 'timeline.html'].collectEntries { name -> [openRecord(name), folder.resolve(name.replace('.', "_${time}."))] }
    Runtime.runtime.addShutdownHook(new Thread({
        records.each { open, kept ->
            if (open.exists()) {
                open.moveTo(kept)
            }
        }
    }))
}
