"""The renames of identifiers, after the rooms."""
import re, subprocess, tokenize
from pathlib import Path

NOTES = []
#: Everywhere in Python, prose included, and in the documents.
TEXT = {
    "ERRANDS": "HANDLERS", "NotDelivered": "DeliveryError", "CannotSend": "ConfigurationError", "NetworkFailure": "NetworkError",
    "ServerFailure": "ServerError", "BudgetSpent": "DeadlineExceeded", "ScopeTooLow": "InsufficientScope",
    "BrokenAnswer": "InvalidTokenResponse", "EventRefused": "EventRejected", "ShellJournal": "CliLog", "Overheard": "CapturedLog",
    "Circumstances": "FailureContext", "Outgoing": "OutboxEntry", "TokenOffice": "TokenIssuer", "PAUSES": "BACKOFF",
    "CROWDED_PAUSES": "RATE_LIMIT_BACKOFF", "CROWDED_PAUSE_THEN": "RATE_LIMIT_BACKOFF_THEN", "CROWDED_SPREAD": "RATE_LIMIT_JITTER",
    "NOT_SETTABLE": "RESERVED", "_persistently": "_with_retries", "last_word": "on_timeout", "_last_word": "_on_timeout",
    "call_off": "cancel", "_called_off": "_cancelled", "held_back_by": "skipped_by", "_Happened": "_RecordedMarker",
    "_end_at_once": "_exit_fast", "_AT_ONCE": "_EXIT_FAST", "HandClock": "ManualClock", "Stepped": "StepResult", "run_errand": "run_marker",
    "broken_off": "abort", "messenger_silent": "delivery_process_silent", "messenger_failed": "delivery_process_failed",
    "_circumstances": "_failure_context", "write_down": "save", "_write_down_hastily": "_save_hastily", "give_back": "restore",
    "hurry": "hurry", "_because": "_explain", "_verdict": "_decision",
}
#: As names in Python code, in docstrings between backticks.
TOKENS = {
    "Journal": "BuildLog", "Surroundings": "Context", "Workspace": "GitCheckout", "Meant": "Recipient", "Mouth": "AnswerWriter",
    "Messenger": "DeliveryProcess", "Delivering": "MarkerDelivery", "Arrival": "ReceivedSignal", "Greeting": "ProbeResult",
    "Reply": "Response", "Roots": "TrustStore", "Verdict": "Decision", "Story": "ReportData", "_Numbers": "RowNumbers",
    "Ran": "RunResult", "BARE": "MINIMAL_ENV", "StandIn": "FakeLast9", "standin": "fake_last9", "around": "context", "_around": "_context",
    "errand": "handler", "_errand": "_handler", "meant": "recipient", "_meant": "_recipient", "outgoing": "entry", "greet": "probe",
    "_greet": "_probe", "office": "issuer", "messenger": "delivery_process", "take_over": "block_signals", "judge": "decide", "greeting": "probe_result", "overheard": "captured",
    "Bench": "TestBench",
}
TOKENS.pop("Bench")
TEXT.pop("hurry")
E = "python/last9_markers/"
#: In some files only: {old: (new, files)}; a file is a path's beginning.
SOME = [
    ("Errand", "MarkerHandler", [E + "runner/send_marker.py", E + "cli/commands/", "tests/python/support.py", "tests/python/runner/",
                                 "tests/python/marker/", "tests/bundle/test_endurance.py"]),
    ("Errand", "ReportHandler", [E + "report/handler.py", "tests/python/report/"]),
    ("Errand", "RequestHandler", [E + "runner/serve.py"]),
    ("mouth", "writer", [E + "runner/serve.py"]), ("give", "write_once", [E + "runner/serve.py"]), ("_given", "_written", [E + "runner/serve.py"]),
    ("Lines", "FindingsLog", [E + "cli/commands/check.py"]), ("lines", "findings_log", [E + "cli/commands/check.py"]),
    ("Program", "SelfProgram", [E + "cli/window/"]), ("Marker", "MarkerResult", [E + "cli/window/"]),
    ("Connection", "HttpConnection", [E + "client/", E + "runner/", E + "check/"]),
    ("Connection", "ConnectionSettings", [E + "cli/shared/", "tests/python/cli/shared/"]),
    ("Entry", "StateEntry", [E + "cli/"]),
    ("deaf", "ignore_signals", [E + "cli/window/"]), ("hurry", "start_deadline", [E + "cli/window/"]), ("patience", "remaining", [E + "cli/window/"]),
    ("_delivering", "_delivery", [E + "cli/window/"]), ("delivering", "delivery", [E + "cli/window/"]),
    ("mapped", "map_exception", [E + "client/transport.py", "tests/python/core/test_redaction.py"]),
    ("_told", "_logged_attempt", [E + "client/transport.py"]),
    ("about", "context", [E + "messages/failures.py"]), ("because", "explain", [E]),
    ("spellings", "name_variants", [E + "marker/"]),
    ("arrival", "received", [E + "cli/window/"]), ("_arrived", "_received", [E + "cli/window/"]),
    ("workspace", "checkout", [E + "runner/", E + "marker/attributes/", E + "check/connection_test.py"]),
    ("_workspace", "_checkout", [E + "runner/", E + "marker/attributes/", E + "check/connection_test.py"]),
]


def run(notes):
    import sys
    move = sys.modules["__main__"]
    prev, nxt = move.prev, move.nxt
    files = [f for f in move.tracked("*.py")]
    for name in files:
        if name.startswith("python/bundle"):
            continue
        text = before = Path(name).read_text()
        used = {t.string for t in move.flat(text) if t.type == tokenize.NAME}
        mine = dict(TOKENS)
        if name.startswith("tools/"):
            mine = {k: v for k, v in mine.items() if k not in ("StandIn", "standin", "BARE")}
        for old, new, places in SOME:
            if any(name.startswith(p) for p in places):
                mine[old] = new
        if "log" in used and "journal" in used and name.startswith("tests/"):
            mine["journal"] = "build_log"
        else:
            mine["journal"] = "log"
        mine["_journal"] = "_log"
        if name.startswith("tests/"):
            for old in [o for o in mine if o.islower() and re.search(rf'"(?:[\w]+, ?)*{o}(?:, ?\w+)*"', text)]:
                mine.pop(old)
        show = "output import show" in text or name.endswith("cli/shared/output.py")
        for old, new in mine.items():
            if old in used and new in used:
                notes.append(f"{name}: {old} -> {new}: there is a {new} already")

        def decide(tokens, i):
            s, p, n = tokens[i].string, prev(tokens, i), nxt(tokens, i)
            if s == "journal" and p == ".":
                return "log"
            if s == "surroundings":
                return "context" if name.startswith(E) or p == "." else None
            if s == "say" and p in (".", "def"):
                return "info"
            if s == "warn" and p in (".", "def"):
                if p == "." and tokens[i - 2].string in ("findings", "_findings") or name.endswith("check/findings.py"):
                    return None
                return "warning"
            if s == "show" and show and p not in (".",):
                return "write_line"
            if s == "words" and name.endswith("delivery_process.py") and n == "(":
                return "command"
            if s == "attempt" and (p == "." and tokens[i - 2].string in ("budget", "_budget") or name.endswith("core/clock.py")) and n == "(":
                return "attempt_timeout"
            if s == "again" and (p == "def" or p == "." and tokens[i - 2].string == "retry"):
                return "retry_call"
            if s == "tell" and name.endswith("client/retry.py"):
                return "on_backoff"
            if s in ("Response", "Reply") and p == "." and tokens[i - 2].string == "httpx":
                return None
            if s == "Connection" and p == "." and tokens[i - 2].string not in ("transport",):
                return None
            if s == "Errand" and p == "." and tokens[i - 2].string == "handler":
                return "ReportHandler"
            if s == "around" and name.startswith("tests/bundle"):
                return None
            return mine.get(s)

        text = move.rename_tokens(text, decide)
        # the same between backticks and in references
        for old, new in mine.items():
            if old[0].isupper() or old in ("greet", "judge"):
                text = re.sub(rf"(`[~\w.]*?)\b{old}\b(?=[`.])", rf"\1{new}", text)
        for old, new in TEXT.items():
            text = re.sub(rf"\b{old}\b", new, text)
        text = re.sub(r"\bexits\.([A-Z]\w*)`", r"exit_codes.\1`", text)
        text = re.sub(r"(def test_\w*?)standin", r"\1fake_server", text)
        text = re.sub(r"(def test_\w*?)broken_off", r"\1abort", text)
        text = text.replace("send_marker.Workspace", "send_marker.GitCheckout").replace("library's ``ConnectionSettings``", "library's ``Connection``")
        if name.endswith("core/errors.py"):
            text = re.sub(r"^((?: +(?:│   )?)[├└]── \w+) +(?=\S)", lambda m: m[1].ljust(40), text, flags=re.MULTILINE)
            text = re.sub(r"^( +│ +[├└]── \w+) +(?=\S)", lambda m: m[1].ljust(40), text, flags=re.MULTILINE)
        text = text.replace('__all__ = ["StandIn"]', '__all__ = ["FakeLast9"]')
        text = text.replace("Raises a :exc:`~last9_markers.core.errors.DeliveryError`.", "Raises :exc:`DeliveryError`.")
        if name.endswith("messages/failures.py"):
            text = re.sub(r"\babout\.(?=[a-z_]+\b)", "context.", text)
        if name == E + "runner/serve.py":
            text = text.replace('report.handler", "Errand")', 'report.handler", "ReportHandler")')
            text = text.replace('runner.send_marker", "Errand")', 'runner.send_marker", "MarkerHandler")').replace("send_marker.RequestHandler`", "send_marker.MarkerHandler`")
        if name.endswith("test_troubleshooting.py"):
            text = text.replace('"failures": {"because"}', '"failures": {"explain"}').replace("failures._scope_too_low", "failures._scope_too_low")
        if name.endswith("test_window_markers.py"):
            text = re.sub(r'(marker_delivery|delivery_process)\.(Delivering|Messenger)\.', lambda m: f"{m[1]}.{TOKENS[m[2]]}.", text)
        if not re.search(r"lean_httpx|templating|contents\.py|test_build", name):
            text = re.sub(r"(?<!\w)stand-in(?!@)(\s+)(?:for\s+)?Last9", r"fake\1Last9", text)
            text = re.sub(r"(?<!\w)stand-in(?!@)\b", "fake Last9", text)
        text = re.sub(r"\b(an?|the) errand\b", lambda m: ("a" if m[1] in ("a", "an") else "the") + " handler", text)
        if text != before:
            Path(name).write_text(text)
    for name in move.tracked("*.md", "Makefile"):
        if name.startswith("CHANGELOG"):
            continue
        text = before = Path(name).read_text()
        for old, new in TEXT.items():
            if old[0].isupper():
                text = re.sub(rf"\b{old}\b", new, text)
        if "8-httpx" not in name and "performance" not in name:
            text = re.sub(r"(?<!\w)stand-in(\s+)(?:for\s+)?Last9", r"fake\1Last9", text)
            text = re.sub(r"(?<!\w)stand-in\b(?!s)", "fake Last9", text)
        else:
            text = re.sub(r"(?<!\w)stand-in(\s+)(?:for\s+)?Last9", r"fake\1Last9", text)
        if text != before:
            Path(name).write_text(text)
