// From reads to calls: every sample is checked and cut into chunks, every chunk is scored by the model, and the calls
// of a sample are collected from the scores of its chunks.
include { codeDigest               } from '../functions/code'
include { filesIn ; readJson       } from '../functions/files'
include { listedFiles              } from '../functions/shell'
include { loading ; weightsToFetch } from '../functions/weights'
include { PLAN_READS               } from '../modules/plan_reads/main'
include { CHECK_READS              } from '../modules/check_reads/main'
include { FETCH_WEIGHTS            } from '../modules/fetch_weights/main'
include { FORECAST                 } from '../modules/forecast/main'
include { PREDICT                  } from '../modules/predict/main'
include { PREDICT_GPU              } from '../modules/predict_gpu/main'
include { COLLECT                  } from '../modules/collect/main'
include { REPORT_READS             } from '../modules/report_reads/main'

workflow CLASSIFY {
    take:
    options // all parameters, typed

    main:
    sheet = file(options.reads, glob: false)
    model = file(options.model, glob: false)
    compiled = "${workflow.workDir}/compiled"
    truth = options.truth ? file(options.truth, glob: false) : []
    PLAN_READS(sheet, model, truth, options.threshold, options.weights_revision ?: '', codeDigest('plan_reads.py'))
    // { samples: [ { name, lanes }, ... ], modules, weights, arm, checked }: ReadsPlan of bin/virshort/reads/plan.py
    plan = PLAN_READS.out.map { f -> readJson(f) }

    CHECK_READS(
        // [ sample, [ [files of a lane as in the sheet], ... ], [files] ]
        plan.flatMap { p -> p.samples }.map { s -> [s.name, s.lanes, listedFiles(s.lanes.flatten(), sheet)] },
        options.reads_per_chunk,
        compiled,
        codeDigest('check_reads.py')
    )
    // [ [ sample, chunk, [its one file or those of both mates] ], plan ]
    chunks = CHECK_READS.out
        .flatMap { sample, files, _record ->
            // by chunk_00000 of <sample>.chunk_00000.R1.fastq.gz
            [files].flatten().groupBy { f -> f.name.substring(sample.size() + 1).tokenize('.')[0] }
                .collect { chunk, mates -> [sample, chunk, mates.sort { f -> f.name }] }
        }
        .combine(plan)
        .map { sample, chunk, files, p -> [[sample, chunk, files], p] }
        .branch { _chunk, p ->
            with_models: p.weights
            plain: true
        }
    how = options.subMap('reads_per_chunk', 'min_read_length', 'max_n', 'quality_trim')
    intact = plan.map { p -> p.checked } // the model's files, as PLAN_READS checked them
    // What is scored on CPUs is timed first, on the sample with the most reads. With language models there is no forecast.
    FORECAST(
        // [ [<sample>.reads.json, ...], [the files of one chunk] ]
        CHECK_READS.out
            .toSortedList { a, b -> a[0] <=> b[0] }
            .combine(plan)
            .filter { found -> !found.last().weights }
            .map { found ->
                def samples = found.dropRight(1)
                def (_sample, files, _record) = samples.max { s -> readJson(s[2]).records }
                [samples.collect { s -> s[2] }, [files].flatten().findAll { f -> f.name.contains('.chunk_00000.') }.sort { f -> f.name }]
            },
        model,
        intact,
        how,
        compiled,
        plan.map { p -> codeDigest('forecast.py', p.modules) }
    )
    FORECAST.out.view { f -> "FORECAST  ${readJson(f).sentence}" }
    code = plan.map { p -> codeDigest('predict.py', p.modules) }
    PREDICT(
        chunks.plain.combine(FORECAST.out).map { chunk, _plan, _forecast -> chunk },
        model,
        intact,
        how,
        compiled,
        code
    )

    FETCH_WEIGHTS(
        // [ language model, revision, its row of encoders.yaml, [files of the user] ]
        plan.flatMap { p -> weightsToFetch(p, options.weights) },
        "${workflow.workDir}/weights",
        codeDigest('fetch_weights.py')
    )
    // [ folder of a language model, ... ]
    weights = FETCH_WEIGHTS.out.map { _name, folder -> folder }.toSortedList { a, b -> a.name <=> b.name }.filter { all -> all }
    PREDICT_GPU(
        chunks.with_models.map { chunk, _plan -> chunk },
        model,
        intact,
        weights,
        weights.map { all ->
            def each = all.collect { folder -> loading(folder, options) }
            each[0] + [digest: each.collect { one -> one.digest }, memory: each.sum { one -> one.memory }]
        },
        how,
        compiled,
        options.device == 'cpu' ? '' : "${workflow.workDir}/gpus",
        code
    )

    // [ sample, [scores of all its chunks] ]
    scores = PREDICT.out.mix(PREDICT_GPU.out)
        .combine(CHECK_READS.out.map { sample, _files, record -> [sample, readJson(record).chunks] }, by: 0)
        .map { sample, of_chunk, count -> [groupKey(sample, count), of_chunk] }
        .groupTuple()
        .map { key, all -> [key.groupTarget, all.sort { f -> f.name }] }
    model_record = model.resolve('model.json')
    sources = model.resolve('homology/sources.json')
    COLLECT(
        // [ sample, [files of its chunks], <sample>.reads.json, [scores of all its chunks] ]; nothing is published before all
        // samples have been checked
        CHECK_READS.out.join(scores).combine(CHECK_READS.out.count())
            .map { sample, files, checked, tables, _samples -> [sample, files, checked, tables] },
        model_record,
        sources.exists() ? sources : [],
        truth,
        options.subMap('threshold', 'pair_rule', 'formats'),
        compiled,
        codeDigest('collect.py')
    )
    assets = projectDir.resolve('assets/report')
    REPORT_READS(
        // [ <sample>.summary.json, ... ]
        COLLECT.out.summary.toSortedList { a, b -> a.name <=> b.name },
        FORECAST.out.toList(),
        model_record,
        filesIn(assets),
        filesIn(assets.resolve('templates')),
        filesIn(assets.resolve('reads')),
        options.subMap(
            'reads', 'model', 'reads_per_chunk', 'min_read_length', 'max_n', 'quality_trim', 'threshold', 'pair_rule', 'formats',
            'truth', 'weights', 'weights_revision', 'precision', 'device'
        ),
        workflow.nextflow.version.toString(),
        codeDigest('report_reads.py') + codeDigest('versions.py')
    )
}
