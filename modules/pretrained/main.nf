// Read a head that was trained elsewhere, which is the baseline as it is. Nothing that its file asks for is run.
process PRETRAINED {
    input:
    path head
    val arm
    val width
    val code

    output:
    path 'pretrained', type: 'dir'

    script:
    """
    cat > arm.json <<'END_OF_ARM'
    ${groovy.json.JsonOutput.toJson(arm)}
    END_OF_ARM
    read_pretrained.py --head ${[head].flatten().find { f -> f.name != 'model.json' }} --arm arm.json ${width ? "--inputs ${width}" : ''} --out pretrained
    """
}
