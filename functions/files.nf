// Files that steps and users hand over.

// A JSON file as maps and lists.
def readJson(path) {
    return new groovy.json.JsonSlurper().parse(path)
}

// The files of a folder, without those of its subfolders, sorted by name.
def filesIn(folder) {
    return (folder.listFiles() as List).findAll { f -> f.isFile() }.sort { f -> f.name }
}

// The files of a trained head. One that virshort trained has a model.json beside it.
def headFiles(head) {
    def record = head.resolveSibling('model.json')
    return head.name.endsWith('.safetensors') && record.exists() ? [head, record] : [head]
}
