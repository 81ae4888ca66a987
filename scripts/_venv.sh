# shellcheck shell=bash
# The virtual environment of this checkout: made when there is none, remade when the checkout was moved, and
# installed into only when what it holds would change. To be sourced.

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." >/dev/null && pwd -P)
venv=$root/.venv

fail() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit 1
}

# Prints the first Python on PATH that is new enough and can make virtual environments.
find_python() {
    local name seen=''
    for name in python3.13 python3.12 python3.11 python3; do
        command -v "$name" >/dev/null || continue
        if ! "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            seen+=" $name (too old)"
        elif ! "$name" -c 'import ensurepip, venv' 2>/dev/null; then
            seen+=" $name (without its venv module; on Debian and Ubuntu: apt-get install $name-venv)"
        else
            printf '%s\n' "$name"
            return
        fi
    done
    fail "needs Python 3.11 or newer; install it and start again (found:${seen:- none})"
}

# Whether the environment is whole and was made at this very place: scripts in it name its path.
venv_is_sound() {
    local line
    [[ -x $venv/bin/python && -x $venv/bin/pip && -f $venv/pyvenv.cfg ]] || return 1
    while IFS= read -r line; do
        [[ $line == 'command = '*" $venv" ]] && return 0
    done <"$venv/pyvenv.cfg"
    return 1
}

# Prints what an installation depends on, as one word; $1 is its extra or empty.
fingerprint() {
    { printf '%s\n' "${1-}" && cat -- "$root/pyproject.toml" "$root/constraints.txt"; } |
        { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi; } | cut -d ' ' -f 1
}

# Makes sure that the project is installed in the environment, with the extra $1 if one is given.
ensure_venv() {
    local extra=${1-} python stamp wanted
    if ! venv_is_sound; then
        python=$(find_python)
        printf 'Making %s with %s ...\n' "$venv" "$python" >&2
        rm -rf -- "$venv"
        "$python" -m venv "$venv"
    fi
    stamp=$venv/.installed${extra:+-$extra}
    wanted=$(fingerprint "$extra")
    if [[ ! -f $stamp || $(<"$stamp") != "$wanted" ]]; then
        printf 'Installing what Greenroom needs ...\n' >&2
        (
            cd -- "$root"
            "$venv/bin/pip" install -q --disable-pip-version-check -e ".${extra:+[$extra]}" -c constraints.txt
        )
        printf '%s\n' "$wanted" >"$stamp"
        # An extra comes with the project itself.
        [[ -z $extra ]] || fingerprint >"$venv/.installed"
    fi
}
