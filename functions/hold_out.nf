// Which sources are kept together in one fold.

// The column of the samplesheet and the source table that gives the family of a source: the one that is held out, if there is
// one. `options`: typed parameters.
def familyColumn(options) {
    return options.hold_out == 'cluster' ? 'family' : options.hold_out
}
