// A value as one word of a task's shell script, whatever is in it.
def quoted(value) {
    return "'" + value.toString().replace("'", "'\\''") + "'"
}
