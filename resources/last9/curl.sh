{ set +xe; } 2>/dev/null
{ set +auv; } 2>/dev/null
# Sends one marker by curl: the text of one `sh` step on an agent without Python, in the run's own folder. tests/contract/README.md says what it
# promises. One exchange, one event. No shebang, no traps, nothing in the background, and the status is never 0: as run.sh, and for its reasons.
# The tokens go from the shell's own printf into curl's standard input: no argument, no file and no environment holds them.
[ -z "${ZSH_VERSION:-}" ] || emulate sh
# shellcheck disable=SC3044 # bash alone gets there
[ -z "${BASH_VERSION:-}" ] || shopt -u failglob
set -f
LC_ALL=C
IFS=' 	
'
newline='
'
token=${LAST9_REFRESH_TOKEN:-}
unset LAST9_REFRESH_TOKEN SSLKEYLOGFILE
marker='marker-@REQUEST@.txt'
answer='answer-@REQUEST@.json'
look=@LOOK@
seconds=@SECONDS@

# Writes the answer and ends: $1 is whether the marker is with Last9, $2 why it is not.
finish() {
    umask 022
    set -C
    printf '{"last9Answer":2,"curl":"sent","delivered":%s,"accepted":true,"deploymentId":null,"warnings":[],"failBuild":null,"problem":"%s"}\n' \
        "$1" "$2" 2>/dev/null >"$answer" || exit 74
    exit 77
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

# One request: method $1, URL $2, content $3 and a further header $4 as curl's configuration has them, $5 where the body of the answer goes.
# Sets $said (of the body 64 kB at most), $code (HTTP's) and $ended (curl's). What curl says of a failure goes nowhere: its exit code tells it.
ask() {
    {
        said=$(
            {
                printf '%s\nrequest = "%s"\nurl = "%s"\nheader = "Content-Type: application/json"\nheader = "Expect:"\n%s\ndata-binary = "%s"\n' \
                    "$common" "$1" "$2" "$4" "$3" |
                    "$curl" -q -s -g ${ca:+--cacert} ${ca:+"$ca"} -K - -o "$5" -w '\n%{http_code}'
                printf '\n%s' "$?"
            } | "$head" -c 65536
            printf . # else the empty lines at its end were gone
        )
    } 2>/dev/null
    said=${said%.}
    length=${#said}
    ended=${said##*"$newline"}
    said=${said%"$newline"*}
    code=${said##*"$newline"}
    said=${said%"$newline"*}
    [ "$length" -lt 65536 ] || code='cut'
    case $code$ended in
        '' | *[!0-9]*)
            [ "$length" -ge 32768 ] || exit 143 # neither is there: the shell of the request was ended
            finish false "$6: Last9's answer is far too long. Check apiBaseUrl"
            ;;
    esac
    [ "$ended" -lt 256 ] || ended=$((ended - 128)) # ksh counts signals from 256
    [ "$ended" -lt 128 ] || exit "$ended" # who ends curl ends the step
    case $5$code in
        /dev/null2??) return ;; # Last9 has accepted it, even if the rest of its answer is lost
    esac
    case $ended in
        0) ;;
        5 | 6) finish false "$6: the host or its proxy is not found. Check apiBaseUrl, name resolution and the proxy" ;;
        7) finish false "$6: no connection. Check apiBaseUrl, firewall and proxy" ;;
        28) finish false "$6: no answer within $seconds s. Check the network, or raise timeoutSeconds" ;;
        35 | 51 | 53 | 54 | 58 | 59 | 60 | 64 | 66 | 77 | 80 | 82 | 83 | 90 | 91) finish false "$6: no secure connection (curl: $ended). Check certificates: LAST9_CA_BUNDLE names a file of further roots" ;;
        18 | 52 | 55 | 56 | 92) finish false "$6: the connection was cut (curl: $ended). Check proxy and firewall" ;;
        *) finish false "$6: curl ended with exit code $ended" ;;
    esac
    case $code in
        2??) ;;
        3??) finish false "$6: Last9 redirects ($code), which is not followed. Check apiBaseUrl" ;;
        401 | 403) finish false "$6: Last9 refuses the token ($code). Check the credential: a refresh token with write scope" ;;
        404) finish false "$6: not found (404). Check orgSlug and apiBaseUrl" ;;
        429 | 5??) finish false "$6: Last9 answers $code. No action needed if it is well again soon" ;;
        *) finish false "$6: Last9 answers $code" ;;
    esac
}

# Sets $access to the text under access_token in the JSON text $said; empty if there is none. Split at quotes, which takes no longer for a long text.
read_access_token() {
    access=
    place=
    IFS='"'
    for piece in $said; do
        case $place in
            value)
                access=$piece
                break
                ;;
            name) case $piece in *[![:space:]:]*) place= ;; *:*) place=value ;; *) place= ;; esac ;;
        esac
        [ -n "$place" ] || [ "$piece" != access_token ] || place=name
    done
    case $access in
        *[!A-Za-z0-9._~+/=-]*) access= ;;
    esac
    [ ${#access} -ge 8 ] && [ ${#access} -le 16384 ]
}

workspace=$(pwd -P)
workspace=${workspace%?tmp/last9/run-*}
named_workspace=$(cd -P -- "${WORKSPACE:-/nowhere}" >/dev/null 2>&1 && pwd -P) # if WORKSPACE_TMP names another place
[ "${named_workspace:-/}" != / ] || named_workspace='?'
{ IFS= read -r exchange && IFS= read -r event && IFS= read -r content && IFS= read -r subject; } <"$marker"
set +f # what earlier markers have left in this folder, too: no other one uses it now
command -p rm -f marker-*.txt answer-*.json 2>/dev/null
set -f
# What is true of this node may not be true in a container on it: where there may be a Python, the launcher looks.
if [ $look = yes ]; then
    case ${LAST9_PYTHON:-} in
        /*) [ ! -x "$LAST9_PYTHON" ] || exit 79 ;;
        '' | */*) ;;
        *) ! find_program "$LAST9_PYTHON" || exit 79 ;;
    esac
    ! find_program python3 || exit 79
    ! find_program python || exit 79
    minor=39
    while [ $minor -ge 9 ]; do
        ! find_program "python3.$minor" || exit 79
        minor=$((minor - 1))
    done
fi
find_program head || exit 79
head=$found
find_program curl || exit 79
curl=$found

[ -n "${subject:-}" ] || finish false 'the library left no marker here. Check the disk of the agent'
# shellcheck disable=SC2123 # so that only a builtin is found
(PATH=/nowhere && printf '') 2>/dev/null || finish false 'this shell has no printf of its own, so others could see the token. Set another shell executable in Jenkins'
while :; do # what copying leaves behind
    case $token in
        [[:space:]]*) token=${token#?} ;;
        *[[:space:]]) token=${token%?} ;;
        *) break ;;
    esac
done
case $token in
    '' | *[!A-Za-z0-9._~+/=-]*) finish false 'the credential holds no usable token. Store the refresh token as a Secret text' ;;
esac
case $content in
    *"$token"*) finish false 'the refresh token is part of it. Take it out of the options of the step' ;;
esac

ca=${LAST9_CA_BUNDLE:-${REQUESTS_CA_BUNDLE:-}}
[ -f "$ca" ] || ca=
common="max-redirs = 0
max-time = $seconds
proto = \"=https\""
case $exchange in
    http://*) # to this machine itself: the library lets no other pass
        common="max-redirs = 0
max-time = $seconds
proto = \"=http\"
noproxy = \"*\""
        ;;
    *)
        if "$curl" -q --tlsv1.2 -V >/dev/null 2>&1 </dev/null; then
            common="$common
tlsv1.2"
        fi
        ;;
esac

ask POST "$exchange" "{\\\"refresh_token\\\":\\\"$token\\\"}" '' - 'the exchange of the refresh token failed'
read_access_token || finish false "the exchange of the refresh token failed: Last9's answer has no usable access_token. Check apiBaseUrl"
ask PUT "$event" "$content" "header = \"X-LAST9-API-TOKEN: Bearer $access\"" /dev/null 'Last9 did not take it'
printf '%s\n' "[Last9] Sent by curl, as this agent has no usable Python: $subject. It lacks what needs Python: commit, branch, message, user and others; \
queued markers were not sent along." >&2
finish true ''
