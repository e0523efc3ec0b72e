// What a step wrote, as maps and lists.
def readJson(path) {
    return new groovy.json.JsonSlurper().parse(path)
}
