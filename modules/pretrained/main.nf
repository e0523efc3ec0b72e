// Read a head that was trained elsewhere, and use it as the baseline without training. No code in its file is run.
process PRETRAINED {
    input:
    path head
    val arm
    val width
    val code

    output:
    path 'pretrained', type: 'dir'

    script:
    def weights = [head].flatten().find { f -> f.name != 'model.json' }
    """
    cat > arm.json <<'END_OF_ARM'
    ${groovy.json.JsonOutput.toJson(arm)}
    END_OF_ARM
    read_pretrained.py --head ${weights} --arm arm.json --inputs ${width} --out pretrained
    """
}
