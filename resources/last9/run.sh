{ set +xe; } 2>/dev/null
# Runs the engine once on this agent: the text of one `sh` step, in the run's own folder. tests/contract/README.md says what it promises.
# No shebang: Jenkins would execute this file, which a workspace mounted noexec forbids. Any POSIX shell, with no program but Python.
# No traps, nothing in the background: an interruption of this step ends the engine first, and no process outlives it. The status is never 0.
[ -z "${ZSH_VERSION:-}" ] || emulate sh # zsh's own names are avoided besides: path, status

# What the interpreter runs: python/bundle/first.py, put here by `make bundle`. It trusts nothing on this agent but what has these hashes.
first='import os
import sys
bundle, digest, code, seconds, log = (sys.argv[1:6] + [""] * 5)[:5]
def leave(status, text, to):
    os.write(to, text.encode("ascii", "replace"))
    os._exit(status)
if sys.version_info < (3, 9):
    leave(97, "Python %d.%d is too old" % sys.version_info[:2], 1)
import _signal
if float(seconds or 0) and hasattr(_signal, "setitimer"):
    _signal.signal(_signal.SIGALRM, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGALRM])
    _signal.setitimer(_signal.ITIMER_REAL, float(seconds) - 0.05)
try:
    for name in (
        "argparse ast base64 calendar dataclasses datetime difflib email html http inspect ipaddress json logging mimetypes pkgutil "
        "platform random secrets shlex shutil signal socket ssl string subprocess tempfile textwrap threading traceback unicodedata "
        "urllib uuid zipfile"
    ).split():
        if not any(e.find_spec(name) for e in sys.meta_path):
            raise ImportError(name)
    import _json, _socket, _ssl, hashlib, select, zlib
except ImportError as error:
    leave(97, "it lacks the module " + str(error.name or error), 1)
if not bundle:
    os._exit(0)
if log != "2":
    os.dup2(int(log), 2)
    os.close(int(log))
def take(path):
    try:
        flags = os.O_NONBLOCK | os.O_NOFOLLOW if os.name == "posix" else os.O_BINARY
        with open(os.open(path, flags), "rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o170000 == 0o100000:
                data = file.read(1 << 20)
                return data if hashlib.sha256(data).hexdigest() == digest else None
    except OSError:
        pass
data = take(bundle)
there = bool(data)
data = data or take("incoming.pyz")
if not data:
    leave(78, "[Last9] %s is damaged\n" % bundle if os.path.lexists(bundle) else "", 2)
at = data.index(b"PK\3\4") + 26
start = at + 4 + data[at]
engine = type(sys)("last9_loading")
exec(data[start : start + int.from_bytes(data[at - 4 : at], "little")], vars(engine))
engine.run(engine, data, bundle, digest, code, there, sys.argv[6:])'
request='request-@REQUEST@.json'
answer='answer-@REQUEST@.json'
chosen=@PYTHON@
tried=
named=
once=
export LAST9_CACHE_DIR="${PWD%/*}"

# Makes one line of the text $1, $plain, and $quoted of that for a JSON text. No tr, no sed: they may be missing.
flatten() {
    plain=
    quoted=
    text=$1
    while [ -n "$text" ] && [ ${#plain} -lt 1500 ]; do
        rest=${text#?}
        character=${text%"$rest"}
        text=$rest
        case $character in
            [[:cntrl:]]) character='?' ;;
        esac
        plain=$plain$character
        case $character in
            [\\\"]) character=\\$character ;;
        esac
        quoted=$quoted$character
    done
}

warn() {
    flatten "$1"
    printf '%s\n' "[Last9] WARNING: $plain" >&2
}

# Sets $found to where on PATH a program lies, and not to one in the workspace or of a relative folder: a checkout chooses no interpreter.
find_program() {
    found=
    left=${PATH:-}:
    while [ -n "$left" ] && [ -z "$found" ]; do
        folder=${left%%:*}
        left=${left#*:}
        if [ "${folder#/}" != "$folder" ] && [ -f "$folder/$1" ] && [ -x "$folder/$1" ]; then
            real=$(cd -P -- "$folder" >/dev/null 2>&1 && pwd -P) # bash may have inherited an exported cd that prints its folder
            case $real/ in
                "$workspace"/* | "$named_workspace"/*) ;;
                *) found=$folder/$1 ;;
            esac
        fi
    done
    [ -n "$found" ]
}

# Runs the engine with the interpreter $1, and comes back only if that cannot: it then has not read (and removed) the request.
# What the interpreter itself prints goes to /dev/null, and what bash says of one that a signal has ended; the engine takes descriptor 3 for its log.
run_with() {
    {
        "$1" -I -S -c "$first" "../last9-markers-@BUNDLE@.pyz" @BUNDLE@ @CODE@ @SECONDS@ 3 \
            step --request "$request" --answer "$answer" 3>&4 4>&- >/dev/null </dev/null
    } 4>&2 2>/dev/null
    code=$?
    [ "$code" -lt 256 ] || code=$((code - 128)) # ksh counts signals from 256
    case $code in
        77 | 78) leave ;;
        74) leave ;; # it has logged why it could not write the answer; then the request cannot be removed either
        129 | 130 | 131 | 137 | 143) leave ;;
        142)
            warn 'the engine was ended after @SECONDS@ seconds, because it still ran. Check the agent.'
            leave
            ;;
        2) reason='too old' ;; # Python 2.7: it knows no -I
        97) reason=$("$1" -I -S -c "$first" 2>/dev/null </dev/null) ;;
        126) reason='cannot be executed' ;;
        127) reason='not found' ;;
        *) reason="exit code $code" ;;
    esac
    if [ ! -f "$request" ]; then
        warn "the engine ended with exit code $code, so it is not known whether Last9 has this marker. See the lines above."
        [ "$code" -ne 0 ] || code=70
        leave
    fi
    tried="$tried, $1 ($reason)"
    [ $code -eq 127 ] || once=once
}

leave() {
    [ -z "$named" ] || warn "LAST9_PYTHON is ignored: $named."
    exit "$code"
}

workspace=$(pwd -P)
workspace=${workspace%?tmp/last9/run-*}
named_workspace=$(cd -P -- "${WORKSPACE:-/nowhere}" >/dev/null 2>&1 && pwd -P) # if WORKSPACE_TMP names another place
[ "${named_workspace:-/}" != / ] || named_workspace='?'
if [ -n "${LAST9_PYTHON:-}" ]; then
    case $chosen$LAST9_PYTHON in
        no*) named='a build parameter may have set it' ;;
        yes/*) run_with "$LAST9_PYTHON" ;;
        yes*/*) tried=", $LAST9_PYTHON (a relative path)" ;;
        *) if find_program "$LAST9_PYTHON"; then run_with "$found"; else tried=", $LAST9_PYTHON (not found)"; fi ;;
    esac
    named=$named${tried#, }
fi
for name in python3 python; do
    if find_program $name; then run_with "$found"; else tried="$tried, $name (not found)"; fi
done
minor=39
while [ $minor -ge 9 ]; do
    ! find_program "python3.$minor" || run_with "$found"
    minor=$((minor - 1))
done

flatten "this agent has no usable Python. Tried: ${tried#, }. \
Install Python 3.9 or newer (on Debian and Ubuntu the package python3; python3-minimal lacks modules), or set LAST9_PYTHON to the path of one. \
Or install curl, which sends a marker with fewer attributes."
# The library, which knows the marker, logs this if curl does not send. A Python that cannot be used here may be usable elsewhere on the node.
curl=no
if find_program head && find_program curl; then
    curl=${once:-always}
fi
umask 022
set -C
{
    printf '{"last9Answer":2,"noEngine":true,"curl":"%s","delivered":false,"accepted":true,"deploymentId":null,"warnings":["%s"],"failBuild":null}\n' \
        "$curl" "$quoted" >"$answer" || once=unsaid
    # Not every system has its tools where `command -p` looks. What Python tidies elsewhere, answers that are older than a day, has to go as well.
    command -p rm -f "$request" incoming.pyz || rm -f "$request" incoming.pyz
    command -p find . -name 'answer-*.json' -mtime +0 -delete || find . -name 'answer-*.json' -mtime +0 -delete
} 2>/dev/null
[ "$once" != unsaid ] || printf '%s\n' "[Last9] WARNING: $plain" >&2
exit 79
