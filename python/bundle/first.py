# The first program: the root of trust. `make bundle` puts it, without comments and blank lines, into the launchers' texts, which come from
# the controller with every marker (or, for Freestyle, lie where an administrator has put them); an interpreter gets it as -c. At most 2 kB.
# It must stay valid for Python 2.7, whose users deserve one clear line. Without arguments it only says whether this interpreter can run
# the engine. Exit codes: 97 this interpreter cannot, the reason is on stdout; 78 the bundle is missing or damaged.
import os
import sys

bundle, digest, code, seconds, log = (sys.argv[1:6] + [""] * 5)[:5]


def leave(status, text, to):
    os.write(to, text.encode("ascii", "replace"))
    os._exit(status)


if sys.version_info < (3, 9):
    leave(97, "Python %d.%d is too old" % sys.version_info[:2], 1)
import _signal  # not signal, which takes longer to load

# The last resort, which needs no Python: the default action of SIGALRM ends the process.
if float(seconds or 0) and hasattr(_signal, "setitimer"):
    _signal.signal(_signal.SIGALRM, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGALRM])
    _signal.setitimer(_signal.ITIMER_REAL, float(seconds) - 0.05)

# All that the engine needs of the standard library: a file for each, and the extensions have to load.
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
# The launcher has sent stderr to /dev/null, for interpreters that talk, and kept the log's descriptor for us.
if log != "2":
    os.dup2(int(log), 2)
    os.close(int(log))


# The bytes of a file with the right hash. No links, no waiting for a fifo, a regular file, a limit.
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
# The first entry of the zip is last9_loading.py, stored: it runs from these very bytes.
at = data.index(b"PK\3\4") + 26
start = at + 4 + data[at]
engine = type(sys)("last9_loading")
exec(data[start : start + int.from_bytes(data[at - 4 : at], "little")], vars(engine))
engine.run(engine, data, bundle, digest, code, there, sys.argv[6:])
