// One run at a time in a results folder. The lock is the operating system's: it ends with the process, however that ends.

// The lock, to be kept until the run is over, or null where the file system has none. Stops where another run holds it.
def lockOutdir(outdir) {
    def folder = file(outdir)
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
        log.warn("virshort: --outdir cannot be locked (${e.message}): start no second run in ${outdir} meanwhile")
        return null
    }
    if (!lock) {
        error("virshort: --outdir ${outdir} is in use by another run (${path.text.trim()}): wait for it, or give another folder")
    }
    def host = java.net.InetAddress.localHost.hostName
    def holder = "process ${ProcessHandle.current().pid()} on ${host}, since ${new Date().format('yyyy-MM-dd HH:mm')}"
    channel.truncate(0)
    channel.write(java.nio.ByteBuffer.wrap("${holder}\n".toString().bytes))
    return channel
}
