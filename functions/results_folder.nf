// A results folder belongs to one run: one run at a time uses it, and a run starts by removing what an earlier one published.

// Everything that the pipeline publishes (publishDir in modules/), relative to the results folder.
def publishedNames() {
    return [
        'report.html', 'summary.txt', 'summary.tsv', 'figures', 'comparison.json', 'comparison.tsv', 'novelty.tsv', 'leakage.json',
        'window_sets.json',
        'model', 'models', 'evaluation', 'windows', 'sources', 'features', 'simulated',
        'pipeline_info/arms.json', 'pipeline_info/forecast.json', 'pipeline_info/gpu.json', 'pipeline_info/parameters.json',
        'pipeline_info/versions.yml',
    ]
}

// Those of them that a folder holds, and the folders of samples whose reads were classified. A link counts, whatever it points
// to.
def publishedIn(folder) {
    def found = publishedNames().findAll { name ->
        java.nio.file.Files.exists(folder.resolve(name), java.nio.file.LinkOption.NOFOLLOW_LINKS)
    }
    return found + samplesIn(folder)
}

// The samples whose results a folder holds, each in a folder of its own.
def samplesIn(folder) {
    if (!java.nio.file.Files.isDirectory(folder)) {
        return []
    }
    // Nextflow's listFiles() does not follow a link to the folder
    def names = java.nio.file.Files.newDirectoryStream(folder).withCloseable { entries ->
        entries.collect { f -> f.fileName.toString() }
    }
    return names.sort().findAll { name ->
        ['reads.tsv.gz', 'summary.json'].any { part -> folder.resolve(name).resolve("${name}.${part}").exists() }
    }
}

// Whether a run of virshort used a folder before. Remote folders have no lock, but every run publishes arms.json first.
def isResultsFolder(folder) {
    return ['.lock', 'arms.json'].any { name -> folder.resolve("pipeline_info/${name}").exists() }
}

// Locks --outdir for this run and returns the lock (see lockResultsFolder), or stops if the run cannot use the folder. `specs`:
// what the schema says of each parameter.
def claimResultsFolder(options, specs, workDir) {
    def inputs = options.subMap(specs.findAll { s -> s.exists }.collect { s -> s.name }).findAll { _name, path -> path }
    def complaint = resultsFolderComplaint(options.outdir, options.publish_mode, workDir, inputs)
    if (complaint) {
        error("virshort: ${complaint}")
    }
    return lockResultsFolder(options.outdir)
}

// Removes what an earlier run published in --outdir, and says so.
def emptyResultsFolder(outdir) {
    def removed = removeEarlierResults(outdir)
    if (removed) {
        println(
            "Note: removed what an earlier run published in ${outdir} (${removed.join(', ')}). " +
            'To get it back, repeat that run with -resume.'
        )
    }
}

// Why a run cannot publish into a folder, or null. `inputs`: parameter -> path of the user's files.
def resultsFolderComplaint(outdir, publishMode, workDir, inputs) {
    def folder = file(outdir, glob: false)
    def found = publishedIn(folder)
    if (found && !isResultsFolder(folder)) {
        def them = found.size() > 1 ? 'them' : 'it'
        return "--outdir ${outdir} holds ${found.join(', ')} and was not written by virshort: " +
            "move ${them} away, or give another folder"
    }
    def doomed = inputs.find { _name, path -> found.any { name -> isWithin(file(path, glob: false), folder, name) } }
    if (doomed) {
        return "--${doomed.key} ${doomed.value} is among the results of an earlier run in --outdir ${outdir}, " +
            'which a new run removes: give another --outdir'
    }
    return linkComplaint(folder, publishMode, workDir)
}

// Whether a path leads through folder/name, as it is written or with all links resolved.
def isWithin(path, folder, name) {
    if (path.scheme != 'file' || folder.scheme != 'file') {
        return path.startsWith(folder.resolve(name))
    }
    def roots = [folder.toAbsolutePath().normalize(), folder.toRealPath()].collect { f -> f.resolve(name) }
    return [path.toAbsolutePath().normalize(), path.toRealPath()].any { p -> roots.any { root -> p.startsWith(root) } }
}

// Why results cannot be published as links, or null. Whether hard links work is known only by making one.
def linkComplaint(folder, publishMode, workDir) {
    if (publishMode == 'copy') {
        return null
    }
    if (folder.scheme != 'file' || workDir.scheme != 'file') {
        return "--publish_mode ${publishMode} makes links, which only a disk of this machine can hold: use --publish_mode copy"
    }
    if (publishMode != 'link') {
        return null
    }
    java.nio.file.Files.createDirectories(workDir)
    java.nio.file.Files.createDirectories(folder)
    def target = java.nio.file.Files.createTempFile(workDir, '.virshort', '')
    def link = folder.resolve(target.name)
    def complaint = null
    try {
        java.nio.file.Files.createLink(link, target)
    }
    catch (Exception _e) {
        complaint = "--publish_mode link cannot make hard links in --outdir ${folder} to the work folder ${workDir}: " +
            'put both on one disk (-work-dir DIR), or use --publish_mode copy'
    }
    java.nio.file.Files.deleteIfExists(link)
    java.nio.file.Files.delete(target)
    return complaint
}

// Locks the folder, and stops if another run holds the lock. Returns the lock, to be kept until the run is over, or null where
// the file system has none. The lock is the operating system's: it ends with the process, however that ends.
def lockResultsFolder(outdir) {
    def folder = file(outdir, glob: false)
    if (folder.scheme != 'file') {
        return null
    }
    def path = folder.resolve('pipeline_info/.lock')
    path.parent.mkdirs()
    def open = java.nio.file.StandardOpenOption
    def channel = java.nio.channels.FileChannel.open(path, open.CREATE, open.READ, open.WRITE)
    def lock = null
    try {
        lock = channel.tryLock()
    }
    catch (IOException e) {
        log.warn("virshort: --outdir ${outdir} cannot be locked (${e.message}): start no second run in it before this one ends")
        return null
    }
    if (!lock) {
        def other = path.text.trim()
        error("virshort: --outdir ${outdir} is in use by another run (${other}): wait until it ends, or give another folder")
    }
    def host = java.net.InetAddress.localHost.hostName
    def holder = "process ${ProcessHandle.current().pid()} on ${host}, since ${new Date().format('yyyy-MM-dd HH:mm')}"
    channel.truncate(0)
    channel.write(java.nio.ByteBuffer.wrap("${holder}\n".toString().bytes))
    return channel
}

// Removes what an earlier run published, and returns the names. Links are removed, not followed. Files of the user's own, and
// the traces and timelines of earlier runs, stay.
def removeEarlierResults(outdir) {
    def folder = file(outdir, glob: false)
    return publishedIn(folder).each { name ->
        try {
            nextflow.file.FileHelper.deletePath(folder.resolve(name))
        }
        catch (IOException e) {
            def reason = e.class.simpleName - 'Exception'
            error(
                "virshort: --outdir ${outdir}: cannot remove ${name} of an earlier run (${reason}): " +
                'remove it, or give another folder'
            )
        }
    }
}
