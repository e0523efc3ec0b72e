// Builds the image that tasks run in, before anything else is done, if it is missing. An image of the user's own is not built.
def requireImage(engine, image, folder, version) {
    if (!(image in ["localhost/virshort:${version}", "${folder}/containers/virshort-${version}.sif"].collect { name -> name.toString() })) {
        return
    }
    def build = new ProcessBuilder("${folder}/containers/build.sh".toString(), '--if-missing', engine, image).inheritIO().start()
    if (build.waitFor() != 0) {
        error("virshort: the image ${image} is missing and could not be built, for the reason printed above: see docs/containers.md, or name another image with --container")
    }
}
