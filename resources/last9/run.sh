#!/bin/sh
# Runs the engine once on this agent: the text of one `sh` step. The Groovy side puts a UUID and the bundle's hash into it, nothing else.
# What it promises is in tests/contract/README.md: the engine's log on stderr, one answer line on stdout, exit code 0.
set -u
umask 077

folder="${WORKSPACE_TMP:-${WORKSPACE:-}@tmp}/last9"
request="$folder/request-@REQUEST@.json"
incoming="$folder/incoming-@REQUEST@.pyz"
bundle="$folder/last9-markers-@BUNDLE@.pyz"
engine=
tried=
suspect=

# `command -p`: these two are found even where PATH has been emptied.
# shellcheck disable=SC2317 # reached through the traps below
clean_up() {
    command -p rm -f "$request" "$incoming" 2>/dev/null # another user's folder, a read-only one: nothing that the log should speak of
}

# Jenkins aborts with SIGTERM. The engine gets three seconds to end by itself; then the shell would be gone and nobody could end it.
# shellcheck disable=SC2317 # reached through the traps below
stop_engine() {
    trap : TERM INT HUP # not '': whatever is started from here on would ignore them, too
    if [ -n "$engine" ]; then
        kill -TERM "$engine" 2>/dev/null
        (command -p sleep 3; kill -KILL "$engine") >/dev/null 2>&1 &
        while kill -0 "$engine" 2>/dev/null; do wait "$engine" 2>/dev/null; done
        # Not TERM: a subshell that has only just been forked may still have the trap above, and would sleep to its end.
        kill -KILL "$!" 2>/dev/null
        wait "$!" 2>/dev/null
    fi
    exit 143
}

# Runs the engine with the interpreter $1. Returns 1 if that cannot run it: it then has not read (and removed) the request.
# The engine takes descriptor 3 for its stderr; what an unusable interpreter says (Python 2.7: its usage text) goes to /dev/null.
# In the background, since a shell that waits for a foreground process acts on SIGTERM only afterwards.
run_with() {
    if ! command -v -- "$1" >/dev/null 2>&1; then
        tried="$tried, $1 (not found)"
        return 1
    fi
    LAST9_LAUNCHER=1 LAST9_STDERR_FD=3 LAST9_CACHE_DIR="$folder" \
        "$1" -I -S "$bundle" step --request "$request" 3>&2 2>/dev/null &
    engine=$!
    wait "$engine"
    code=$?
    engine=
    [ "$code" -eq 0 ] && return 0
    if [ -f "$request" ]; then
        case $code in
            2 | 97) tried="$tried, $1 (too old, or without its ssl module)" ;;
            *)
                tried="$tried, $1 (exit code $code)"
                suspect=$bundle # perhaps not the interpreter's fault: a bundle that was cut short breaks each of them
                ;;
        esac
        return 1
    fi
    echo "[Last9] The engine ended with exit code $code." >&2
}

run_engine() {
    if [ -n "${LAST9_PYTHON:-}" ]; then
        run_with "$LAST9_PYTHON" && return
    fi
    for python in python3 python python3.13 python3.12 python3.11 python3.10 python3.9; do
        case $python in
            python3.*) command -v "$python" >/dev/null 2>&1 || continue ;; # the last resort is only worth naming where it exists
        esac
        run_with "$python" && return
    done
    return 1
}

# LAST9_PYTHON's value is data: control characters become `?`, backslash and quote are escaped for JSON.
answer_without_engine() {
    cause="this agent has no usable Python, so the deployment marker was not sent. Tried: ${tried#, }."
    remedy="Install Python 3.9 or newer on the agent, or set LAST9_PYTHON to the path of one."
    warning=$(printf '%s' "$cause $remedy" | LC_ALL=C command -p tr '\001-\037\177' '?')
    printf '%s\n' "[Last9] WARNING: $warning" >&2
    warning=$(printf '%s' "$warning" | LC_ALL=C command -p sed 's/[\\"]/\\&/g')
    printf '{"last9Answer":1,"delivered":false,"accepted":true,"deploymentId":null,"warnings":["%s"],"failBuild":null,"noEngine":true}\n' "$warning"
}

trap clean_up EXIT
trap stop_engine TERM INT HUP

# Ten branches may arrive at once with a copy each: every rename puts the same bytes there.
if [ ! -f "$bundle" ] && [ -f "$incoming" ]; then
    command -p mv -f "$incoming" "$bundle" 2>/dev/null || bundle=$incoming
fi
if ! run_engine; then
    answer_without_engine
    [ -z "$suspect" ] || command -p rm -f "$suspect" 2>/dev/null # the next marker brings a new one
fi
exit 0
