// Nextflow's own records of a run: the trace, with one row per task, and the timeline.

// Where nextflow.config has Nextflow write a record while it runs.
def openRecord(name) {
    def process = java.lang.management.ManagementFactory.getRuntimeMXBean().getName()
    return workflow.launchDir.resolve(".nextflow/${name.replace('.', "_${process}.")}")
}

// Move both records into a results folder. Each run has its own files there, so that a later run, resumed or refused, leaves
// those of earlier runs alone.
def keepRecords(outdir) {
    def folder = file(outdir, glob: false).resolve('pipeline_info')
    def time = new java.util.Date().format('yyyy-MM-dd_HH-mm-ss')
    endRecords { name, record -> record.moveTo(folder.resolve(name.replace('.', "_${time}."))) }
}

// Remove both records, in a run that computes nothing.
def discardRecords() {
    endRecords { _name, record -> record.delete() }
}

// Call `action` with the name and path of each record when Java ends: Nextflow closes them only after workflow.onComplete.
def endRecords(action) {
    def records = ['trace.tsv', 'timeline.html'].collectEntries { name -> [name, openRecord(name)] }
    Runtime.runtime.addShutdownHook(new Thread({
        records.findAll { _name, record -> record.exists() }.each { name, record -> action.call(name, record) }
    }))
}
