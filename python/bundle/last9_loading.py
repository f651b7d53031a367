"""Imports the engine from the bytes of a bundle in memory: the first entry of the bundle, and stored, since first.py runs it from there.

Nothing is read twice, so what was verified is what runs. Modules come from the code file, compiled, if its SHA-256 is the one in the
launcher's text; else from the bundle, and are compiled. This file is compiled at every start: what few starts need is in last9_keeping.
"""

import marshal
import os
import sys
import time

NAME = "last9-markers.pyz"  # stands before every module's name in a traceback, wherever the bundle lies
STARTED = time.monotonic()


class Bundle:
    """The bundle's bytes, what is known of them, and the import system's way to the modules in there (a finder and a loader)."""

    def __init__(self, data, path, digest, folder, code):
        """``folder`` is where compiled code is kept, or empty; ``code`` is the SHA-256 of the code file that may be trusted."""
        self.data, self.path, self.digest, self.folder, self.code = data, path, digest, folder, code
        self.started = STARTED
        self.label = "%s %s" % (digest, sys.version)  # code is good for this bundle and this very interpreter
        self.packages, self.kept, self.compiled = (), {}, {}
        self.listing = None
        if folder and len(code) == 64:
            content = self.read_code("code-%s.bin" % code)
            found = marshal.loads(content) if content else ("",)
            if found[0] == self.label:
                _, self.packages, self.kept = found
        if not self.kept:
            self.packages = sorted({name.split("/")[0].partition(".py")[0] for name in self.entries()})

    def read_code(self, name):
        """Return the bytes of a code file if they have the hash that the launcher named."""
        from hashlib import sha256

        try:
            flags = os.O_NONBLOCK | os.O_NOFOLLOW if os.name == "posix" else os.O_BINARY
            with open(os.open(os.path.join(self.folder, name), flags), "rb") as file:
                if os.fstat(file.fileno()).st_mode & 0o170000 == 0o100000:
                    content = file.read(8 << 20)
                    return content if sha256(content).hexdigest() == self.code else None
        except OSError:
            return None

    def entries(self):
        """Return the zip's entries by name: compression, size in the archive, offset of the local header."""
        if self.listing is None:
            number = int.from_bytes
            end = self.data.rindex(b"PK\5\6")
            at = number(self.data[end + 16 : end + 20], "little")
            self.listing = {}
            while at < end:
                length = self.data[at + 28] + 256 * self.data[at + 29]
                name = self.data[at + 46 : at + 46 + length].decode("ascii")
                packed, offset = number(self.data[at + 20 : at + 24], "little"), number(self.data[at + 42 : at + 46], "little")
                self.listing[name] = (self.data[at + 10], packed, offset + 30 + length)
                at += 46 + length
        return self.listing

    def read(self, name):
        """Return one entry's bytes. Raises ``OSError`` if there is none of that name."""
        try:
            method, packed, offset = self.entries()[name]
        except KeyError:
            raise FileNotFoundError("%s is not in the bundle" % name) from None
        content = self.data[offset : offset + packed]
        if method:
            from zlib import decompress

            content = decompress(content, -15)
        return content

    # -- the import system's side ----------------------------------------------------------------------------------------------

    def find_spec(self, name, path=None, target=None):
        """Find one of the bundle's modules."""
        if name.partition(".")[0] not in self.packages:
            return None
        if name in self.kept:
            package = self.kept[name][0]
        else:
            stem = name.replace(".", "/")
            package = stem + "/__init__.py" in self.entries()
            if not package and stem + ".py" not in self.entries():
                return None
        spec = type(sys.__spec__)(name, self, origin=self.file_name(name, package), is_package=package)
        spec.has_location = True
        # A package's own search path stays empty: Python would look there, below the current folder, when we lack a module.
        return spec

    def create_module(self, spec):
        """Leave that to Python."""

    def exec_module(self, module):
        """Run a module's code in it."""
        exec(self.get_code(module.__name__), vars(module))

    def file_name(self, name, package):
        """Return what tracebacks say and ``__file__`` holds."""
        return "%s/%s%s" % (NAME, name.replace(".", "/"), "/__init__.py" if package else ".py")

    def get_code(self, name):
        """Return a module's code: from the code file, or compiled now."""
        if name in self.kept:
            return marshal.loads(self.kept[name][1])
        package = self.is_package(name)
        file_name = self.file_name(name, package)
        code = compile(self.read(file_name[len(NAME) + 1 :]), file_name, "exec", dont_inherit=True)
        self.compiled[name] = (package, marshal.dumps(code))
        return code

    def is_package(self, name):
        """Whether that module is a package."""
        return name.replace(".", "/") + "/__init__.py" in self.entries()

    def get_source(self, name):
        """Return a module's source, for tracebacks."""
        return self.read(self.file_name(name, self.is_package(name))[len(NAME) + 1 :]).decode("utf-8")

    def get_data(self, path):
        """Return a data file's bytes, for ``pkgutil.get_data``."""
        return self.read(path.replace(os.sep, "/")[len(NAME) + 1 :])

    def get_resource_reader(self, name):
        """Return what ``importlib.resources`` reads a package's files with."""
        from last9_keeping import Resources

        return Resources(self, name)

    # -- what stays for the next marker ----------------------------------------------------------------------------------------

    def keep_code(self):
        """Return the SHA-256 of a file with all code that this process has run, written if it is not there; None without one."""
        if not self.folder:
            return None
        if self.kept and not self.compiled:
            return self.code
        from last9_keeping import keep_code

        return keep_code(self)


def enter(folder):
    """Go to a folder, as a shell's cd would. If that is impossible, stay."""
    try:
        os.chdir(folder)
        os.environ["PWD"] = folder
    except OSError:
        pass


def run(module, data, path, digest, code, there, arguments):
    """Run the engine and leave with its exit code. ``there``: the bundle was in its place, and not brought with this marker."""
    import gc

    gc.disable()  # collecting while modules load finds nothing and costs some milliseconds
    sys.modules[module.__name__] = module
    bundle = module.BUNDLE = Bundle(data, path, digest, os.path.dirname(path) if code else "", code)
    sys.meta_path.insert(0, bundle)
    if arguments and arguments[0].startswith("--in="):  # where the command must run; the interpreter was started outside
        enter(arguments.pop(0)[5:])
    sys.argv = [NAME] + arguments
    if not there:
        try:
            from last9_keeping import place

            place(path)
        except Exception:  # noqa: BLE001, S110 - an interpreter whose library is damaged, which main tells
            pass
    elif code:
        try:
            os.unlink("incoming.pyz")  # brought though another branch's copy is in place already
        except OSError:
            pass
    from last9_markers.cli.main import main

    if arguments[:1] != ["step"]:  # a marker's process ends before there is anything to collect
        gc.enable()
    sys.exit(main(arguments))
