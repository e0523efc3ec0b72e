// The record of the tasks up to now, as a file that the report's own task is given: a container sees no results folder. Nextflow
// itself copies it.
process TRACE {
    executor 'local'

    input:
    path comparison // there once all that the report shows was computed
    val folder

    output:
    path 'trace.tsv'

    exec:
    def newest = (file(folder, glob: false).listFiles() ?: []).findAll { f -> f.name ==~ /trace_.*\.tsv/ }.max { f -> f.name }
    task.workDir.resolve('trace.tsv').text = newest ? newest.text : ''
}
