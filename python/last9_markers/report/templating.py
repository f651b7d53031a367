"""jinja2 as the page needs it: the bundle ships it without loaders, filters, tests and cached templates, because the page uses none."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

#: Module → the names that jinja2 takes from it while it loads. In their places stand empty classes, and empty tables for what is in
#: capitals; the tests hold this against jinja2.
LEFT_OUT = {
    "jinja2.bccache": ("BytecodeCache", "FileSystemBytecodeCache", "MemcachedBytecodeCache"),
    "jinja2.filters": ("FILTERS",),
    "jinja2.loaders": (
        "BaseLoader",
        "ChoiceLoader",
        "DictLoader",
        "FileSystemLoader",
        "FunctionLoader",
        "ModuleLoader",
        "PackageLoader",
        "PrefixLoader",
    ),
    "jinja2.optimizer": ("Optimizer",),
    "jinja2.tests": ("TESTS",),
}


def _load() -> ModuleType:
    placed = {} if "jinja2" in sys.modules else {name: ModuleType(name) for name in LEFT_OUT if name not in sys.modules}
    for name, module in placed.items():
        vars(module).update({taken: {} if taken.isupper() else type(taken, (), {}) for taken in LEFT_OUT[name]})
    sys.modules.update(placed)
    try:
        return importlib.import_module("jinja2")
    finally:
        for name in placed:  # later imports get the real ones
            del sys.modules[name]


if TYPE_CHECKING:
    import jinja2
else:
    jinja2 = _load()


def render(name: str, filters: dict[str, Any], values: dict[str, Any]) -> str:
    """A template of this package with these values; every value is escaped, and one that is missing is an error."""
    return _template(name, tuple(filters.items())).render(values)


def text_of(name: str) -> str:
    """One of the package's files, from a folder or from within the bundle; importlib.resources would unpack it to the disk."""
    data = pkgutil.get_data("last9_markers.report", f"templates/{name}")
    assert data is not None
    return data.decode()


@functools.lru_cache(maxsize=1)
def _template(name: str, filters: tuple[tuple[str, Any], ...]) -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, optimized=False)
    environment.filters, environment.tests = dict(filters), {"none": lambda value: value is None}
    return environment.from_string(text_of(name))
