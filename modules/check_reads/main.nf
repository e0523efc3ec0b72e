// Read all reads of a sample once, refuse invalid ones, and cut them into chunks.
include { quoted } from '../../functions/shell'

process CHECK_READS {
    tag "${sample}"

    input:
    tuple val(sample), val(lanes), path(files, stageAs: 'reads/?/*')
    val reads_per_chunk
    val compiled // folder for the compiled code, which tasks share
    val code

    output:
    tuple val(sample), path("${sample}.chunk_*.gz"), path("${sample}.reads.json")

    script:
    def paths = [files].flatten().collect { f -> f.toString() }
    def staged = [lanes.flatten(), paths].transpose().collate(lanes[0].size())
    """
    export NUMBA_CACHE_DIR=${quoted("${compiled}/${code}")}
    cat > files.json <<'END_OF_FILES'
    ${groovy.json.JsonOutput.toJson(staged)}
    END_OF_FILES
    check_reads.py --sample ${sample} --files files.json --reads-per-chunk ${reads_per_chunk} --outdir .
    """

    stub:
    def chunks = task.ext.stub_chunks ?: 1 // as many as a rehearsal asks for
    """
    for number in \$(seq 0 ${chunks - 1}); do touch \$(printf '${sample}.chunk_%05d.R1.fastq.gz' \$number); done
    echo '{"sample": "${sample}", "layout": "single", "form": "fastq", "records": 0, "reads": 0, "chunks": ${chunks}}' \\
        > ${sample}.reads.json
    """
}
