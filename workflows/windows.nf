// From labelled genomes to windows: check, cluster, split into folds, mask and sample them, and audit what leaks.
include { codeDigest         } from '../functions/code'
include { readJson           } from '../functions/files'
include { familyColumn       } from '../functions/hold_out'
include { listedFiles        } from '../functions/shell'
include { CHECK_GPU          } from '../modules/check_gpu/main'
include { SIMULATE           } from '../modules/simulate/main'
include { SIMULATE_READS     } from '../modules/simulate_reads/main'
include { PLAN               } from '../modules/plan/main'
include { CHECK_INPUT        } from '../modules/check_input/main'
include { CLUSTER            } from '../modules/cluster/main'
include { SPLIT              } from '../modules/split/main'
include { MASK               } from '../modules/mask/main'
include { HOMOLOGY_DATABASES } from '../modules/homology_databases/main'
include { SAMPLE_WINDOWS     } from '../modules/sample_windows/main'
include { AUDIT              } from '../modules/audit/main'

workflow WINDOWS {
    take:
    options // all parameters, typed

    main:
    // Where a GPU is required, nothing is computed before one has been found
    ready = channel.value(true)
    if (options.device == 'cuda' && !options.allow_cpu) {
        CHECK_GPU(codeDigest('check_gpu.py'))
        ready = CHECK_GPU.out.map { _report -> true }
    }
    if (options.demo) {
        SIMULATE(ready.map { _yes -> options.seed }, codeDigest('simulate.py'))
        SIMULATE_READS(ready.map { _yes -> options.seed }, codeDigest('simulate_reads.py'))
        sheet = SIMULATE.out.sheet
        table = SIMULATE.out.table
    }
    else {
        sheet = ready.map { _yes -> file(options.input, glob: false) }
        table = channel.value(options.source_table ? file(options.source_table, glob: false) : [])
    }

    // Which arms run, and which files, encoders and weights they need
    PLAN(
        sheet,
        table,
        file(options.arms_file ?: "${projectDir}/assets/arms.yaml", glob: false),
        ["${projectDir}/assets/encoders.yaml", options.encoders_file].findAll().collect { f -> file(f, glob: false) },
        options.subMap(
            'arms', 'learning_curve', 'folds', 'hold_out', 'dna_encoder', 'protein_encoder', 'protein_input', 'device',
            'weights_revision'
        ) + [pretrained: options.pretrained != null, weights_given: options.weights != null],
        codeDigest('plan.py')
    )
    // { fastas, encoders, needed, weights, width, train_sets, note }: Plan of bin/virshort/encoders/plan.py
    plan = PLAN.out.plan.map { f -> readJson(f) }
    plan.flatMap { p -> p.note ? ["Note: ${p.note}"] : [] }.view()
    plan.filter { p -> options.arms_file && p.left_out }.subscribe { p ->
        log.warn(
            "virshort: of --arms_file, ${p.left_out.join(', ')} is left out, because an encoder is trained end to end only with " +
            '-profile gpu, or where the arm is named with --arms'
        )
    }
    plan.filter { p -> options.homology_sensitivity != 'default' && !p.encoders.containsKey('homology') }.subscribe { _plan ->
        log.warn('virshort: --homology_sensitivity has no effect, because no arm of this run reads homology')
    }

    CHECK_INPUT(
        sheet,
        // [ fasta, ... ]
        plan.combine(sheet).map { p, s -> listedFiles(p.fastas, s) }.first(),
        // [ the same as they are written in the sheet, ... ]
        plan.map { p -> p.fastas },
        table,
        familyColumn(options),
        options.window_length,
        codeDigest('check_input.py')
    )
    CLUSTER(CHECK_INPUT.out.sources, CHECK_INPUT.out.sequences, options.cluster_containment, codeDigest('cluster.py'))
    SPLIT(
        CHECK_INPUT.out.sources,
        CLUSTER.out.clusters,
        options.subMap('folds', 'test_folds', 'hold_out', 'seed', 'cluster_cap'),
        codeDigest('split.py')
    )
    MASK(SPLIT.out.folds, CHECK_INPUT.out.sequences, codeDigest('mask.py'))
    SAMPLE_WINDOWS(
        SPLIT.out.folds,
        SPLIT.out.summary,
        MASK.out.sequences,
        plan.map { p -> p.train_sets },
        options.subMap(
            'window_length', 'short_windows', 'scratch_windows', 'mixed_windows', 'full_windows', 'test_windows',
            'sweep_windows', 'sweep_lengths', 'pair_windows', 'insert_mean', 'insert_sd', 'viral_share', 'max_n',
            'cluster_cap', 'windows_per_shard', 'genetic_code', 'seed'
        ),
        codeDigest('sample_windows.py')
    )
    // Only where some arm reads matches
    searched = plan.filter { p -> p.encoders.containsKey('homology') }
    HOMOLOGY_DATABASES(
        searched.combine(SPLIT.out.folds).map { _plan, folds -> folds },
        SPLIT.out.summary,
        MASK.out.sequences,
        options.genetic_code,
        codeDigest('homology_databases.py')
    )
    AUDIT(
        SAMPLE_WINDOWS.out.folder,
        SAMPLE_WINDOWS.out.sets,
        SPLIT.out.folds,
        MASK.out.sequences,
        options.leakage_limit,
        options.pretrained != null,
        options.hold_out,
        codeDigest('audit.py')
    )

    arms = PLAN.out.arms
    fastas = SAMPLE_WINDOWS.out.fastas
    manifests = SAMPLE_WINDOWS.out.manifests
    folder = SAMPLE_WINDOWS.out.folder
    sets = SAMPLE_WINDOWS.out.sets
    leakage = AUDIT.out
    folds = SPLIT.out.folds
    sequences = MASK.out.sequences
    databases = HOMOLOGY_DATABASES.out.folder
    facts = SPLIT.out.summary.mix(
        CLUSTER.out.summary, MASK.out.summary, CHECK_INPUT.out.summary, CHECK_INPUT.out.skipped, HOMOLOGY_DATABASES.out.summary
    )

    emit:
    plan // plan.json, read
    arms // arms.json: the arms that run
    fastas // [ the windows of a shard, ... ]
    manifests // [ their sources, positions, labels and folds, ... ]
    folder // both, as one folder
    sets // window_sets.json: which pools make a window set
    leakage // leakage.json
    folds // folds.parquet: the sources with their families and folds
    sequences // the bases of all sources, with what folds have in common masked
    databases // what windows are searched against, as a folder; nothing if no arm reads matches
    facts // summaries of the steps, for the report
}
