"""Moves the engine into rooms. Usage: move.py rooms|names, in a checkout's root; each phase once, on a tree as it was before."""
import ast, os, re, subprocess, sys, io, tokenize
from pathlib import Path

P = "last9_markers"
PKG = Path("python") / P
SHARED = {"connection": "connection", "parsing": "parsing", "results": "results", "state": "state", "curl": "curl", "options": "options",
          "entry": "state_entry", "invocation": "invocation", "locking": "locking", "output": "output", "exits": "exit_codes"}
M = {}
M["cli"] = "cli.main"
M["marker"] = "runner.send_marker"
M["watchdog"] = "runner.watchdog"
M["commands"] = "cli.commands"
for n in ("check", "report", "step", "window", "demo", "send", "background", "deliver"):
    M[f"commands.{n}"] = f"cli.commands.{n}"
M["commands.standin"] = "cli.commands.fake_server"
M["shell"] = "cli.window"
for n in ("window", "signals", "abort", "command"):
    M[f"shell.{n}"] = f"cli.window.{n}"
M["shell.delivering"] = "cli.window.marker_delivery"
M["shell.messenger"] = "cli.window.delivery_process"
M["commandline"] = "cli.shared"
for a, b in SHARED.items():
    M[f"commandline.{a}"] = f"cli.shared.{b}"
M["report.errand"] = "report.handler"
M["report.texts"] = "report.formatting"
for n in ("api", "delivery", "retry", "transport", "tls", "proxies", "lean_httpx"):
    M[n] = f"client.{n}"
M["standin"] = "fake_server"
for n in ("faults", "rules", "server", "tokens"):
    M[f"standin.{n}"] = f"fake_server.{n}"
M["standin.answering"] = "fake_server.responses"
for n in ("event", "pending", "records"):
    M[n] = f"marker.{n}"
M["attributes"] = "marker.attributes"
for n in ("allowlists", "changes", "forges", "jenkins", "scm"):
    M[f"attributes.{n}"] = f"marker.attributes.{n}"
M["attributes.window"] = "marker.attributes.deployment"
M["workspace"] = "marker.attributes.git"
for n in ("contract", "options", "destination"):
    M[n] = f"request.{n}"
M["credentials"] = "request.token"
M["surroundings"] = "request.context"
M["wording"] = "messages"
for a, b in {"failures": "failures", "inputs": "options", "log": "progress", "check": "check", "commandline": "cli", "report": "report",
             "background": "background"}.items():
    M[f"wording.{a}"] = f"messages.{b}"
for a, b in {"clock": "clock", "errors": "errors", "redaction": "redaction", "wire": "formats", "journal": "log",
             "leftovers": "stale_files"}.items():
    M[a] = f"core.{b}"
for n in ("check", "report", "background"):  # stay, but are modules all the same
    M[n] = n
for folder in ("check", "report", "background"):
    for f in sorted((PKG / folder).glob("*.py")):
        if f.stem != "__init__":
            M.setdefault(f"{folder}.{f.stem}", f"{folder}.{f.stem}")

#: (old module, name) -> new module
SYMBOL = {("commands.step", "engine_failed"): "runner.defects", ("attributes.scm", "as_commit"): "core.formats"}
for n in ("serve", "Mouth", "Errand", "ERRANDS", "MARKER"):
    SYMBOL[("commands.step", n)] = "runner.serve"
PAGE_WORDS = ("headline", "tally", "delivery", "markers", "bar_labels", "bar_title", "change", "OUTCOMES", "FATES", "KINDS")
ALIAS = {"messages.options": "option_messages", "messages.check": "check_messages", "messages.cli": "cli_messages",
         "messages.report": "report_messages", "messages.background": "background_messages"}
IF_TAKEN = {"marker.attributes.deployment": "deployment_attributes", "messages.progress": "progress_messages",
            "cli.shared.state_entry": "state_entry"}

INITS = {
    "cli": "The program ``last9-markers``.\n\n:mod:`.main` finds the command, :mod:`.commands` has one module for each, :mod:`.window` runs a window around a shell command,\n:mod:`.shared` is what the commands have in common: the table of options, the state file, the exit codes.\n",
    "runner": "One request, one answer.\n\n:mod:`.serve` picks the handler of a request and gives its answer whatever happens, :mod:`.send_marker` is the handler of a marker,\n:mod:`.watchdog` ends both when the time is over, :mod:`.defects` words what nobody expected.\n",
    "client": "Last9 over HTTP: the two calls of its API, retries, TLS, proxies. Nothing else in the engine knows httpx.",
    "marker": "What is sent: the event and its attributes, how it is kept while Last9 does not have it, and what the report is told of it.",
    "request": "What was asked: the contract with the library, options and their defaults, the token, the destination.",
    "core": "What every room may use: clocks, errors, formats, redaction, the build log.",
}

TESTS = {}
for n in ("api", "retry", "transport", "tls_and_proxies", "lean_httpx"):
    TESTS[f"test_{n}.py"] = f"client/test_{n}.py"
for n in ("contract", "contract_examples", "options", "destination"):
    TESTS[f"test_{n}.py"] = f"request/test_{n}.py"
TESTS["test_credentials.py"] = "request/test_token.py"
TESTS["test_pending.py"] = "marker/test_pending.py"
for n in ("commands", "send", "send_keeps_and_shows", "step"):
    TESTS[f"test_{n}.py"] = f"cli/test_{n}.py"
TESTS["test_marker.py"] = "runner/test_send_marker.py"
TESTS["test_fault_matrix.py"] = "runner/test_fault_matrix.py"
TESTS["test_properties.py"] = "runner/test_properties.py"
TESTS["test_redaction.py"] = "core/test_redaction.py"
for n in ("docs", "troubleshooting", "set_up_as_code", "first_steps"):
    TESTS[f"test_{n}.py"] = f"docs/test_{n}.py"
for old, new in {"attributes": "marker/attributes", "shell": "cli/window", "commandline": "cli/shared", "standin": "fake_server"}.items():
    for f in sorted((Path("tests/python") / old).glob("*.py")):
        TESTS[f"{old}/{f.name}"] = f"{new}/{f.name}"
TESTS["standin/test_standin.py"] = "fake_server/test_fake_server.py"
TESTS["report/test_errand.py"] = "report/test_handler.py"
TESTS["report/test_texts.py"] = "report/test_formatting.py"

NOTES = []


def tracked(*patterns):
    out = subprocess.run(["git", "ls-files", "-z", *patterns], capture_output=True, text=True, check=True).stdout
    return [f for f in out.split("\0") if f and os.path.isfile(f)]


def mv(a, b):
    if a == b or not os.path.exists(a):
        return
    os.makedirs(os.path.dirname(b), exist_ok=True)
    subprocess.run(["git", "mv", str(a), str(b)], check=True)


def mapped(dotted):
    """The longest known prefix of a dotted name after the package, replaced."""
    parts = dotted.split(".")
    for i in range(len(parts), 0, -1):
        key = ".".join(parts[:i])
        if i < len(parts) and (key, parts[i]) in SYMBOL:
            return ".".join([SYMBOL[(key, parts[i])], *parts[i:]])
        if key in M:
            return ".".join([M[key], *parts[i:]])
    return dotted


def dotted_text(text):
    text = re.sub(rf"\b{P}\.((?:[A-Za-z_]\w*)(?:\.[A-Za-z_]\w*)*)", lambda m: f"{P}." + mapped(m[1]), text)

    def path(m):
        key = m[1].replace("/", ".")
        return f"{P}/{M[key].replace('.', '/')}.py" if key in M and key not in ("check", "report", "background") else m[0]

    return re.sub(rf"\b{P}/([\w/]+)\.py", path, text)


def names_in(text):
    found = []
    try:
        for t in tokenize.generate_tokens(io.StringIO(text).readline):
            found.append(t)
    except tokenize.TokenError as e:
        raise SystemExit(f"tokenize: {e}")
    return found


class Tok:
    """A name within an f-string, as the tokenizer of 3.12 would give it."""

    def __init__(self, type, string, start, end, line):
        self.type, self.string, self.start, self.end, self.line = type, string, start, end, line


_INNER = re.compile(r"\b[A-Za-z_]\w*\b|[^\w\s]|\d+")


def flat(text):
    """Tokens, f-strings opened up."""
    lines = text.splitlines(keepends=True)
    result = []
    for t in names_in(text):
        prefix = re.match(r"[A-Za-z]*", t.string)[0].lower() if t.type == tokenize.STRING else ""
        if "f" not in prefix:
            result.append(t)
            continue
        (r, c), (r2, c2) = t.start, t.end
        for row in range(r, r2 + 1):
            line = lines[row - 1]
            begin, end = (c if row == r else 0), (c2 if row == r2 else len(line))
            for brace in re.finditer(r"(?<!\{)\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}", line[begin:end]):
                inner = re.sub(r"'[^']*'|\"[^\"]*\"", lambda m: " " * len(m[0]), brace[1])
                base = begin + brace.start(1)
                for m in _INNER.finditer(inner):
                    kind = tokenize.NAME if m[0][0].isalpha() or m[0][0] == "_" else tokenize.OP
                    result.append(Tok(kind, m[0], (row, base + m.start()), (row, base + m.end()), line))
    return result


def rename_tokens(text, decide):
    """decide(tokens, i) -> new string or None."""
    tokens = flat(text)
    lines = text.splitlines(keepends=True)
    edits = []
    for i, t in enumerate(tokens):
        if t.type == tokenize.NAME:
            new = decide(tokens, i)
            if new is not None and new != t.string:
                edits.append((t.start, t.end, new))
    for (r, c), (r2, c2), new in reversed(edits):
        line = lines[r - 1]
        lines[r - 1] = line[:c] + new + line[c2:]
    return "".join(lines)


def prev(tokens, i):
    return tokens[i - 1].string if i else ""


def nxt(tokens, i):
    return tokens[i + 1].string if i + 1 < len(tokens) else ""


def rewrite(path, text):
    """Imports by what they mean; dotted names elsewhere by their text."""
    tree = ast.parse(text)
    lines = text.splitlines(keepends=True)
    statements = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").split(".")[0] == P:
            statements.append(node)
        elif isinstance(node, ast.Import) and any(a.name.startswith(P + ".") for a in node.names):
            NOTES.append(f"{path}:{node.lineno}: plain import")
    used = {t.string for t in flat(text) if t.type == tokenize.NAME}
    bindings = {}  # old -> new
    replaced = {}
    needs_words = False
    for node in statements:
        old = node.module[len(P) + 1:]
        groups = {}
        for alias in node.names:
            full = f"{old}.{alias.name}" if old else alias.name
            if full in M:  # a module
                target = M[full]
                parent, _, name = target.rpartition(".")
                binding = alias.asname or alias.name
                if full == "wording.report":
                    needs_words = True
                if alias.asname in (None, "wording"):
                    new = ALIAS.get(target, name)
                    if new != binding and new in used:
                        NOTES.append(f"{path}:{node.lineno}: {new} is taken ({binding}) -> {IF_TAKEN.get(target)}")
                        new = IF_TAKEN.get(target, new)
                    asname = new if new != name else None
                else:
                    new, asname = binding, alias.asname
                if new != binding:
                    bindings[binding] = new
                groups.setdefault(f"{P}.{parent}" if parent else P, []).append((name, asname))
            else:
                module = SYMBOL.get((old, alias.name)) or (mapped(old) if old else "")
                groups.setdefault(f"{P}.{module}" if module else P, []).append((alias.name, alias.asname))
        indent = " " * node.col_offset
        tail = lines[node.end_lineno - 1]
        comment = re.search(r"  # .*", tail)
        out = []
        for module, items in groups.items():
            names = ", ".join(n + (f" as {a}" if a else "") for n, a in items)
            out.append(f"{indent}from {module} import {names}{comment[0] if comment else ''}\n")
        replaced[node.lineno] = (node.end_lineno, "".join(out))
    result, skip = [], 0
    for number, line in enumerate(lines, 1):
        if number in replaced:
            skip, new = replaced[number]
            result.append(("I", new))
        elif number > skip:
            result.append(("T", line))
    text = "".join(new if kind == "I" else dotted_text(new) for kind, new in result)
    if "scm.as_commit(" in text and path.startswith("python/"):
        text = text.replace("scm.as_commit(", "as_commit(").replace(f"from {P}.", f"from {P}.core.formats import as_commit\nfrom {P}.", 1)
    if bindings or needs_words:
        word_binding = next((o for o in bindings if bindings[o] == "report_messages"), None)

        def decide(tokens, i):
            s = tokens[i].string
            if s not in bindings or prev(tokens, i) == "." or prev(tokens, i) in ("import", "as", "from"):
                return None
            if nxt(tokens, i) != ".":
                if tokens[i].line.lstrip().startswith(("from ", "import ")):
                    return None
                NOTES.append(f"{path}:{tokens[i].start[0]}: bare {s}: {tokens[i].line.strip()[:100]}")
                return None
            if s == word_binding and tokens[i + 2].string in PAGE_WORDS:
                return "wording"
            return bindings[s]

        text = rename_tokens(text, decide)
        if needs_words:
            text = text.replace(f"from {P}.messages import ", f"from {P}.report import wording\nfrom {P}.messages import ", 1)
    return text


def cut(text, names):
    """Top-level definitions of those names, with the comment lines right above them: (rest, taken)."""
    tree = ast.parse(text)
    lines = text.splitlines(keepends=True)
    spans = []
    for node in tree.body:
        targets = [node.name] if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else [
            t.id for t in getattr(node, "targets", [getattr(node, "target", None)]) if isinstance(t, ast.Name)]
        if set(targets) & set(names):
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            while lines[first - 2].startswith("#:") or lines[first - 2].startswith("# ") and not lines[first - 2].startswith("# --"):
                first -= 1
            spans.append((first, node.end_lineno))
    missing = set(names) - {n for s in spans for n in names}
    taken = "".join("\n\n" + "".join(lines[a - 1:b]) if lines[a - 1].startswith(("def", "class", "@")) else "".join(lines[a - 1:b]) for a, b in spans)
    rest = "".join(l for i, l in enumerate(lines, 1) if not any(a <= i <= b for a, b in spans))
    return rest, taken


def imports_of(text):
    tree = ast.parse(text)
    lines = text.splitlines(keepends=True)
    return "".join("".join(lines[n.lineno - 1:n.end_lineno]) for n in tree.body if isinstance(n, (ast.Import, ast.ImportFrom)))


def edit(path, *pairs, must=True):
    if not os.path.exists(path):
        NOTES.append(f"{path} is not there")
        return
    text = Path(path).read_text()
    for a, b in pairs:
        if a not in text:
            NOTES.append(f"{path}: nothing to replace: {a!r}")
        text = text.replace(a, b)
    Path(path).write_text(text)


def rooms():
    # -- splits, in the old places -----------------------------------------------------------------------------------------------
    step = PKG / "commands/step.py"
    text = step.read_text()
    head = imports_of(text)
    rest, command = cut(text, ["main", "_read"])
    rest, defects = cut(rest, ["engine_failed"])
    extra = {}
    extra[PKG / "cli/commands/step.py"] = text[:text.index('"""', 3) + 3] + "\n\n" + head + f"from {P}.commands.step import serve\n" + command
    extra[PKG / "runner/defects.py"] = '"""What is said of an exception that nobody expected."""\n\n' + head + defects
    step.write_text(rest.replace(text[:text.index('"""', 3) + 3], '"""Serves one request: picks its handler, gives one answer on stdout whatever happens, ends with the time budget."""', 1)
                    + "\n" + f"from {P}.commands.step import engine_failed\n")
    # ^ the import at the end is moved up below
    text = step.read_text()
    line = f"from {P}.commands.step import engine_failed\n"
    text = text[: -len(line)].rstrip("\n") + "\n"
    text = text.replace(f"from {P}.contract", line + f"from {P}.contract", 1)
    step.write_text(text)

    scm = PKG / "attributes/scm.py"
    text = scm.read_text()
    rest, taken = cut(text, ["as_commit", "_COMMIT"])
    scm.write_text(rest)
    wire = PKG / "wire.py"
    w = wire.read_text()
    w = w.replace("moments as ISO 8601, text as well-formed Unicode.", "moments as ISO 8601, commits as lower-case hashes, text as well-formed Unicode.")
    w = w.replace("import time\n", "import re\nimport time\n", 1)
    const, function = taken.split("\n\n", 1)
    w = w.replace("\n\ndef iso8601", const.strip("\n") + "\n\n\ndef iso8601", 1).replace("\n\ndef well_formed", "\n\n" + function.strip("\n") + "\n\n\ndef well_formed", 1)
    wire.write_text(w)

    report = PKG / "wording/report.py"
    text = report.read_text()
    rest, taken = cut(text, PAGE_WORDS)
    rest = re.sub(r"# -- the (page|step's own lines) -+\n", "", rest)
    extra[PKG / "report/wording.py"] = '"""What the page says of a deployment, and the summary."""\n\n' + imports_of(text) + \
        f"if TYPE_CHECKING:\n    from {P}.report.deployment import Deployment\n\n" + taken
    report.write_text(rest.replace('"""What the report and its step say."""', '"""What the step and the command say of the report; the page\'s own words are in :mod:`last9_markers.report.wording`."""'))
    # passed instead of imported
    edit(PKG / "wording/inputs.py", (f"from {P}.contract import SHELL_COMMANDS\n", ""),
         ("def service_name_missing(step: str) -> str:", "def service_name_missing(step: str, *, from_shell: bool) -> str:"),
         ("    if step in SHELL_COMMANDS:\n        call", "    if from_shell:\n        call"))
    edit(PKG / "options.py", ("inputs.service_name_missing(request.step)", "inputs.service_name_missing(request.step, from_shell=request.step in SHELL_COMMANDS)"),
         (f"from {P}.contract import Request\n", f"from {P}.contract import SHELL_COMMANDS, Request\n"))

    # -- tests that name modules in strings --------------------------------------------------------------------------------------
    T = Path("tests/python")
    broken = T / "shell/test_window_markers.py"
    if broken.exists():
        broken.write_text(re.sub(r'"((?:commandline|shell)\.\w+)\.(\w+\.\w+)"', lambda m: f'"{mapped(m[1])}.{m[2]}"', broken.read_text()))
    edit(T / "test_lean_httpx.py", ("from last9_markers import transport, marker, api, delivery\\n",
                                    "from last9_markers.client import api, delivery, transport\\nfrom last9_markers.runner import send_marker, serve\\n"))
    edit(T / "test_troubleshooting.py", ('"last9_markers" / "wording"', '"last9_markers" / "messages"'), ("of wording/", "of messages/"),
         ('    "commandline": {', '    "cli": {'), ('    "log": {', '    "progress": {'),
         ('    # the words of the page\n    "report": {"OUTCOMES", "FATES", "KINDS", "written", "lies_at", "headline"},', '    "report": {"written", "lies_at"},'),
         ('"inputs.unknown_option"', '"options.unknown_option"'), ('"log.INTERRUPTED"', '"progress.INTERRUPTED"'), ("_wording()", "_messages()"))
    edit(T / "test_docs.py", ('"last9_markers" / "attributes"', '"last9_markers" / "marker" / "attributes"'))
    edit(T / "shell/test_window_aborts.py")
    edit("tests/bundle/test_cache.py", ('"last9_markers" / "cli.py"', '"last9_markers" / "cli" / "main.py"'))
    edit(PKG / "cli.py", ('importlib.import_module(f"last9_markers.commands.{command}")',
                          'importlib.import_module(f"last9_markers.commands.{command}")'))
    edit(T / "report/test_errand.py", ("last9_markers.marker, last9_markers.commands.step;", "last9_markers.marker, last9_markers.commands.step;"))
    for path in ("python/last9_markers/report/__init__.py",):
        edit(path, ("``errand``", "``handler``"))
    (PKG / "commandline/__init__.py").write_text('''"""What every command of ``last9-markers`` but ``step`` has in common.

:mod:`.options` is the table of options, :mod:`.parsing` reads arguments by it, :mod:`.invocation` makes a request and its context of them,
:mod:`.connection` settles where a marker goes, :mod:`.state` and :mod:`.state_entry` keep what is open and undelivered,
:mod:`.exit_codes` says what each exit code means. ``step`` loads nothing of this: it runs before and after every deploy.
"""
''')
    (PKG / "shell/__init__.py").write_text('''"""``window``: a deployment window around one command of a shell.

:mod:`.window` is the window itself, :mod:`.command` the command, :mod:`.delivery_process` the process that delivers a marker,
:mod:`.signals` what comes from outside meanwhile. While the command runs, nothing of the HTTP client is loaded and nothing is polled.
"""
''')

    # -- the command -------------------------------------------------------------------------------------------------------------
    edit(PKG / "cli.py", ('.commands.{command}")', ".commands.{command.replace('-', '_')}\")"), ("{name:<8}", "{name:<11}"))
    for name in tracked("*.py", "*.md", "*.java", "*.groovy", "Makefile"):
        if name.startswith("CHANGELOG"):
            continue
        text = Path(name).read_text()
        new = re.sub(r'"standin"', '"fake-server"', text)
        new = new.replace("LAST9_STANDIN_", "LAST9_FAKE_SERVER_").replace("last9_standin_refresh", "last9_fake_server_refresh")
        new = new.replace("last9-markers standin", "last9-markers fake-server").replace("last9-markers.pyz standin", "last9-markers.pyz fake-server")
        new = re.sub(r"`standin( --[a-z]+)?`", r"`fake-server\1`", new).replace("``standin``", "``fake-server``").replace("name=\"last9-standin\"", "name=\"last9-fake-server\"")
        if new != text:
            Path(name).write_text(new)
    # -- texts -------------------------------------------------------------------------------------------------------------------
    for name in tracked("*.py"):
        text = Path(name).read_text()
        new = rewrite(name, text) if P in text else text
        if new != text:
            Path(name).write_text(new)
    for path, text in extra.items():
        extra[path] = rewrite(str(path), text)
    for name in tracked("*.md", "*.toml", "Makefile", "*.java", "*.txt", "*.json"):
        if name.startswith(("CHANGELOG", "THIRD-PARTY", "tests/pipeline/recordings")):
            continue
        text = Path(name).read_text()
        new = dotted_text(text)
        if name.endswith(".md"):
            new = re.sub(r"`(commands|commandline|shell|attributes|wording|standin)/(\w+)\.py`", lambda m: "`" + mapped(f"{m[1]}.{m[2]}").replace(".", "/") + ".py`", new)
            new = re.sub(r"`(attributes|wording|standin|commandline|shell|commands)/`", lambda m: "`" + M[m[1]].replace(".", "/") + "/`", new)
            new = re.sub(r"`(\w+)\.py`", lambda m: "`" + M[m[1]].replace(".", "/") + ".py`" if m[1] in M and m[1] not in ("check", "report") else m[0], new)
        if new != text:
            Path(name).write_text(new)
    # -- tests' own places -------------------------------------------------------------------------------------------------------
    for old, new in TESTS.items():
        path = Path("tests/python") / old
        if not path.exists():
            continue
        deeper = new.count("/") - old.count("/")
        text = path.read_text()
        text = re.sub(r"(__file__\)(?:\.resolve\(\))?\.parents\[)(\d)", lambda m: m[1] + str(int(m[2]) + deeper), text)
        text = text.replace('Path(__file__).parent / "certificates"', f'Path(__file__).parents[{deeper}] / "certificates"')
        text = text.replace("from attributes.repositories import", "from repositories import")
        path.write_text(text)
    for name in tracked("*.py", "*.md", "Makefile", "*.java", "*.toml"):
        text = Path(name).read_text()
        new = re.sub(r"tests/python/([\w/]+\.py)", lambda m: "tests/python/" + TESTS.get(m[1], m[1]), text)
        if new != text:
            Path(name).write_text(new)
    # -- moves -------------------------------------------------------------------------------------------------------------------
    mv(PKG / "commands/step.py", PKG / "runner/serve.py")
    order = sorted((k for k in M if M[k] != k), key=lambda k: -k.count("."))
    for key in ("cli", "marker"):  # a module whose name a package takes
        order.remove(key)
        order.insert(0, key)
    for key in order:
        mv(PKG / (key.replace(".", "/") + ".py"), PKG / (M[key].replace(".", "/") + ".py"))
    for key in order:
        folder = PKG / key.replace(".", "/")
        if folder.is_dir() and key in ("commands", "shell", "commandline", "standin", "attributes", "wording"):
            for f in tracked(str(folder)):
                mv(f, PKG / M[key].replace(".", "/") / os.path.relpath(f, folder))
    for path, text in extra.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for room, words in INITS.items():
        path = PKG / room / "__init__.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'"""{words}"""\n')
    for old, new in TESTS.items():
        mv(Path("tests/python") / old, Path("tests/python") / new)
    subprocess.run(["git", "add", "-A", "python", "tests/python"], check=True)
    subprocess.run("find python tests/python -name __pycache__ -prune -exec rm -rf {} +; find python tests/python -type d -empty -delete", shell=True)


def tidy():
    subprocess.run([".venv/bin/ruff", "check", "-q", "--fix", "--select", "I,F401", "python/last9_markers", "tests/python", "tools", "tests/bundle"])
    subprocess.run([".venv/bin/ruff", "format", "-q", "."])


if __name__ == "__main__":
    if sys.argv[1] == "rooms":
        rooms()
    else:
        sys.path.insert(0, str(Path(__file__).parent))
        import names
        names.run(NOTES)
    tidy()
    print("\n".join(NOTES))
