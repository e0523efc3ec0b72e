// Nextflow's cache sees the script that a task calls, but not the modules which that script imports. Each process therefore
// takes a digest of both as an input, so that a change of a module repeats exactly the steps whose scripts reach it.

// Dotted names of the modules that a source text imports. `from a.b import c` gives both a.b and a.b.c, since c may be a module
// or something in a.b.
def importedNames(text) {
    def code = text.replaceAll(/\\\r?\n/, ' ')
    def plain = (code =~ /(?m)^\s*import\s+([^\n#]*)/).collect { m ->
        m[1].tokenize(',').collect { name -> name.tokenize()[0] }
    }
    def listed = (code =~ /(?m)^\s*from\s+(virshort[\w.]*)\s+import\s+(\([^)]*\)|[^\n#]*)/).collect { m ->
        def names = m[2].replaceAll(/#[^\n]*/, '').replaceAll(/[()]/, ' ').tokenize(',').collect { name -> name.tokenize()[0] }
        [m[1]] + names.findAll().collect { name -> "${m[1]}.${name}".toString() }
    }
    return (plain + listed).flatten().findAll { name -> name ==~ /virshort(\.\w+)*/ }
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

// A script of bin/, the modules that it is told to import by name, and all that these import; sorted.
def reachedFiles(script, modules = []) {
    def named = modules.collectMany { name -> importedFiles(name) }
    def starts = [file("${moduleDir}/../bin/${script}", glob: false).normalize()] + named
    return withImports(starts.unique()).sort { f -> f.toString() }
}

// 16 hex digits, of the files' paths below bin/ and of their contents.
def codeDigest(String script, modules = []) {
    def bin = file("${moduleDir}/../bin", glob: false).normalize()
    def md = java.security.MessageDigest.getInstance('SHA-256')
    reachedFiles(script, modules).each { f ->
        md.update("${bin.relativize(f)}\n${f.size()}\n".toString().bytes)
        md.update(f.bytes)
    }
    return md.digest().encodeHex().toString().take(16)
}
