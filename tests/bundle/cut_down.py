"""Makes interpreters that start and lack parts of the standard library, as cut-down images have them.

What is cut down is a real Python: its program, and a folder of links to those parts of its library that must be there.

``python3 cut_down.py FOLDER`` makes one that has what Debian's ``python3-minimal`` has, and prints its path: for the tests in Java.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

_FACTS = "import sys, sysconfig; print(sysconfig.get_path('stdlib')); print(*sys.builtin_module_names)"
_DEBIANS = (
    "__future__ _collections_abc _compat_pickle _py_abc _sitebuiltins _strptime _threading_local _weakrefset abc argparse ast "
    "base64 bisect calendar codecs collections compileall configparser contextlib copy copyreg csv datetime dis email "
    "encodings enum filecmp fnmatch functools genericpath getopt glob hashlib heapq imp importlib inspect io ipaddress "
    "keyword lib-dynload linecache locale logging opcode operator optparse os pathlib pickle pkgutil platform posixpath "
    "py_compile quopri random re reprlib runpy selectors signal site socket sre_compile sre_constants sre_parse ssl stat "
    "string stringprep struct subprocess sysconfig tempfile textwrap threading token tokenize traceback tracemalloc types "
    "typing urllib uu warnings weakref zipfile zipimport"
)
#: Debian 12's libpython3.11-minimal: what an image with python3-minimal has.
MINIMAL = set(_DEBIANS.split())


class Original:
    """A real Python: where its library lies, and what is built into its program."""

    def __init__(self, python: str) -> None:
        said = subprocess.run([python, "-I", "-c", _FACTS], capture_output=True, text=True, check=True).stdout.splitlines()
        self.program = Path(python).resolve()
        self.library = Path(said[0])
        self.built_in = set(said[1].split())
        self.parts = [*self.library.iterdir(), *(self.library / "lib-dynload").iterdir()]
        self.modules = {path.name.split(".")[0] for path in self.parts} - {"site-packages"}

    def cut_down(self, folder: Path, lacking: Iterable[str]) -> str:
        """Make one in that folder that lacks these modules, and return its path."""
        lacking = set(lacking)
        there = folder / "lib" / self.library.name
        (there / "lib-dynload").mkdir(parents=True)
        for path in self.parts:
            if path.name.split(".")[0] not in lacking | {"lib-dynload", "site-packages", "__pycache__"}:
                (there / path.relative_to(self.library)).symlink_to(path)
        program = folder / "bin" / "python3"
        program.parent.mkdir()
        shutil.copy(self.program, program)
        return str(program)

    def beyond_minimal(self) -> set[str]:
        """What of its library a minimal one lacks; of the extensions it has all."""
        return {path.name.split(".")[0] for path in self.library.iterdir()} - MINIMAL


if __name__ == "__main__":
    original = Original(sys.executable)
    print(original.cut_down(Path(sys.argv[1]), original.beyond_minimal()))
