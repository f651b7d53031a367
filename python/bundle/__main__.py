"""``python3 last9-markers.pyz COMMAND``: the bundle as a plain zip application, for the command line.

It must stay valid for Python 2.7, whose users deserve one clear line instead of a SyntaxError. The launchers do not come this way: their
own text holds first.py, which trusts nothing that lies on an agent.
"""

import os
import sys

CANNOT_RUN = 97
BUNDLE = os.path.dirname(os.path.abspath(__file__))


def check_interpreter():
    """Leave with CANNOT_RUN unless this is Python 3.9 or newer with ssl and zlib."""
    lacking = "is too old"
    if sys.version_info >= (3, 9):
        try:
            import _ssl  # noqa: F401 - the extensions alone: the engine decides when to load all of ssl
            import zlib  # noqa: F401

            return
        except ImportError as error:
            lacking = "lacks a module: %s" % error
    sys.stderr.write(
        "[Last9] last9-markers needs Python 3.9 or newer with its ssl and zlib modules; %s (Python %d.%d) %s.\n"
        % ((sys.executable or "this interpreter",) + sys.version_info[:2] + (lacking,))
    )
    sys.exit(CANNOT_RUN)


def isolate():
    """Keep out the agent's site-packages, sitecustomize and PYTHON* variables, also without -I -S."""
    if sys.flags.isolated and sys.flags.no_site:
        return
    if os.name == "posix" and sys.executable:
        os.execv(sys.executable, [sys.executable, "-I", "-S", BUNDLE] + sys.argv[1:])
    library = os.path.dirname(os.__file__)  # Windows: execv would return to the caller's prompt at once
    kept = []
    for entry in sys.path:
        inside = entry == library or entry.startswith(library + os.sep) or os.path.basename(entry) == "DLLs"
        archive = os.path.basename(entry).startswith("python3") and entry.endswith(".zip")
        if (inside or archive) and "site-packages" not in entry:
            kept.append(entry)
    sys.path[:] = [BUNDLE] + kept


def run():
    """Run the engine from the bundle's bytes in memory: what the command does to the file later harms nothing."""
    from hashlib import sha256

    import last9_loading

    with open(BUNDLE, "rb") as file:
        data = file.read()
    sys.path.remove(BUNDLE)
    last9_loading.run(last9_loading, data, BUNDLE, sha256(data).hexdigest(), "", True, sys.argv[1:])


if __name__ == "__main__":
    check_interpreter()
    isolate()
    run()
