// Values and paths that reach a shell. Nextflow writes paths into the scripts of tasks without quotes; it escapes most special
// characters, but not those that a shell expands.

// A value as one word of a task's shell script, whatever it contains.
def quoted(value) {
    return "'" + value.toString().replace("'", "'\\''") + "'"
}

// Why Java cannot open a path, or null. In the C locale it knows no characters but ASCII.
def unreadablePath(path) {
    def encoding = System.getProperty('sun.jnu.encoding')
    def known = java.nio.charset.Charset.forName(encoding).newEncoder().canEncode(path.toString())
    return known ? null : "holds characters that this locale (${encoding}) does not have: set LC_ALL=C.UTF-8, then run again"
}

// Why a file cannot be handed to tasks, or null. Its own name must be free of everything that a shell may expand, since it is
// also written into folders that other files share.
def unsafeName(path) {
    if (unreadablePath(path)) {
        return unreadablePath(path)
    }
    def absolute = file(path, glob: false)
    def found = absolute.name.find('[\\p{Cntrl}$*?\\[\\]{}~]')
    if (found) {
        return "holds ${characterName(found)}, which a shell would expand: rename it"
    }
    def trouble = expandedFolder(absolute.parent)
    return trouble ? "is in a folder that ${trouble}: rename the folder" : null
}

// Why the pipeline or its tasks cannot work in a folder, or null.
def unsafeFolder(what, path) {
    def trouble = unreadablePath(path) ?: expandedFolder(path)
    return trouble ? "the ${what} ${path} ${trouble}: use another" : null
}

// Why tasks would not find this pipeline's bin/, or null. Nextflow adds it to PATH, between double quotes.
def unsafePipelineFolder(path) {
    def found = path.toString().find('["`\\\\:]')
    if (found) {
        return "the pipeline's folder ${path} holds ${found}, which cannot be part of PATH: move the pipeline"
    }
    return unsafeFolder("pipeline's folder", path)
}

def characterName(character) {
    return character in ['\n', '\r', '\t'] ? 'a line break or tab' : character
}

// What a shell would do to the path of a folder, or null. Brackets and single braces stay as they are, as a rule.
def expandedFolder(folder) {
    if (!folder) {
        return null
    }
    def text = folder.toString()
    def found = text.find('[\\p{Cntrl}$*?]') ?: text.find(/\{[^{}]*(,|\.\.)[^{}]*\}/)
    if (found) {
        return "holds ${characterName(found)}, which a shell would expand"
    }
    def other = folder.scheme == 'file' ? matchedInstead(folder) : null
    return other ? "a shell could mistake for ${other}" : null
}

// Another folder that matches the path, read as a shell's pattern: 'Phages 2' for 'Phages [2024]'.
def matchedInstead(folder) {
    if (!folder || !folder.toString().contains('[')) {
        return null
    }
    def other = null
    if (folder.fileName?.toString()?.contains('[')) {
        try {
            def name = folder.fileName.toString().replaceAll(/([{}\\])/, '\\\\$1')
            def pattern = java.nio.file.FileSystems.default.getPathMatcher("glob:${name}")
            other = (folder.parent.toFile().list() ?: []).find { sibling ->
                sibling != folder.fileName.toString() && pattern.matches(java.nio.file.Path.of(sibling))
            }
        }
        catch (java.util.regex.PatternSyntaxException _e) {
            other = null // a bracket that opens no pattern
        }
    }
    return other ? folder.parent.resolve(other) : matchedInstead(folder.parent)
}

// Why a name in a sheet cannot be used, or null.
def sheetNameComplaint(name) {
    if (name =~ '^[A-Za-z][A-Za-z0-9+.-]*://') {
        return 'is a URL: download the file, and give its path instead'
    }
    if (name =~ '[*?]') {
        return 'is a pattern: write one row for each file (a file whose own name holds * or ? must be renamed)'
    }
    if (name =~ '^~[^/]') {
        return 'begins with the home folder of another user: give the full path'
    }
    return null
}

// The files that a sheet names: absolute, relative to the sheet, or in the user's home (~/).
def listedFiles(names, sheet) {
    def found = names.collect { name ->
        def expanded = name.startsWith('~/') ? "${System.getenv('HOME')}${name.substring(1)}" : name
        def path = expanded.startsWith('/') ? expanded : "${sheet.parent}/${expanded}"
        def trouble = sheetNameComplaint(name) ?: unsafeName(path)
        if (trouble) {
            error("virshort: ${sheet.name}: ${name}: ${trouble}")
        }
        file(path, glob: false)
    }
    def missing = [names, found].transpose().findAll { _name, f -> !f.isFile() }.collect { name, _f -> name }
    if (missing) {
        def paths = missing.join(', ')
        error("virshort: ${sheet.name}: cannot find ${paths}: correct the path, which is relative to the samplesheet")
    }
    return found
}
