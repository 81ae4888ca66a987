# shellcheck shell=bash
# Stages that are all run, also after one of them failed. To be sourced.

failed=()

# Runs a command under its own heading and remembers whether it failed.
stage() {
    printf '\n== %s\n' "$*"
    "$@" || failed+=("$1${2:+ $2}")
}

# Ends the script: says $1 where nothing failed, else what did.
finish() {
    if ((${#failed[@]})); then
        printf '\nFailed:\n'
        printf '  %s\n' "${failed[@]}"
        exit 1
    fi
    printf '\n%s\n' "$1"
}
