"""Connecting as RFC 8305 has it: what dead, refusing and late addresses cost, over real sockets and a network of the test's own."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpcore
import pytest
from last9_markers.client.happy_eyeballs import DELAY_SECONDS, Address, NotConnected, Race, RacingBackend, interleaved
from last9_markers.client.transport import map_exception
from last9_markers.core.errors import NetworkError
from last9_markers.fake_server import FakeLast9
from support import MINIMAL_ENV, ROOT, ManualClock, field, make_request, patience, run_marker

#: One name in the tests' own resolver.
NAME = "racing.test"


@contextlib.contextmanager
def _silent_port(host: str = "127.0.0.2") -> Iterator[int]:
    """A port that swallows every attempt: its queue is full and no one accepts, so that the kernel drops what comes."""
    with socket.create_server((host, 0), backlog=0) as listener, contextlib.ExitStack() as fillers:
        address = listener.getsockname()[:2]
        for _ in range(16):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(address)
        yield address[1]


def _address(host: str, port: int) -> Address:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return Address(family, 0, (host, port))


def _resolves_to(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> None:
    """Let the name of the tests resolve to these; the system's own resolver has one port for all."""
    real = socket.getaddrinfo

    def found(host: str, *rest: object, **named: object) -> object:
        if host != NAME:
            return real(host, *rest, **named)  # type: ignore[arg-type]
        return [(_address(*each).family, socket.SOCK_STREAM, 0, "", each) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", found)


def test_a_silent_address_is_overtaken_after_the_delay() -> None:
    """The next address is tried beside a silent one, a quarter of a second later and not earlier; the silent one is named."""
    with _silent_port() as silent, socket.create_server(("127.0.0.1", 0)) as server:
        race = Race(NAME, [_address("127.0.0.2", silent), _address("127.0.0.1", server.getsockname()[1])], 30)
        began = time.monotonic()
        with race.run() as connected:
            took = time.monotonic() - began
            assert connected.getpeername() == server.getsockname()
    assert DELAY_SECONDS <= took < DELAY_SECONDS + patience()
    assert race.overtaken == ["127.0.0.2"]


def test_an_address_that_is_late_may_still_win() -> None:
    """An address that was overtaken by the clock is not given up: where the others refuse, it is waited for."""
    with socket.create_server(("127.0.0.2", 0), backlog=0) as late, contextlib.ExitStack() as fillers:
        for _ in range(16):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(late.getsockname())

        def make_room() -> None:
            fillers.close()
            late.accept()[0].close()

        # The kernel dropped the first attempt by then, and takes the one that it makes a second later by itself.
        timer = threading.Timer(2 * DELAY_SECONDS, make_room)
        timer.start()
        race = Race(NAME, [_server_address(late), _address("127.0.0.1", 1)], 60)
        with race.run() as connected:
            assert connected.getpeername() == late.getsockname()
        timer.join()
        assert isinstance(race._outcomes["127.0.0.1"], ConnectionRefusedError)


def test_silence_is_told_where_the_others_refuse() -> None:
    """A refusal does not hide that another address was silent until the time was over."""
    with _silent_port() as silent, pytest.raises(NotConnected) as lost:
        Race(NAME, [_address("127.0.0.2", silent), _address("127.0.0.1", 1)], 0.8).run()
    assert lost.value.outcomes["127.0.0.2"] is None
    assert isinstance(lost.value.outcomes["127.0.0.1"], ConnectionRefusedError)
    assert lost.value.timed_out


def test_a_refusal_lets_the_next_begin_at_once() -> None:
    """No delay is spent on an address that has said no, be it twenty of them."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        refusing = [_address(f"127.0.0.{last}", 1) for last in range(2, 22)]
        race = Race(NAME, [*refusing, _address("127.0.0.1", server.getsockname()[1])], 60)
        began = time.monotonic()
        race.run().close()
        assert time.monotonic() - began < 20 * DELAY_SECONDS
    assert race.overtaken == []


def test_a_family_that_this_machine_does_not_have_is_passed_over() -> None:
    """No route, or no IPv6 at all, is an error of that address alone."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        race = Race(
            NAME, [Address(socket.AF_INET6, 0, ("2001:db8::1", 9)), Address(12345, 0, ("nonsense", 9)), _server_address(server)], 30
        )
        race.run().close()


def _server_address(server: socket.socket) -> Address:
    return _address(*server.getsockname()[:2])


def test_nobody_is_left_connected() -> None:
    """The slower connection is closed: no server keeps an unused one."""
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second, _silent_port() as silent:
        race = Race(NAME, [_address("127.0.0.2", silent), _server_address(first), _server_address(second)], 30)
        race.run().close()
        assert not race._selector.get_map()
        second.settimeout(0.2)
        with pytest.raises(socket.timeout):
            second.accept()


def test_all_silent_costs_the_timeout_and_no_more() -> None:
    """The time limit holds over all addresses, and each that was silent is named."""
    with _silent_port("127.0.0.2") as one, _silent_port("127.0.0.3") as two:
        race = Race(NAME, [_address("127.0.0.2", one), _address("127.0.0.3", two)], 0.6)
        began = time.monotonic()
        with pytest.raises(NotConnected) as lost:
            race.run()
        took = time.monotonic() - began
    assert 0.6 <= took < 0.6 + patience()
    assert lost.value.outcomes == {"127.0.0.2": None, "127.0.0.3": None}


def test_families_take_turns() -> None:
    """Two dead IPv6 addresses do not stand before the first IPv4 one (RFC 8305, section 4), and none is tried twice."""
    six = [Address(socket.AF_INET6, 6, (f"fd00::{last}", 443, 0, 0)) for last in range(3)]
    four = [Address(socket.AF_INET, 6, (f"10.0.0.{last}", 443)) for last in range(2)]
    assert [each.text for each in interleaved([*six, *four, six[0]])] == ["fd00::0", "10.0.0.0", "fd00::1", "10.0.0.1", "fd00::2"]
    assert interleaved([]) == []


def test_a_silent_address_goes_last_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second connection of a marker does not pay for the same dead address again."""
    with _silent_port() as silent, socket.create_server(("127.0.0.1", 0)) as server:
        _resolves_to(monkeypatch, ("127.0.0.2", silent), ("127.0.0.1", server.getsockname()[1]))
        backend = RacingBackend()
        begun: list[str] = []
        begin = Race._begin
        monkeypatch.setattr(Race, "_begin", lambda race, address: begun.append(address.text) or begin(race, address))
        for _ in range(2):
            backend.connect_tcp(NAME, 443, 30).close()
    assert begun == ["127.0.0.2", "127.0.0.1", "127.0.0.1"]
    assert backend.silent == ["127.0.0.2"]


def test_what_httpcore_gets_is_a_connection_like_its_own(last9: FakeLast9) -> None:
    """Small writes go out at once, options are set, and reading has its time limit."""
    backend = RacingBackend()
    port = int(last9.url.rpartition(":")[2])
    stream = backend.connect_tcp("127.0.0.1", port, 30, socket_options=[(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)])
    connected = stream.get_extra_info("socket")
    assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    with pytest.raises(httpcore.ReadTimeout):
        stream.read(1, timeout=0.05)
    stream.close()


@pytest.mark.parametrize(
    ("outcomes", "kind", "detail"),
    [
        ({"10.0.0.1": None}, "connecting", "no answer from 10.0.0.1"),
        ({"10.0.0.1": None, "::1": ConnectionRefusedError(111, "Connection refused")}, "connecting", None),
        ({"10.0.0.1": ConnectionRefusedError(111, "Connection refused")}, "refused", "10.0.0.1: Connection refused"),
        ({"::1": OSError(101, "Network is unreachable")}, "unreachable", "::1: Network is unreachable"),
        (
            {"::1": OSError(101, "Network is unreachable"), "10.0.0.1": ConnectionRefusedError(111, "Connection refused")},
            "refused",
            "::1: Network is unreachable; 10.0.0.1: Connection refused",
        ),
    ],
)
def test_who_was_tried_is_told(outcomes: dict[str, OSError | None], kind: str, detail: str | None) -> None:
    """The failure says what each address did: silence counts more than a refusal, which counts more than a missing route."""
    failure = map_exception(NotConnected(NAME, outcomes))
    assert isinstance(failure, NetworkError)
    assert failure.kind == kind
    assert failure.detail == (detail or "no answer from 10.0.0.1; ::1: Connection refused")


def test_a_marker_whose_addresses_are_silent_names_them(monkeypatch: pytest.MonkeyPatch, clock: ManualClock) -> None:
    """What a firewall drops is reported with the address, which is what its administrator asks for."""
    monkeypatch.setattr("last9_markers.core.clock.Budget.attempt_timeout", lambda _: 0.4)
    with _silent_port("127.0.0.2") as one, _silent_port("127.0.0.3") as two:
        _resolves_to(monkeypatch, ("127.0.0.2", one), ("127.0.0.3", two))
        request = make_request(connection={"orgSlug": field("acme"), "apiBaseUrl": field(f"https://{NAME}")})
        ran = run_marker(request, "some-refresh-token", clock=clock)
    (warning,) = ran.answer.warnings
    assert f"{NAME} did not accept a connection in time (no answer from 127.0.0.2, 127.0.0.3). Check whether a firewall" in warning
    assert ran.answer.pending


def test_the_proxys_addresses_are_raced_and_named_too(monkeypatch: pytest.MonkeyPatch, clock: ManualClock) -> None:
    """With a proxy, the silent address is the proxy's, and HTTPS_PROXY is the setting to check."""
    monkeypatch.setattr("last9_markers.core.clock.Budget.attempt_timeout", lambda _: 0.3)
    with _silent_port() as silent:
        _resolves_to(monkeypatch, ("127.0.0.2", silent))
        request = make_request(connection={"orgSlug": field("acme"), "apiBaseUrl": field("https://app.last9.io")})
        ran = run_marker(request, "some-refresh-token", clock=clock, environ={"HTTPS_PROXY": f"http://{NAME}:3128"})
    (warning,) = ran.answer.warnings
    assert f"the proxy {NAME}:3128 did not accept a connection in time (no answer from 127.0.0.2). Check HTTPS_PROXY" in warning


# -- a network of our own ------------------------------------------------------------------------------------------------------

_HAS_NETWORKS = (
    sys.platform == "linux"
    and shutil.which("ip") is not None
    and shutil.which("unshare") is not None
    and subprocess.run(["unshare", "-m", "-n", "true"], capture_output=True, check=False).returncode == 0
)

#: Neighbours that are said to be there and are not: packets to them vanish, as they do on a host with a dead IPv6 route.
_NETWORK = """
set -e
ip link set lo up
ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up
until ip -6 addr add 2001:db8::2/64 dev v0 nodad 2>/dev/null; do sleep 0.05; done
for n in $(seq 1 "$1"); do
    ip -6 neigh replace "2001:db8::9$n" lladdr 02:00:00:00:00:99 dev v0 nud permanent
    echo "2001:db8::9$n localhost"
done > "$2/hosts"
echo "127.0.0.1 localhost" >> "$2/hosts"
mount --bind "$2/hosts" /etc/hosts
shift 2
exec "$@"
"""

#: A fake Last9 within that network, and commands that reach it by a name.
_COMMANDS = """
import sys
from pathlib import Path
from last9_markers.fake_server import FakeLast9
from support import SEND, engine
with FakeLast9() as last9:
    environ = {
        "LAST9_REFRESH_TOKEN": last9.refresh_token,
        "LAST9_API_BASE_URL": last9.url.replace("127.0.0.1", "localhost"),
        "LAST9_ORG_SLUG": "acme",
    }
    for command in (SEND, ["check", "--send-test-event"]):
        done = engine(command, environ=environ, cwd=Path(sys.argv[1]))
        print(done.code, round(done.seconds, 2))
        print(done.stdout + done.stderr)
    print(len(last9.received()), "received")
"""


@pytest.mark.skipif(not _HAS_NETWORKS, reason="needs root and network namespaces of Linux; the tests above are for everybody")
@pytest.mark.parametrize("dead", [1, 2])
def test_dead_ipv6_addresses_cost_no_marker(dead: int, tmp_path: Path) -> None:
    """On a host whose IPv6 leads nowhere a marker is late by the delay and arrives, and the connection test names the addresses."""
    paths = ":".join([str(ROOT / "python"), str(ROOT / "tests" / "python"), *filter(None, sys.path)])
    done = subprocess.run(
        ["unshare", "-m", "-n", "sh", "-c", _NETWORK, "sh", str(dead), str(tmp_path), sys.executable, "-c", _COMMANDS, str(tmp_path)],
        env={**MINIMAL_ENV, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "2 received" in done.stdout, done.stdout
    code, seconds = done.stdout.split()[:2]
    assert code == "0"
    assert DELAY_SECONDS < float(seconds) < DELAY_SECONDS + 1 + patience()
    assert "no answer in time from 2001:db8::91, so another address was used" in done.stdout
