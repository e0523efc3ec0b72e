// Give the files of a pool with one content (its manifests, or its features by one encoder) names that hold the pool, and a place
// that stays the same as long as what they say does.
//
// Training and evaluation compare their inputs by place and time (conf/base.config). This step, which compares them by content,
// keeps them from being repeated where a step before it was repeated with the same outcome. It needs no task: Nextflow itself
// makes the links.
include { shelvedName } from '../../functions/pools'

process SHELVE {
    tag "${content} ${pool}"
    executor 'local'

    input:
    tuple val(pool), val(content), val(files) // val, since the files themselves are needed and not their places in the task

    output:
    tuple val(pool), val(content), path("${pool.replace('/', '.')}.*", arity: '1..*')

    exec:
    files.each { f -> f.mklink(task.workDir.resolve(shelvedName(pool, f.name)), overwrite: true) }
}
