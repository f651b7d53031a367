"""The first file that the interpreter reads: can it run the engine, and where from?

It must stay valid for Python 2.7, whose users deserve one clear line instead of a SyntaxError, and short: it is compiled anew at every
start. What only a node's first marker needs is in last9_unpacking.
"""

import os
import sys

CANNOT_RUN = 97  # run.sh and run.bat take this code for "try the next interpreter"
BUNDLE = os.path.dirname(os.path.abspath(__file__))


def take_stderr_back():
    """Undo what run.sh does to stderr: it points to /dev/null until here, so that an interpreter without -I can hide its usage text."""
    descriptor = os.environ.pop("LAST9_STDERR_FD", "")
    if descriptor:
        try:
            os.dup2(int(descriptor), 2)
            os.close(int(descriptor))
        except (OSError, ValueError):
            pass


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
    if not os.environ.get("LAST9_LAUNCHER"):  # the launcher says it in its own words, once for all candidates
        sys.stderr.write(
            "[Last9] last9-markers needs Python 3.9 or newer with its ssl and zlib modules; %s (Python %d.%d) %s.\n"
            % ((sys.executable or "this interpreter",) + sys.version_info[:2] + (lacking,))
        )
    sys.exit(CANNOT_RUN)


def isolate():
    """Keep out the agent's site-packages, sitecustomize and PYTHON* variables, also where nobody passed -I -S."""
    if sys.flags.isolated and sys.flags.no_site:
        return
    if os.name == "posix" and sys.executable:
        os.execv(sys.executable, [sys.executable, "-I", "-S", BUNDLE] + sys.argv[1:])
    library = os.path.dirname(os.__file__)  # Windows: execv would return to the caller's prompt at once
    kept = [BUNDLE]
    for entry in sys.path:
        inside = entry == library or entry.startswith(library + os.sep) or os.path.basename(entry) == "DLLs"
        archive = os.path.basename(entry).startswith("python3") and entry.endswith(".zip")
        if (inside or archive) and "site-packages" not in entry:
            kept.append(entry)
    sys.path[:] = kept


def is_whole(cache):
    """Is this folder ours, closed to others and complete? It may have been cleaned file by file, or be laid out by somebody else."""
    try:
        status = os.lstat(cache)
        if hasattr(os, "geteuid") and (status.st_uid != os.geteuid() or status.st_mode & 0o170077 != 0o040000):
            return False
        with open(os.path.join(cache, "complete"), "rb") as listing:
            lines = listing.read().decode("ascii").splitlines()
        for line in lines:
            size, name = line.split(" ", 1)
            if os.stat(cache + os.sep + name).st_size != int(size):
                return False
        return bool(lines)
    except (OSError, ValueError):
        return False


def import_from(cache):
    """Let our modules come from the unpacked folder, with their compiled code beside them."""
    from importlib.machinery import FileFinder, SourceFileLoader

    class Loader(SourceFileLoader):
        """Python's own, but no full disk, lost power or rotten file can make a broken .pyc that ends the next marker."""

        def get_code(self, fullname):
            try:
                return SourceFileLoader.get_code(self, fullname)
            except (EOFError, ImportError, TypeError, ValueError):
                path = self.get_filename(fullname)
                return self.source_to_code(self.get_data(path), path)

        def set_data(self, path, data, **_mode):
            aside = "%s.%d" % (path, os.getpid())
            try:
                with open(aside, "xb") as compiled:
                    compiled.write(data)  # Python's own loader does not notice a short write here
                os.replace(aside, path)
            except OSError:
                try:
                    os.unlink(aside)
                except OSError:
                    pass

    def finder(path):
        if path == cache or path.startswith(cache + os.sep):
            return FileFinder(path, (Loader, [".py"]))
        raise ImportError(path)

    sys.path_hooks.insert(0, finder)
    sys.path[sys.path.index(BUNDLE)] = cache
    sys.path.append(BUNDLE)  # what is rarely needed was left in it
    sys.dont_write_bytecode = False
    sys.pycache_prefix = None


def place(folder):
    """Return the unpacked engine's folder under `folder`, made now if need be; None where it must run from the zip."""
    import last9_content

    cache = os.path.join(os.path.abspath(folder), last9_content.KEY)
    if not is_whole(cache):
        import last9_unpacking

        if not last9_unpacking.unpack(__loader__, BUNDLE, cache, is_whole):
            return None
    try:
        os.utime(cache, None)  # the most recently used ones are kept
    except OSError:
        pass
    return cache


def load_engine():
    """Import the engine; a cache that turns out unusable after all is thrown away, and the zip serves."""
    folder = os.environ.get("LAST9_CACHE_DIR")
    cache = place(folder) if folder else None
    if cache:
        import_from(cache)
    try:
        from last9_markers.cli.main import main
    except Exception:
        if not cache:
            raise
        turn_away_from(cache)
        from last9_markers.cli.main import main
    return main


def turn_away_from(cache):
    """Forget what was imported from this folder, and remove it."""
    sys.path.remove(cache)
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(cache + os.sep):
            del sys.modules[name]
    import last9_unpacking

    last9_unpacking.discard(cache)


def run():
    """Run the engine and return its exit code."""
    import gc

    gc.disable()  # collecting while modules load finds nothing and costs some milliseconds
    main = load_engine()
    if sys.argv[1:2] != ["step"]:  # a marker's process ends before there is anything to collect
        gc.enable()
    return main(sys.argv[1:])


if __name__ == "__main__":
    take_stderr_back()
    check_interpreter()
    isolate()
    sys.exit(run())
