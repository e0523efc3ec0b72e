// Nextflow's cache sees the script that a task calls, but not the modules which that script imports. Each process takes
// a digest of both as an input, so that editing a module runs again just the steps that reach it.

// Names of the modules of bin/virshort that a source text imports.
def importedModules(text) {
    def direct = (text =~ /(?m)^\s*(?:from|import)\s+virshort\.(\w+)/).collect { m -> m[1] }
    def listed = (text =~ /(?m)^\s*from\s+virshort\s+import\s+(\([^)]*\)|[^\n#]*)/).collect { m ->
        m[1].replaceAll(/[()\\]|#[^\n]*/, ' ').tokenize(',').collect { name -> name.tokenize()[0] }
    }
    return (direct + listed.flatten()).findAll()
}

def withImports(files) {
    def more = files.collectMany { f -> importedModules(f.text) }
        .collect { name -> file("${moduleDir}/../bin/virshort/${name}.py").normalize() }
        .findAll { f -> f.exists() }
    def all = (files + more).unique()
    return all.size() == files.size() ? all : withImports(all)
}

// Files that a script of bin/ reaches: itself, the package, and its modules transitively. Sorted by name.
def reachedFiles(script) {
    def own = [script, 'virshort/__init__.py'].collect { name -> file("${moduleDir}/../bin/${name}").normalize() }
    return withImports(own).sort { f -> f.name }
}

// 16 hex digits.
def codeDigest(String script) {
    def md = java.security.MessageDigest.getInstance('SHA-256')
    reachedFiles(script).each { f ->
        md.update("${f.name}\n${f.size()}\n".toString().bytes)
        md.update(f.bytes)
    }
    return md.digest().encodeHex().toString().take(16)
}
