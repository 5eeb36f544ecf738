"""`serve` as its users meet it: a process, a configuration file, signals and scrapes."""

import asyncio
import json
import re
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from itertools import pairwise
from pathlib import Path

import pytest

from sms_credit_exporter.simulator.behaviour import Act, NoAnswer
from sms_credit_exporter.simulator.server import Simulator
from tests.exporter.running import LISTEN, Providers, Running, command, until

Start = Callable[..., AbstractAsyncContextManager[Running]]
ConfigFile = Callable[..., Path]

LIFECYCLE = "--web.enable-lifecycle"

OF_A = 'account="a",provider="23telecom"'
OF_B = 'account="b",provider="iletimerkezi"'
BALANCE_OF_A = 'sms_credit_balance{account="a",currency="EUR",provider="23telecom"} 1250.5'
BALANCE_OF_B = 'sms_credit_balance{account="b",currency="TRY",provider="iletimerkezi"} 10.584'


def status_of_a(status: str) -> str:
    """Return the sample that says that account a has this status."""
    return f'sms_credit_status{{{OF_A},status="{status}"}} 1.0'


async def test_scrapes_call_no_provider(start: Start, config_file: ConfigFile, providers: Providers) -> None:
    """A hundred scrapes and page views are answered from memory."""
    account = providers.add("23telecom")
    file = config_file(providers.configured("a", account, poll_interval="5m"))

    async with start("serve", f"--config.file={file}", LISTEN) as exporter:
        await exporter.shows(BALANCE_OF_A)
        await asyncio.gather(*(exporter.get(path) for path in ("/metrics", "/") * 50))

        assert len(account.requests) == 1


@pytest.mark.parametrize(
    ("answer", "status", "held"),
    [
        pytest.param("error_ip_not_allowed", "access_denied", True, id="refused for its address"),
        pytest.param("error_invalid_api_key", "auth_failed", True, id="refused for its key"),
        pytest.param("balance_as_text", "invalid_response", True, id="malformed"),
        pytest.param("unavailable_cache_disabled", "unavailable", True, id="degraded, with a zero in the answer"),
        pytest.param("onboarding", "onboarding", False, id="onboarding"),
        pytest.param(NoAnswer.SILENT, "unreachable", True, id="silent"),
        pytest.param(NoAnswer.CUT, "unreachable", True, id="cut off"),
    ],
)
async def test_a_bad_account_shows_no_wrong_number_and_disturbs_no_other(  # noqa: PLR0913 - three rows, three fixtures
    start: Start, config_file: ConfigFile, providers: Providers, answer: str | Act, status: str, *, held: bool
) -> None:
    """The bad account keeps its last number or shows none, the good one its numbers and rhythm; then it recovers."""
    bad, good = providers.add("23telecom"), providers.add("iletimerkezi")
    file = config_file(providers.configured("a", bad, timeout="200ms"), providers.configured("b", good))

    async with start("serve", f"--config.file={file}", LISTEN) as exporter:
        await exporter.shows(BALANCE_OF_A, BALANCE_OF_B)
        bad.answer_with(answer)
        await exporter.shows(status_of_a(status), BALANCE_OF_B, f"sms_credit_up{{{OF_B}}} 1.0")
        balances = [line for line in await exporter.metrics() if line.startswith("sms_credit_balance")]
        assert balances == [BALANCE_OF_A, BALANCE_OF_B][not held :]

        bad.answer_with("healthy")
        await exporter.shows(status_of_a("fresh"), BALANCE_OF_A)
        assert not exporter.matching(r"account=b .*was=fresh")


async def test_held_values_end_when_they_are_stale(start: Start, config_file: ConfigFile, providers: Providers) -> None:
    """After stale_after without a reading there is no number any more, while the health series go on."""
    account = providers.add("23telecom")
    file = config_file(providers.configured("a", account), stale_after="2s")

    async with start("serve", f"--config.file={file}", LISTEN) as exporter:
        await exporter.shows(BALANCE_OF_A)
        account.answer_with(NoAnswer.CUT)
        await exporter.lacks(
            "sms_credit_balance", "sms_credit_blocked", "sms_credit_provider_updated_timestamp_seconds"
        )
        await exporter.shows(status_of_a("unreachable"), f"sms_credit_up{{{OF_A}}} 0.0")

        account.answer_with("healthy")
        await exporter.shows(BALANCE_OF_A)


async def test_a_provider_that_is_down_at_the_start(start: Start, config_file: ConfigFile) -> None:
    """The exporter starts all the same, says what is the matter, and recovers by itself."""
    simulator = Simulator()
    account = simulator.add("23telecom")
    async with simulator.serving() as base_urls:
        down = Providers(simulator, base_urls)  # from here on, once the block ends
    file = config_file(down.configured("a", account))
    port = int(base_urls["23telecom"].split(":")[2].split("/")[0])

    async with start("serve", f"--config.file={file}", LISTEN) as exporter:
        await exporter.logged(r'account=a .*status=unreachable was=pending reason="No connection to the provider')
        await exporter.shows(status_of_a("unreachable"), f"sms_credit_last_reading_timestamp_seconds{{{OF_A}}} 0.0")
        assert (await exporter.get("/-/ready")).status_code == 200

        async with simulator.serving(port=port):
            await exporter.shows(status_of_a("fresh"), BALANCE_OF_A)


async def test_ready_means_polled_once(start: Start, config_file: ConfigFile, providers: Providers) -> None:
    """Until every account has been polled the exporter is healthy but not ready; a failure is a poll too."""
    account = providers.add("23telecom", NoAnswer.SILENT)
    file = config_file(providers.configured("a", account, timeout="2s"))

    async with start("serve", f"--config.file={file}", LISTEN) as exporter:
        assert (await exporter.get("/-/ready")).status_code == 503
        assert (await exporter.get("/-/healthy")).status_code == 200
        await exporter.shows(status_of_a("pending"), f"sms_credit_last_poll_timestamp_seconds{{{OF_A}}} 0.0")

        await exporter.shows(status_of_a("unreachable"))
        assert (await exporter.get("/-/ready")).status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly(
    start: Start, config_file: ConfigFile, providers: Providers, number: signal.Signals
) -> None:
    """It ends with 0 and soon, with a poll under way and a client that holds its connection open."""
    account = providers.add("23telecom", NoAnswer.SILENT)
    file = config_file(providers.configured("a", account, timeout="30s"))

    async with start("serve", f"--config.file={file}", LISTEN) as exporter:
        await exporter.metrics()
        begun = asyncio.get_running_loop().time()
        exporter.process.send_signal(number)

        assert await exporter.exit_code() == 0
        assert asyncio.get_running_loop().time() - begun < 8
        assert exporter.matching("event=stopping")


async def by_post(exporter: Running) -> int:
    """Reload as curl does."""
    return (await exporter.http.post(exporter.urls[0] + "/-/reload")).status_code


async def by_put(exporter: Running) -> None:
    """Reload as Prometheus' documentation allows too."""
    assert (await exporter.http.put(exporter.urls[0] + "/-/reload")).status_code == 200


async def by_signal(exporter: Running) -> None:
    """Reload as systemd does."""
    exporter.process.send_signal(signal.SIGHUP)


@pytest.mark.parametrize("command", ["serve", "demo"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_request_reloads_nothing_unless_that_is_enabled(
    start: Start, config_file: ConfigFile, providers: Providers, command: str, method: str
) -> None:
    """A page in anybody's browser could send one; the status and the words are Prometheus' own."""
    file = config_file(providers.configured("a", providers.add("23telecom")))
    arguments = {"serve": [f"--config.file={file}"], "demo": []}[command]

    async with start(command, *arguments, LISTEN) as exporter:
        answer = await exporter.http.request(method, exporter.urls[0] + "/-/reload", data={"made": "up"})
        assert (answer.status_code, answer.text) == (403, "Lifecycle API is not enabled.\n")
        assert (await exporter.get("/-/reload")).status_code == 405
        assert not exporter.matching("reloaded")

        exporter.process.send_signal(signal.SIGHUP)
        await exporter.logged("configuration reloaded")


@pytest.mark.parametrize("reload", [by_post, by_put, by_signal])
async def test_reloading_takes_over_what_changed_and_nothing_else(
    start: Start, config_file: ConfigFile, providers: Providers, reload: Callable[[Running], Awaitable[object]]
) -> None:
    """New accounts come, removed ones and their series go, and an unchanged one is not polled for it."""
    same, removed, new = providers.add("23telecom"), providers.add("iletimerkezi"), providers.add("iletimerkezi")
    slow = {"poll_interval": "5m"}
    file = config_file(providers.configured("a", same, **slow), providers.configured("old", removed, **slow))

    async with start("serve", f"--config.file={file}", LISTEN, LIFECYCLE) as exporter:
        await exporter.shows(BALANCE_OF_A, BALANCE_OF_B.replace('"b"', '"old"'))
        config_file(providers.configured("a", same, low_balance=60, **slow), providers.configured("b", new, **slow))
        await asyncio.gather(*(reload(exporter) for _ in range(5)))
        await exporter.shows(BALANCE_OF_A, BALANCE_OF_B, f"sms_credit_low_balance_threshold{{{OF_A}}} 60.0")

        assert not [line for line in await exporter.metrics() if 'account="old"' in line]
        assert [len(account.requests) for account in (same, removed, new)] == [1, 1, 1]


async def test_a_new_key_is_tried_at_once(start: Start, config_file: ConfigFile, providers: Providers) -> None:
    """After a reload with another credential the account begins anew, without the old one's numbers."""
    account, other = providers.add("23telecom"), providers.add("23telecom", "error_api_key_expired")
    file = config_file(providers.configured("a", account, poll_interval="5m"))

    async with start("serve", f"--config.file={file}", LISTEN, LIFECYCLE) as exporter:
        await exporter.shows(BALANCE_OF_A)
        config_file(providers.configured("a", other, poll_interval="5m"))
        await by_post(exporter)
        await exporter.shows(status_of_a("auth_failed"))
        await exporter.lacks("sms_credit_balance")


async def test_a_bad_file_keeps_the_old_configuration(
    start: Start, config_file: ConfigFile, providers: Providers
) -> None:
    """The reload answers 500 with every mistake, a metric says so, the accounts go on; then the file is mended."""
    account = providers.add("23telecom")
    good = providers.configured("a", account)
    file = config_file(good)

    async with start("serve", f"--config.file={file}", LISTEN, LIFECYCLE) as exporter:
        await exporter.shows(BALANCE_OF_A, "sms_credit_exporter_config_last_reload_successful 1.0")
        config_file({**good, "low_balance": "much"}, stale="1h")
        answer = await exporter.http.post(exporter.urls[0] + "/-/reload")

        assert answer.status_code == 500
        assert "accounts[0].low_balance: found “much”" in answer.text
        assert "stale: is not a known key" in answer.text
        await exporter.shows(BALANCE_OF_A, "sms_credit_exporter_config_last_reload_successful 0.0")
        polls = len(account.requests)

        async def polled_again() -> bool:
            return len(account.requests) > polls

        await until(polled_again)
        config_file(good)
        assert await by_post(exporter) == 200
        await exporter.shows("sms_credit_exporter_config_last_reload_successful 1.0")


async def test_very_many_mistakes_do_not_fill_the_log(
    start: Start, config_file: ConfigFile, providers: Providers
) -> None:
    """The answer lists all mistakes, the log the first hundred and the number of the rest."""
    good = providers.configured("a", providers.add("23telecom"))
    file = config_file(good)

    async with start("serve", f"--config.file={file}", LISTEN, LIFECYCLE) as exporter:
        config_file(*({**good, "name": f"a{number}", "low_balance": "much"} for number in range(150)))
        answer = await exporter.http.post(exporter.urls[0] + "/-/reload")
        assert answer.status_code == 500
        mistakes = answer.text.count("low_balance: found “much”")
        await exporter.logged(r'event="configuration has more mistakes" mistakes=\d+$')
        assert mistakes == 150
        assert len(exporter.matching('event="configuration not reloaded"')) == 100

        config_file(good)
        assert await by_post(exporter) == 200


async def test_first_polls_are_spread(start: Start, config_file: ConfigFile, providers: Providers) -> None:
    """Many accounts do not ask the provider all at the same moment."""
    accounts = [providers.add("23telecom") for _ in range(3)]
    slow = {"poll_interval": "10s"}
    configured = [providers.configured(f"a{number}", account, **slow) for number, account in enumerate(accounts)]

    async with start("serve", f"--config.file={config_file(*configured)}", LISTEN):

        async def all_asked() -> bool:
            return all(account.requests for account in accounts)

        await until(all_asked)
    first = [account.requests[0].at for account in accounts]
    assert all(later - earlier > 0.5 for earlier, later in pairwise(first))


async def test_retry_after_is_obeyed(start: Start, config_file: ConfigFile, providers: Providers) -> None:
    """A provider that asks for a pause gets it, however short the interval; then the account recovers."""
    account = providers.add("iletimerkezi", "error_rate_limited_retry_after")
    file = config_file(providers.configured("b", account))

    async with start("serve", f"--config.file={file}", LISTEN) as exporter:
        await exporter.shows(f'sms_credit_status{{{OF_B},status="rate_limited"}} 1.0')
        account.answer_with("healthy")
        await asyncio.sleep(2.5)  # the interval is 1 s
        assert len(account.requests) == 1


async def test_idle_and_slow_clients_stop_no_scrape(
    start: Start, config_file: ConfigFile, providers: Providers
) -> None:
    """Hundreds of connections that say nothing, one that trickles and one that never reads are nobody's problem."""
    file = config_file(providers.configured("a", providers.add("23telecom")))

    async with start("serve", f"--config.file={file}", LISTEN) as exporter:
        host, port = exporter.urls[0].removeprefix("http://").split(":")
        clients = [socket.create_connection((host, int(port))) for _ in range(400)]
        try:
            clients[0].sendall(b"GET /metrics HTTP/1.1\r\nHost: trickle\r\nX-Slow: ")
            clients[1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            clients[1].sendall(b"GET /metrics HTTP/1.1\r\nHost: deaf\r\n\r\n" * 500)
            async with asyncio.timeout(5):
                answers = await asyncio.gather(*(exporter.get("/metrics") for _ in range(20)))
        finally:
            for client in clients:
                client.close()

        assert {answer.status_code for answer in answers} == {200}


async def test_several_addresses(start: Start, config_file: ConfigFile, providers: Providers) -> None:
    """The exporter listens on every address given, IPv6 included."""
    file = config_file(providers.configured("a", providers.add("23telecom")))

    async with start("serve", f"--config.file={file}", LISTEN, "--web.listen-address=[::1]:0", listens=2) as exporter:
        assert {re.sub(r"\d+$", "", url) for url in exporter.urls} == {"http://127.0.0.1:", "http://[::1]:"}
        for url in exporter.urls:
            assert (await exporter.http.get(f"{url}/-/healthy")).text == "Healthy.\n"


async def test_a_port_that_is_taken(
    start: Start, config_file: ConfigFile, providers: Providers, tmp_path: Path
) -> None:
    """The exporter reports it and ends with 1."""
    file = config_file(providers.configured("a", providers.add("23telecom")))

    async with start("serve", f"--config.file={file}", LISTEN) as exporter:
        taken = exporter.urls[0].removeprefix("http://")
        code, _, err = await command("serve", f"--config.file={file}", f"--web.listen-address={taken}", cwd=tmp_path)

    assert code == 1
    assert re.search(r'level=error event="cannot listen" reason=".*address already in use', err)
    assert "Traceback" not in err


async def test_the_log_tells_changes_and_not_polls(start: Start, config_file: ConfigFile, providers: Providers) -> None:
    """Many polls, one line for each change, and a line for people when credit is blocked."""
    account = providers.add("23telecom")
    file = config_file(providers.configured("a", account))

    async with start("serve", f"--config.file={file}", LISTEN, "--log.format=json") as exporter:
        await exporter.shows(f"sms_credit_polls_total{{{OF_A}}} 3.0")
        account.answer_with("zero_balance_blocked")
        await exporter.shows(f"sms_credit_blocked{{{OF_A}}} 1.0")
        events = [json.loads(line) for line in exporter.log]

    assert [event["event"] for event in events] == ["starting", "listening", "status changed", "credit blocked"]
    assert {event["level"] for event in events} == {"info"}
    assert events[2] | {"ts": ""} == {
        "event": "status changed",
        "level": "info",
        "account": "a",
        "provider": "23telecom",
        "status": "fresh",
        "was": "pending",
        "ts": "",
    }


async def test_the_process_ends_when_a_poll_task_dies(
    config_file: ConfigFile, providers: Providers, tmp_path: Path
) -> None:
    """Numbers that nobody refreshes must not be served: an unexpected error ends it all, with 1."""
    file = config_file(providers.configured("a", providers.add("23telecom")))
    program = tmp_path / "dying.py"
    program.write_text(
        "import sys\n"
        "from sms_credit_exporter import cli, watch\n"
        "def _report(*_): raise RuntimeError('a bug')\n"
        "watch._report = _report\n"
        f"sys.exit(cli.main(['serve', '--config.file={file}', '{LISTEN}']))\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(program), stderr=asyncio.subprocess.PIPE, cwd=tmp_path
    )
    async with asyncio.timeout(20):
        _, err = await process.communicate()

    assert process.returncode == 1
    assert b'event="ended by an unexpected error"' in err
    assert b"a bug" in err
