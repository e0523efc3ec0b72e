// A value as one word of a task's shell script, whatever is in it.
def quoted(value) {
    return "'" + value.toString().replace("'", "'\\''") + "'"
}

// Why a file cannot be handed to tasks, or null. Nextflow escapes what else a shell reads when it links inputs.
def unsafeName(path) {
    def found = path.toString().find('[\\p{Cntrl}$*?\\[\\]{}~]')
    def what = found in ['\n', '\r', '\t'] ? 'a line break or tab' : found
    return found ? "holds ${what}, which a shell would expand: rename it" : null
}
