// The image that tasks run in is built where it is missing, once and before anything else, unless it is one of the user's own.
def requireImage(engine, image, folder, version) {
    if (!(image in ["localhost/virshort:${version}", "${folder}/containers/virshort-${version}.sif"].collect { name -> name.toString() })) {
        return
    }
    def build = new ProcessBuilder("${folder}/containers/build.sh".toString(), '--if-missing', engine, image).inheritIO().start()
    if (build.waitFor() != 0) {
        error("virshort: the image ${image} is missing and could not be built (why is said above): see docs/containers.md, or name another by --container")
    }
}
