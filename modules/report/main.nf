// What a person reads: one self-contained page, and the same in short for the terminal.
process REPORT {
    input:
    path comparison
    path models, stageAs: 'run/models/*'
    path facts, stageAs: 'run/*'
    path windows, stageAs: 'run/*'
    path assets, stageAs: 'assets/*'
    val parameters
    val code

    output:
    path 'report.html', emit: page
    path 'summary.txt', emit: summary

    script:
    """
    report.py run --out report.html --summary summary.txt
    """
}
