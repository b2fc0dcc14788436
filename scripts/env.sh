# Sourced by the other scripts: makes .venv, the project's own environment, and puts it first on PATH.
# usage: . scripts/env.sh EXTRAS     EXTRAS: "" or "[dev]"

cd "$(dirname "${BASH_SOURCE[0]}")/.."

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
        if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "peershelf needs Python 3.11 or newer; install it, or name it: PYTHON=/path/to/python3.12 $0" >&2
    exit 1
}

if [ ! -x .venv/bin/python ]; then
    python=$(find_python)
    "$python" -m venv .venv
fi
export PATH="$PWD/.venv/bin:$PATH"

# Installing again costs seconds, so it is done only when what is asked for has changed.
wanted="$(cat pyproject.toml constraints.txt | cksum) peershelf$1"
if ! grep -qsF "$wanted" .venv/installed; then
    echo "== Installing peershelf$1 into .venv"
    python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".$1"
    # py-libp2p brings trio-typing, whose stubs of an old trio would hide trio's own types from mypy.
    rm -rf "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/trio-stubs"
    echo "$wanted" > .venv/installed
fi
