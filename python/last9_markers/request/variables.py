"""Environment variables, looked up as Jenkins does: regardless of case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def folded(name: str) -> str:
    """The form in which two names are equal to Jenkins, whose maps of variables compare by ``String.CASE_INSENSITIVE_ORDER``.

    Java compares letter by letter, first in upper and then in lower case: so a dotless i (U+0131) is an ``I``, and the Kelvin sign
    (U+212A) is a ``k``.
    """
    if name.isascii():
        return name.lower()
    raised = (upper if len(upper := letter.upper()) == 1 else letter for letter in name)
    return "".join(letter.lower()[:1] for letter in raised)


class Variables(Mapping[str, str]):
    """An environment. A name as it is written wins over one of another case; iteration gives the names as they are."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = dict(environ)
        self._spellings: dict[str, list[str]] = {}
        for name in self._environ:
            self._spellings.setdefault(folded(name), []).append(name)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Variables:
        """The environment in this form; itself, if it has it already."""
        return environ if isinstance(environ, cls) else cls(environ)

    def __getitem__(self, name: str) -> str:
        if name in self._environ:
            return self._environ[name]
        spellings = self._spellings.get(folded(name))
        if not spellings:
            raise KeyError(name)
        return self._environ[min(spellings)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)

    def rivals(self, name: str) -> list[str]:
        """The variables that differ from one another in value, and from that name in nothing but case; empty if there is only one value."""
        spellings = sorted(self._spellings.get(folded(name), []))
        return spellings if len({self._environ[spelling] for spelling in spellings}) > 1 else []
