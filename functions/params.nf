// Parameters are described once, in nextflow_schema.json: read it, print it as help, check values against it.
include { unreadablePath ; unsafeName } from './shell'

// One map a parameter: name, group, required, and what the schema says of it.
def readSchema(path) {
    def schema = new groovy.json.JsonSlurper().parse(path)
    return schema['$defs'].values().collectMany { group ->
        group.properties.collect { name, spec ->
            spec + [name: name, group: group.title, required: name in (group.required ?: [])]
        }
    }
}

def typeName(spec) {
    return [spec.type].flatten().join(' or ')
}

// What values are allowed, in a few words.
def allowed(spec) {
    def parts = []
    if (spec['enum'] && spec['enum'].size() <= 8) {
        parts << spec['enum'].join('|')
    }
    else {
        parts << typeName(spec)
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

// `wanted`: true for a line each parameter, 'all' for the hidden ones too, or the name of one to be explained.
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
    def groups = shown.groupBy { s -> s.group }.collect { title, members ->
        def lines = members.collect { s -> "  --${s.name.padRight(18)} ${s.description} [${allowed(s)}]" }
        "${title}\n${lines.join('\n')}"
    }
    def head = 'nextflow run main.nf --input samplesheet.csv --outdir results   (or -profile test: the bundled demo)'
    return ([head] + groups + ['--help NAME explains one parameter.']).join('\n\n')
}

def unknown(name, names) {
    def near = names.closest(name)
    return "--${name} is unknown${near ? " (did you mean --${near.join(' or --')}?)" : ': --help lists all parameters'}"
}

// A whole number may come as 100000, 1e5 or 100000.0; from the command line all values may be strings.
def isWhole(text) {
    return text.isBigDecimal() && text.toBigDecimal().stripTrailingZeros().scale() <= 0
}

// What is wrong with one value, or null.
def complaint(spec, value) {
    if (value == null || value.toString() == '') {
        return spec.required ? 'is required' : null
    }
    def text = value.toString()
    def types = [spec.type].flatten()
    def got = ", got '${text.replaceAll(/\p{Cntrl}/, ' ')}'"
    if (value instanceof Boolean && !('boolean' in types)) {
        return 'needs a value'
    }
    if (!types.any { type -> ofType(text, type) }) {
        return "must be of type ${typeName(spec)}${got}"
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
        return "holds a line break or another control character: take it away${got}"
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

def ofType(text, type) {
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
        return text.toBigDecimal().toBigIntegerExact().toLong()
    }
    return 'number' in types ? text.toBigDecimal().toDouble() : text
}

// What no single parameter shows.
def combined(values) {
    def found = []
    if (values.scratch_windows < values.short_windows) {
        found << "--scratch_windows must be at least --short_windows (${values.short_windows}), which it contains, got '${values.scratch_windows}'"
    }
    if (values.test_folds != 'all' && values.test_folds.toInteger() > values.folds) {
        found << "--test_folds must be at most --folds (${values.folds}) or all, got '${values.test_folds}'"
    }
    if (values.features && (values.input || values.demo)) {
        found << "--features takes the place of ${values.demo ? 'the demo' : '--input'}: give one of them, got '${values.features}'"
    }
    values.sweep_lengths.tokenize(',').findAll { n -> n.toInteger() < 50 || n.toInteger() > 3000 }.each { n ->
        found << "--sweep_lengths must be lengths from 50 to 3000, got '${n}'"
    }
    return found
}

// Why results cannot be written to a folder of this machine, or null. Makes the folder.
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

// Every complaint, a line each; none if all is well. `given`: the pipeline's params, `specs`: from readSchema.
def checkParams(given, specs) {
    def names = specs.collect { s -> s.name }
    def strange = given.keySet().findAll { k -> !(k in names) && !(k.contains('-') && camel(k) in given.keySet()) }.collect { k ->
        unknown(k, names)
    }
    def wrong = specs.collect { s ->
        def problem = complaint(given.demo || given.features ? s + [required: false] : s, given[s.name])
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

// Name -> value for every parameter of the schema, in its type; null where there is none.
def typedParams(given, specs) {
    return specs.collectEntries { s ->
        def value = given[s.name] == null || given[s.name].toString() == '' ? s['default'] : given[s.name]
        [s.name, value == null ? null : canonical(value.toString(), [s.type].flatten())]
    }
}
