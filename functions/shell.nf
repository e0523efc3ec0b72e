// A value as one word of a task's shell script, whatever is in it.
def quoted(value) {
    return "'" + value.toString().replace("'", "'\\''") + "'"
}

// Why a file cannot be handed to tasks, or null. Nextflow escapes what else a shell reads when it links inputs.
def unsafeName(path) {
    def found = path.toString().find('[\\p{Cntrl}$*?\\[\\]{}~]')
    def what = found in ['\n', '\r', '\t'] ? 'a line break or tab' : found
    return found ? "holds ${what}, which a shell would expand: rename it" : null
}

// Why tasks would not find this pipeline's bin/, or null: Nextflow hands it to them in PATH, between double quotes.
def unsafeFolder(path) {
    def found = path.toString().find('["$`\\\\:]')
    return found ? "the pipeline's folder ${path} holds ${found}, which a shell would not take as it is: move it to another" : null
}

// The files that a sheet names, relative to it or absolute.
def listedFiles(names, sheet) {
    names.findAll { name -> unsafeName(name) }.each { name -> error("virshort: ${sheet.name}: ${name}: ${unsafeName(name)}") }
    def found = names.collect { name -> name.startsWith('/') ? file(name) : file("${sheet.parent}/${name}") }
    def missing = [names, found].transpose().findAll { _name, f -> !f.exists() }.collect { name, _f -> name }
    if (missing) {
        error("virshort: ${sheet.name}: no such file: ${missing.join(', ')}: correct the path (it is relative to the samplesheet)")
    }
    return found
}
