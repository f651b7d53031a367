#!/bin/sh
# Finds a Python that serves and runs the engine on one request (tests/contract/README.md). The library uses this file as the text of one
# `sh` step: it puts a UUID and the bundle's hash into the two marked places and nothing else, so no data ever becomes shell text.
set -u
folder="${WORKSPACE_TMP:-$WORKSPACE@tmp}/last9"
request="$folder/request-@REQUEST@.json"
incoming="$folder/incoming-@REQUEST@.pyz"
bundle="$folder/last9-markers-@BUNDLE@.pyz"
child=
status=0
tried=

# Parallel branches may all bring the bundle on a node's first use: a rename puts a whole file there, whoever comes last.
if [ -f "$incoming" ]; then
    mv -f "$incoming" "$bundle" 2>/dev/null || rm -f "$incoming"
fi

# An abort may reach this shell alone: the engine must not outlive it.
trap 'if [ -n "$child" ]; then kill -TERM "$child" 2>/dev/null; fi' TERM INT HUP
trap 'rm -f "$request" "$incoming"' EXIT

# stderr goes nowhere until the engine takes it back from descriptor 3: Python 2.7 knows no -I and would print its usage into the build log.
# In the background and waited for, since a shell runs its traps only between commands.
run_with() {
    LAST9_STDERR_FD=3 LAST9_LAUNCHER=1 LAST9_CACHE_DIR="$folder" \
        "$@" -I -S "$bundle" step --request "$request" 3>&2 2>/dev/null &
    child=$!
    wait "$child"
    status=$?
    # 143 and the like: a trap ended the wait, the engine has still to end
    while kill -0 "$child" 2>/dev/null; do wait "$child"; status=$?; done
    child=
}

# 0 and every other code end the search; these three mean "not this one": 2 an interpreter without -I, 97 the bundle's own guard, 126/127 not there.
attempt() {
    case "$1" in
        */*) [ -x "$1" ] || return 1 ;;
        *) command -v "$1" >/dev/null 2>&1 || return 1 ;;
    esac
    run_with "$1"
    case $status in
        2 | 97 | 126 | 127) return 1 ;;
    esac
    return 0
}

# LAST9_PYTHON's value is somebody's data: its name is told, never its text, so the answer needs no escaping.
if [ -n "${LAST9_PYTHON:-}" ]; then
    attempt "$LAST9_PYTHON" && exit "$status"
    tried=LAST9_PYTHON
fi
for candidate in python3 python python3.13 python3.12 python3.11 python3.10 python3.9 /usr/bin/python3 /usr/local/bin/python3; do
    attempt "$candidate" && exit "$status"
    tried="${tried:+$tried, }$candidate"
done

warning="no usable Python on this agent (tried $tried). Install Python 3.9 or newer, use an image that has it, or set LAST9_PYTHON to its path"
echo "[Last9] WARNING: $warning" >&2
echo "{\"last9Answer\":1,\"delivered\":false,\"accepted\":true,\"deploymentId\":null,\"warnings\":[\"$warning\"],\"failBuild\":null,\"noEngine\":true}"
