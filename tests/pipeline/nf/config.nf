// For test_config.py, in the place of main.nf: stubs of processes whose settings depend on parameters.
include { keepRecords } from './functions/records'
include { AUDIT } from './modules/audit/main'
include { EMBED } from './modules/embed/main'
include { MERGE } from './modules/merge/main'

workflow {
    keepRecords(params.outdir)
    empty = file("${projectDir}/empty")
    AUDIT(empty, empty, empty, empty, 0, false, 'code')
    EMBED(channel.of(1, 2).map { n -> ['encoder', 'code', 'pool', "shard_${n}", empty, empty, [memory: 1]] }, 1, 'longest', '')
    MERGE(EMBED.out.map { pool, shard, _encoder, rows -> [pool, shard, 'pair', [rows], empty] }, 'code')
}
