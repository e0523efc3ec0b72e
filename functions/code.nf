// Nextflow's cache sees the script that a task calls, but not the modules which that script imports. Each process takes
// a digest of both as an input, so that editing a module runs again only the steps that reach it.

// Dotted names of the modules that a source text imports; of `from a.b import c` both a.b and a.b.c, since c may be either a
// module or something in a.b.
def importedNames(text) {
    def plain = (text =~ /(?m)^\s*import\s+(virshort[\w.]*)/).collect { m -> m[1] }
    def listed = (text =~ /(?m)^\s*from\s+(virshort[\w.]*)\s+import\s+(\([^)]*\)|[^\n#]*)/).collect { m ->
        def names = m[2].replaceAll(/#[^\n]*/, '').replaceAll(/[()\\]/, ' ').tokenize(',').collect { name -> name.tokenize()[0] }
        [m[1]] + names.findAll().collect { name -> "${m[1]}.${name}".toString() }
    }
    return plain + listed.flatten()
}

// The files that Python runs when it imports a dotted name: the __init__.py of every package on the way, and the module.
def importedFiles(name) {
    def parts = name.tokenize('.')
    return (1..parts.size()).collectMany { n ->
        def path = parts.take(n).join('/')
        ["${path}/__init__.py", "${path}.py"].collect { found -> file("${moduleDir}/../bin/${found}", glob: false).normalize() }
    }.findAll { f -> f.exists() }
}

def withImports(files) {
    def more = files.collectMany { f -> importedNames(f.text) }.unique().collectMany { name -> importedFiles(name) }
    def all = (files + more).unique()
    return all.size() == files.size() ? all : withImports(all)
}

// Files that a script of bin/ reaches, and modules that it is told to import by name: with all that they import. Sorted.
def reachedFiles(script, modules = []) {
    def own = [file("${moduleDir}/../bin/${script}", glob: false).normalize()] + modules.collectMany { name -> importedFiles(name) }
    return withImports(own.unique()).sort { f -> f.toString() }
}

// 16 hex digits.
def codeDigest(String script, modules = []) {
    def bin = file("${moduleDir}/../bin", glob: false).normalize()
    def md = java.security.MessageDigest.getInstance('SHA-256')
    reachedFiles(script, modules).each { f ->
        md.update("${bin.relativize(f)}\n${f.size()}\n".toString().bytes)
        md.update(f.bytes)
    }
    return md.digest().encodeHex().toString().take(16)
}
