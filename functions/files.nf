// The content of a JSON file, as maps and lists.
def readJson(path) {
    return new groovy.json.JsonSlurper().parse(path)
}
