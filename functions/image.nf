// Builds the image that tasks run in, if it is missing. An image that the user named is never built.
def requireImage(engine, image, folder, version) {
    def own = ["localhost/virshort:${version}", "${folder}/containers/virshort-${version}.sif"]
    if (!(image in own.collect { name -> name.toString() })) {
        return
    }
    def command = ["${folder}/containers/build.sh".toString(), '--if-missing', engine, image]
    if (new ProcessBuilder(command).inheritIO().start().waitFor() != 0) {
        error(
            "virshort: the image ${image} is missing and could not be built, for the reason printed above: " +
            'see docs/containers.md, or name another image with --container'
        )
    }
}
