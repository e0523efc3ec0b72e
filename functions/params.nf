// Parameters are described once, in nextflow_schema.json: read it, print it as help, and check values against it.
include { unreadablePath ; unsafeName } from './shell'

// One map per parameter: name, group, required, and what the schema says about it.
def readSchema(path) {
    def schema = new groovy.json.JsonSlurper().parse(path)
    return schema['$defs'].values().collectMany { group ->
        group.properties.collect { name, spec ->
            spec + [name: name, group: group.title, required: name in (group.required ?: [])]
        }
    }
}

def typeNames(spec) {
    return [spec.type].flatten()
}

// The allowed values, in a few words.
def allowed(spec) {
    def parts = []
    if (spec['enum'] && spec['enum'].size() <= 8) {
        parts << spec['enum'].join('|')
    }
    else {
        parts << typeNames(spec).join(' or ')
    }
    if (spec.minimum != null && spec.maximum != null) {
        parts << "${spec.minimum}..${spec.maximum}"
    }
    if (spec['default'] != null) {
        parts << "default ${spec['default']}"
    }
    return parts.join(', ')
}

// Lines of at most `width` characters.
def wrapped(text, width) {
    def lines = ['']
    text.tokenize(' ').each { word ->
        if (lines[-1] && (lines[-1] + ' ' + word).size() > width) {
            lines << word
        }
        else {
            lines[-1] = lines[-1] ? lines[-1] + ' ' + word : word
        }
    }
    return lines
}

// `wanted`: true for one line per parameter, 'all' to include the hidden ones, or the name of a parameter to explain.
def helpText(specs, wanted) {
    def name = wanted.toString().replaceFirst(/^--/, '')
    def one = specs.find { s -> s.name == name }
    if (one) {
        return (["--${one.name} [${allowed(one)}]", one.description] + wrapped(one.help_text ?: '', 100)).join('\n')
    }
    if (!(name in ['true', 'all'])) {
        return unknown(name, specs.collect { s -> s.name })
    }
    def shown = specs.findAll { s -> name == 'all' || !s.hidden }
    def longest = shown.collect { s -> s.name.size() }.max()
    def groups = shown.groupBy { s -> s.group }.collect { title, members ->
        def lines = members.collect { s -> "  --${s.name.padRight(longest)} ${s.description} [${allowed(s)}]" }
        "${title}\n${lines.join('\n')}"
    }
    def head = [
        'nextflow run main.nf --input samplesheet.csv --outdir results',
        'nextflow run main.nf --reads reads.csv --model results/model --outdir calls',
        'nextflow run main.nf -profile test      runs the demo on simulated genomes. With --input or --features it runs on',
        '                                        these instead, at the sizes of the demo.',
    ].join('\n')
    return ([head] + groups + ['--help NAME explains one parameter.']).join('\n\n')
}

def unknown(name, names) {
    def near = names.closest(name)
    return "--${name} is unknown${near ? " (did you mean --${near.join(' or --')}?)" : ': --help lists all parameters'}"
}

// A whole number may come as 100000, 1e5 or 100000.0: from the command line all values may be strings, and Nextflow reads some
// of them as floating-point numbers. More than 30 digits are no number of anything here, and would take long to write out.
def isWhole(text) {
    if (!text.isBigDecimal()) {
        return false
    }
    def number = text.toBigDecimal().stripTrailingZeros()
    return number.scale() <= 0 && number.precision() - number.scale() <= 30
}

def whole(text) {
    return text.toBigDecimal().toBigIntegerExact()
}

// A value as text. A list (of a config or a parameter file) is joined by commas, and whole numbers in a parameter that may hold
// several (`numbers` in the schema) are written out.
def asText(spec, value) {
    def text = value instanceof List ? value.join(',') : value.toString()
    if (!spec.numbers) {
        return text
    }
    return text.split(',', -1).collect { part -> isWhole(part.trim()) ? whole(part.trim()).toString() : part }.join(',')
}

def isEmpty(value) {
    return value == null || value.toString() == ''
}

// What is wrong with one value, or null.
def complaint(spec, value) {
    if (isEmpty(value)) {
        if (spec['default'] != null) {
            return "is empty: give a value, or leave it out for ${spec['default']}"
        }
        return spec.required ? 'is required' : null
    }
    def text = asText(spec, value)
    def types = typeNames(spec)
    def got = ", got '${text.replaceAll(/\p{Cntrl}/, ' ')}'"
    if (value instanceof Boolean && !('boolean' in types)) {
        return 'needs a value'
    }
    if (!types.any { type -> isOfType(text, type) }) {
        return "must be of type ${types.join(' or ')}${got}"
    }
    if (spec['enum'] && !spec['enum'].any { e -> e.toString() == canonical(text, types).toString() }) {
        return "must be one of ${spec['enum'].join(', ')}${got}"
    }
    if (spec.minimum != null && text.toBigDecimal() < spec.minimum) {
        return "must be at least ${spec.minimum}${got}"
    }
    if (spec.maximum != null && text.toBigDecimal() > spec.maximum) {
        return "must be at most ${spec.maximum}${got}"
    }
    if (text =~ /\p{Cntrl}/) {
        return "contains a line break or another control character: remove it${got}"
    }
    if (spec.exists && unsafeName(text)) {
        return "${unsafeName(text)}${got}"
    }
    if (spec.exists && !file(text, glob: false).exists()) {
        return "names no existing file${got}"
    }
    if (spec.exists && file(text, glob: false).isDirectory() != (spec.format == 'directory-path')) {
        return "${spec.format == 'directory-path' ? 'names a file, not a folder' : 'names a folder, not a file'}${got}"
    }
    if (spec.pattern && !java.util.regex.Pattern.compile(spec.pattern).matcher(text).find()) {
        return "does not have the form of its description${got}: ${spec.description}"
    }
    return null
}

def isOfType(text, type) {
    if (type == 'integer') {
        return isWhole(text)
    }
    if (type == 'number') {
        return text.isBigDecimal()
    }
    return type == 'boolean' ? text in ['true', 'false'] : true
}

// A value in the type that the schema gives it.
def canonical(text, types) {
    if ('boolean' in types && text in ['true', 'false']) {
        return text == 'true'
    }
    if ('integer' in types) {
        return whole(text).toLong()
    }
    return 'number' in types ? text.toBigDecimal().toDouble() : text
}

// What is wrong with parameters that are each fine alone.
def combined(values) {
    def found = []
    if (values.scratch_windows < values.short_windows) {
        def contained = "--short_windows (${values.short_windows})"
        found << "--scratch_windows must be at least ${contained}, which it contains, got '${values.scratch_windows}'"
    }
    if (values.test_folds != 'all' && values.test_folds.toInteger() > values.folds) {
        found << "--test_folds must be at most --folds (${values.folds}) or all, got '${values.test_folds}'"
    }
    if (values.features && values.input) {
        found << "--features takes the place of --input: give only one of them, got '${values.features}'"
    }
    if (values.source_table && values.demo) {
        found << "--source_table describes records of --input or --features: give one of them too, got '${values.source_table}'"
    }
    if (values.reads && !values.model) {
        found << "--reads needs a model to classify by: give --model, the folder model/ of a run's results"
    }
    if (values.model && !values.reads) {
        found << "--model classifies reads: give them by --reads, got '${values.model}'"
    }
    if (values.reads && (values.input || values.features)) {
        def other = values.input ? 'input' : 'features'
        found << "--reads takes the place of --${other}: give only one of them, got '${values.reads}'"
    }
    values.sweep_lengths.tokenize(',').findAll { n -> n.toInteger() < 50 || n.toInteger() > 3000 }.each { n ->
        found << "--sweep_lengths must be lengths from 50 to 3000, got '${n}'"
    }
    return found
}

// Why results cannot be written to a folder of this machine, or null. Creates the folder.
def outdirComplaint(name) {
    if (unreadablePath(name)) {
        return "--outdir ${unreadablePath(name)}, got '${name}'"
    }
    def path = file(name, glob: false)
    if (path.scheme != 'file') {
        return null
    }
    try {
        java.nio.file.Files.createDirectories(path)
        java.nio.file.Files.delete(java.nio.file.Files.createTempFile(path, '.virshort', ''))
        return null
    }
    catch (IOException e) {
        return "--outdir cannot be written to (${e.class.simpleName - 'Exception'}: ${e.message}), got '${name}'"
    }
}

// Every complaint, one line each; none if all is well. `given`: the pipeline's params, `specs`: from readSchema.
def checkParams(given, specs) {
    def names = specs.collect { s -> s.name }
    def strange = given.keySet()
        .findAll { k -> !(k in names) && !(k.contains('-') && camel(k) in given.keySet()) }
        .collect { k -> unknown(k, names) }
    def wrong = specs.collect { s ->
        def problem = complaint(given.demo || given.features || given.reads ? s + [required: false] : s, given[s.name])
        problem ? "--${s.name} ${problem}" : null
    }.findAll()
    if (strange || wrong) {
        return strange + wrong
    }
    def values = typedParams(given, specs)
    return combined(values) ?: [outdirComplaint(values.outdir)].findAll()
}

// Nextflow hands --foo-bar on as both foo-bar and fooBar.
def camel(name) {
    return name.replaceAll(/-([A-Za-z])/) { _all, letter -> letter.toUpperCase() }
}

// The value of every parameter of the schema, in its type; null where there is none. Input that is given takes the place of the
// demo's, so that -profile test can be tried on one's own genomes.
def typedParams(given, specs) {
    def values = specs.collectEntries { s ->
        [s.name, isEmpty(given[s.name]) ? null : canonical(asText(s, given[s.name]), typeNames(s))]
    }
    return values + [demo: values.demo && !values.input && !values.features && !values.reads]
}

// Parameters that are given but change nothing in this run, one line each. `values`: from typedParams, `profiles`: names.
def withoutEffect(values, specs, profiles) {
    def engines = ['docker', 'podman', 'apptainer', 'singularity']
    def changed = specs.findAll { s -> values[s.name] != s['default'] }.collect { s -> s.name }
    def lines = changed.findAll { name -> name.startsWith('slurm_') && !('slurm' in profiles) }.collect { name ->
        "--${name} has no effect without -profile slurm"
    }
    if ('container' in changed && !profiles.any { profile -> profile in engines }) {
        lines << "--container has no effect without one of -profile ${engines.join(', ')}"
    }
    if (values.dna_encoder == 'kmer-dna' && values.protein_encoder == 'kmer-protein' && !values.arms_file) {
        lines += changed.findAll { name -> name in ['weights', 'weights_revision'] }.collect { name ->
            "--${name} has no effect with k-mers: choose language models by --dna_encoder or --protein_encoder"
        }
    }
    if (values.pair_windows == 0) {
        lines += changed.findAll { name -> name.startsWith('insert_') }.collect { name ->
            "--${name} has no effect with --pair_windows 0"
        }
    }
    if (values.features) {
        lines += specs.findAll { s -> s.name in changed && isForWindows(s) }.collect { s ->
            "--${s.name} has no effect with --features, which are ready"
        }
    }
    lines += specs.findAll { s -> s.name in changed && (values.reads ? !isForReads(s) : s.group == 'Reads') }
        .collect { s -> "--${s.name} has no effect ${values.reads ? 'with' : 'without'} --reads" }
    return lines
}

// Whether a parameter has an effect on the classification of reads.
def isForReads(spec) {
    def shared = [
        'outdir', 'publish_mode', 'weights', 'weights_revision', 'precision', 'max_n', 'device', 'allow_cpu', 'container', 'demo'
    ]
    return spec.group == 'Reads' || spec.name in shared || spec.name.startsWith('slurm_')
}

// Whether a parameter is only about cutting windows and embedding them. (Profiles set windows_per_shard and device, so that
// these say nothing about the user.)
def isForWindows(spec) {
    def others = [
        'dna_encoder', 'protein_encoder', 'encoders_file', 'protein_input', 'frames', 'genetic_code', 'homology_sensitivity',
        'keep_features', 'cluster_containment', 'leakage_limit', 'model_arm',
    ]
    def forWindows = spec.group in ['Windows', 'Language models'] && !(spec.name in ['cluster_cap', 'windows_per_shard'])
    return forWindows || spec.name in others
}
