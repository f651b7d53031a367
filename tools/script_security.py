"""Fingerprints of script-security's lists: what the project's own list of approved signatures is held against (``SignaturesTest``).

``tools/script_security.py DIR`` writes them from the lists in DIR, ``--check DIR`` compares. DIR holds ``generic-whitelist``,
``jenkins-whitelist`` and ``blacklist`` as they lie in that plugin's source under
``src/main/resources/org/jenkinsci/plugins/scriptsecurity/sandbox/whitelists/``.

The lists themselves are the plugin's and are not copied. A fingerprint is enough to tell whether a signature is on a list, for those
that the project uses today and for any that someone adds.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FINGERPRINTS = ROOT / "tests/pipeline/src/test/resources/script-security/fingerprints.txt"
LISTS = ("generic-whitelist", "jenkins-whitelist", "blacklist")
#: Hexadecimal digits of each fingerprint: 48 bits, so two of 1,500 lines agree by chance once in a hundred million times.
DIGITS = 12


def main() -> int:
    """Write or compare; 1 if they differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("lists", type=Path, metavar="DIR", help="folder with script-security's lists")
    parser.add_argument("--check", action="store_true", help="compare with the committed fingerprints instead of writing them")
    options = parser.parse_args()
    made = "".join(_section(options.lists, name) for name in LISTS)
    if not options.check:
        FINGERPRINTS.parent.mkdir(parents=True, exist_ok=True)
        FINGERPRINTS.write_text(made, encoding="utf-8")
        print(f"wrote {FINGERPRINTS.relative_to(ROOT)}: {made.count(chr(10))} lines")
        return 0
    if made != FINGERPRINTS.read_text(encoding="utf-8"):
        print(
            f"{FINGERPRINTS.relative_to(ROOT)} is not what these lists make: run tools/script_security.py {options.lists}", file=sys.stderr
        )
        return 1
    print(f"{FINGERPRINTS.relative_to(ROOT)}: made from these very lists.")
    return 0


def _section(folder: Path, name: str) -> str:
    text = (folder / name).read_bytes()
    signatures = {line.strip() for line in text.decode("utf-8").splitlines()} - {""}
    signatures = {line for line in signatures if not line.startswith("#")}
    head = f"[{name}] {len(signatures)} signatures; SHA-256 of the list: {hashlib.sha256(text).hexdigest()}\n"
    return head + "".join(f"{fingerprint}\n" for fingerprint in sorted(map(_fingerprint, signatures)))


def _fingerprint(signature: str) -> str:
    return hashlib.sha256(signature.encode()).hexdigest()[:DIGITS]


if __name__ == "__main__":
    sys.exit(main())
