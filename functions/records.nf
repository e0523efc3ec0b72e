// Nextflow's own records of a run: the trace, with one row per task, and the timeline.

// Where nextflow.config has Nextflow write a record while it runs.
def openRecord(name) {
    def process = java.lang.management.ManagementFactory.getRuntimeMXBean().getName()
    return workflow.launchDir.resolve(".nextflow/${name.replace('.', "_${process}.")}")
}

// Move both records into a results folder once Java ends, since Nextflow closes them only after workflow.onComplete. Each run
// has its own files there, so that a later run, resumed or refused, leaves those of earlier runs alone.
def keepRecords(outdir) {
    def folder = file(outdir, glob: false).resolve('pipeline_info')
    def time = new java.util.Date().format('yyyy-MM-dd_HH-mm-ss')
    def kept = ['trace.tsv', 'timeline.html'].collectEntries { name ->
        [openRecord(name), folder.resolve(name.replace('.', "_${time}."))]
    }
    Runtime.runtime.addShutdownHook(new Thread({
        kept.each { record, target ->
            if (record.exists()) {
                record.moveTo(target)
            }
        }
    }))
}
