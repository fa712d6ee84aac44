# Fills a configuration template: every ${NAME} becomes the environment's value of NAME, with XML's special characters
# escaped. A name that is not set, or empty, is reported with its line, and nothing of the output must then be used (exit
# status 78, EX_CONFIG of sysexits.h).
function escaped(value) {
    gsub(/&/, "\\&amp;", value)
    gsub(/</, "\\&lt;", value)
    gsub(/>/, "\\&gt;", value)
    gsub(/"/, "\\&quot;", value)
    return value
}
{
    rest = $0
    line = ""
    while (match(rest, /\$\{[A-Z][A-Z0-9_]*\}/)) {
        name = substr(rest, RSTART + 2, RLENGTH - 3)
        if (!(name in ENVIRON) || ENVIRON[name] == "") {
            printf "%s:%d: environment variable %s is not set\n", FILENAME, FNR, name > "/dev/stderr"
            missing = 1
        }
        line = line substr(rest, 1, RSTART - 1) escaped(ENVIRON[name])
        rest = substr(rest, RSTART + RLENGTH)
    }
    print line rest
}
END { if (missing) exit 78 }
