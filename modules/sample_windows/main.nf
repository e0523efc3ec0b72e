// Sample every window set, in shards of a FASTA file and its manifest.
include { stubPools } from '../../functions/pools'

process SAMPLE_WINDOWS {
    publishDir "${task.ext.outdir}", mode: "${task.ext.publish_mode}", overwrite: 'deep'

    input:
    path folds
    path summary
    path sequences
    val train_sets
    val options
    val code

    output:
    path 'windows/*/*/shard_*.fa.gz', emit: fastas
    path 'windows/*/*/shard_*.windows.parquet', emit: manifests
    path 'windows', emit: folder
    path 'window_sets.json', emit: sets

    script:
    """
    sample_windows.py --folds ${folds} --folds-json ${summary} --sequences ${sequences} --train-sets ${train_sets.join(' ')} \\
        --window-length ${options.window_length} --short ${options.short_windows} --scratch ${options.scratch_windows} \\
        --mixed ${options.mixed_windows} --full ${options.full_windows} --test ${options.test_windows} \\
        --sweep ${options.sweep_windows} --sweep-lengths ${options.sweep_lengths} --pair ${options.pair_windows} \\
        --insert-mean ${options.insert_mean} --insert-sd ${options.insert_sd} --viral-share ${options.viral_share} \\
        --max-n ${options.max_n} --cluster-cap ${options.cluster_cap} --windows-per-shard ${options.windows_per_shard} \\
        --genetic-code ${options.genetic_code} --seed ${options.seed} --outdir .
    """

    stub:
    def stubs = stubPools(train_sets, options)
    """
    for word in ${stubs.shards.join(' ')}; do
        pool=windows/\${word%:*}
        mkdir -p \$pool
        for number in \$(seq -f %05g 1 \${word#*:}); do
            : > \$pool/shard_\$number.fa.gz
            : > \$pool/shard_\$number.windows.parquet
        done
    done
    echo '${groovy.json.JsonOutput.toJson(stubs.sets)}' > window_sets.json
    """
}
