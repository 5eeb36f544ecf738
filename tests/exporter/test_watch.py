"""The polling as a whole, in a process of its own: what one place or one account does costs no other a poll."""

import asyncio
import re
import signal
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
import trustme

from sms_credit_core import PROVIDERS, Secret, Status
from sms_credit_exporter.accounts import AccountConfig, Config
from sms_credit_exporter.simulator.behaviour import NoAnswer
from sms_credit_exporter.simulator.server import SimulatedAccount, Simulator
from sms_credit_exporter.storage import Storage
from sms_credit_exporter.watch import Watch, http_client
from tests.exporter.running import LISTEN, PATIENCE, Providers, Running, running, until

Start = Callable[..., AbstractAsyncContextManager[Running]]
ConfigFile = Callable[..., Path]

HEALTHY = 'account="healthy",provider="iletimerkezi"'

WITH_SILENT_RESOLVER = """
import socket, sys, time
from sms_credit_exporter import cli
looked_up = socket.getaddrinfo
def getaddrinfo(host, *args, **kwargs):
    if ".example" in str(host):
        time.sleep(3600)
    return looked_up(host, *args, **kwargs)
socket.getaddrinfo = getaddrinfo
sys.exit(cli.main())
"""
"""The exporter on a machine whose name servers do not answer for some names."""


def sample(lines: list[str], series: str) -> float:
    """Return the value of one series."""
    return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(series))


async def polled(exporter: Running, account: str, times: int) -> None:
    """Wait until an account has been polled so many times more."""
    series = f"sms_credit_polls_total{{{account}}}"
    before = sample(await exporter.metrics(), series)

    async def often_enough() -> bool:
        return sample(await exporter.metrics(), series) >= before + times

    await until(often_enough)


async def failures(exporter: Running, account: str = "") -> float:
    """Return how many polls have failed, of one account or of all."""
    lines = await exporter.metrics()
    return sum(
        float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith("sms_credit_poll_failures_total{") and account in line
    )


async def test_accounts_that_hang_cost_no_other_provider_a_poll(
    start: Start, config_file: ConfigFile, providers: Providers
) -> None:
    """Hanging accounts take the slots of their own place and no others, however many they are."""
    hanging = [providers.add("23telecom", NoAnswer.SILENT) for _ in range(130)]
    file = config_file(
        providers.configured("healthy", providers.add("iletimerkezi")),
        *(providers.configured(f"h{number}", account, timeout="10s") for number, account in enumerate(hanging)),
    )

    async with start("serve", f"--config.file={file}", LISTEN) as exporter:

        async def many_wait() -> bool:
            return sum(bool(account.requests) for account in hanging) >= 20

        await until(many_wait)
        await polled(exporter, HEALTHY, 3)
        assert await failures(exporter, HEALTHY) == 0


async def test_a_request_leaves_no_connection_behind() -> None:
    """Minutes pass until the next poll, and thousands of accounts would hold as many descriptors meanwhile."""
    ended = asyncio.Queue[bytes]()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await ended.put(await reader.read())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server, http_client() as client:
        port = server.sockets[0].getsockname()[1]
        for _ in range(2):
            assert (await client.get(f"http://127.0.0.1:{port}/")).text == "{}"
            async with asyncio.timeout(PATIENCE):
                assert await ended.get() == b""


async def test_polls_that_are_due_together_write_together(tmp_path: Path) -> None:
    """Each poll is safe before it asks and afterwards, and yet they are fewer transactions than two for each."""
    simulator = Simulator()
    storage, commits = Storage(tmp_path / "s.db"), list[str]()
    assert storage._connection  # noqa: SLF001 - SQLite says what reaches it
    storage._connection.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)  # noqa: SLF001
    async with simulator.serving() as base_urls:
        accounts = tuple(
            AccountConfig(
                name=f"a{number}",
                provider=PROVIDERS["23telecom"],
                credentials={name: Secret(value) for name, value in simulator.add("23telecom").credentials.items()},
                base_url=base_urls["23telecom"],
                poll_interval=2.0,
            )
            for number in range(60)
        )
        watch = Watch(Config(accounts=accounts), storage)
        polling = asyncio.create_task(watch.run())

        async def ready() -> bool:
            return watch.ready

        await until(ready)
        polling.cancel()
        await asyncio.wait([polling])
    await storage.close()
    accounts_after = [view.account for view in watch.views()]
    assert {account.status for account in accounts_after} == {Status.FRESH}
    assert len(commits) < 1.7 * sum(account.polls for account in accounts_after)


async def test_names_that_hang_cost_no_other_account_a_poll_and_hold_up_no_end(
    config_file: ConfigFile, providers: Providers, tmp_path: Path, http: httpx.AsyncClient
) -> None:
    """The system's resolver waits for a silent server as long as it likes, and cannot be called off."""
    program = tmp_path / "with_silent_resolver.py"
    program.write_text(WITH_SILENT_RESOLVER)
    hanging = providers.configured("h", providers.add("23telecom"), timeout="1s", poll_interval="2m")
    of_the_healthy = providers.configured("healthy", providers.add("iletimerkezi"))
    # Its address is a name too, which has to be looked up like the others.
    of_the_healthy["base_url"] = str(of_the_healthy["base_url"]).replace("127.0.0.1", "localhost")
    file = config_file(
        of_the_healthy,
        *({**hanging, "name": f"h{number}", "base_url": f"https://h{number}.example"} for number in range(8)),
    )

    arguments = ("serve", f"--config.file={file}", LISTEN)
    async with running(http, *arguments, cwd=tmp_path, env={}, program=(str(program),)) as exporter:
        await exporter.logged(r'account=h\d .*reason="The provider did not answer in time', times=8)
        await polled(exporter, HEALTHY, 3)
        assert await failures(exporter, HEALTHY) == 0
        begun = asyncio.get_running_loop().time()
        exporter.process.send_signal(signal.SIGTERM)
        assert await exporter.exit_code() == 0
        assert asyncio.get_running_loop().time() - begun < 8


async def test_a_process_that_was_stopped_calls_nobody_unreachable(
    start: Start, config_file: ConfigFile, providers: Providers
) -> None:
    """All accounts are due at once when a laptop wakes up; each waits for its turn before its time begins."""
    accounts = [providers.add("23telecom") for _ in range(200)]
    file = config_file(
        *(
            providers.configured(f"a{number}", account, poll_interval="6s", timeout="1s")
            for number, account in enumerate(accounts)
        )
    )

    async with start("serve", f"--config.file={file}", LISTEN) as exporter:

        async def ready() -> bool:
            return (await exporter.get("/-/ready")).status_code == 200

        await until(ready)
        exporter.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(8)
        asked = [len(account.requests) for account in accounts]
        exporter.process.send_signal(signal.SIGCONT)

        async def all_polled() -> bool:
            return all(len(account.requests) > before for account, before in zip(accounts, asked, strict=True))

        await until(all_polled)
        assert await failures(exporter) == 0


@asynccontextmanager
async def behind_tls(folder: Path, *, certificate_wanted: bool) -> AsyncIterator[tuple[Simulator, str, str]]:
    """Serve a simulated provider over TLS; gives it, its base URL, and the file of the authority to trust."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    if certificate_wanted:
        trustme.CA().configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    simulator = Simulator()
    async with simulator.serving(ssl_context=context) as base_urls:
        yield simulator, base_urls["23telecom"], str(folder / "ca.pem")


async def test_who_shows_a_certificate_of_nobody_s_is_told_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sits between would read it. An authority of one's own is trusted once it is named."""
    async with behind_tls(tmp_path, certificate_wanted=False) as (_, base_url, authority):
        async with http_client() as client:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await client.get(base_url)
        monkeypatch.setenv("SSL_CERT_FILE", authority)
        async with http_client() as client:
            assert (await client.get(base_url)).status_code


async def test_a_provider_that_wants_a_certificate_ends_no_process(
    start: Start, config_file: ConfigFile, providers: Providers, tmp_path: Path
) -> None:
    """Under TLS 1.3 the handshake has succeeded by the time that the client hears of it."""
    async with behind_tls(tmp_path, certificate_wanted=True) as (simulator, base_url, trusted):
        account = simulator.add("23telecom")
        file = config_file(
            providers.configured("healthy", providers.add("iletimerkezi")),
            {**providers.configured("a", account), "base_url": base_url},
        )
        async with start("serve", f"--config.file={file}", LISTEN, SSL_CERT_FILE=trusted) as exporter:
            await exporter.logged(r"account=a .*status=unreachable")
            await polled(exporter, HEALTHY, 2)
            assert await failures(exporter, HEALTHY) == 0
            assert not account.requests


# --- reloading ----------------------------------------------------------------------------------------------------

Configured = dict[str, object]


async def reload(exporter: Running, times: int) -> None:
    """Have the file taken over, and wait until it was."""
    exporter.process.send_signal(signal.SIGHUP)
    await exporter.logged("configuration reloaded", times)


def other_interval(account: Configured, turn: int) -> Configured:
    """Change how often an account is polled."""
    return {**account, "poll_interval": f"{300 + turn}s"}


def other_name(account: Configured, turn: int) -> Configured:
    """Give an account another name."""
    return {**account, "name": f"a{turn}"}


def other_limit(account: Configured, turn: int) -> Configured:
    """Change what the provider is not asked for."""
    return {**account, "low_balance": turn}


def other_secret(account: Configured, turn: int) -> Configured:
    """Rotate a secret; the provider refuses all but the first."""
    return {**account, "credentials": {"api_key": f"rotated-{turn}"}}


def back_and_forth(account: Configured, turn: int) -> Configured:
    """Rotate a secret, and take it back."""
    return other_secret(account, 1) if turn % 2 else account


@pytest.mark.parametrize(
    ("change", "calls_a_second"),
    [(other_interval, 0), (other_limit, 0), (other_name, 1), (other_secret, 1), (back_and_forth, 1)],
)
async def test_reloading_however_often_asks_no_more_than_the_provider_allows(
    start: Start,
    config_file: ConfigFile,
    providers: Providers,
    change: Callable[[Configured, int], Configured],
    calls_a_second: int,
) -> None:
    """The provider's minimum counts for the account: on this machine that is a second."""
    account = providers.configured("a", providers.add("23telecom"), poll_interval="5m")
    file = config_file(account)

    async with start("serve", f"--config.file={file}", LISTEN) as exporter:
        await exporter.logged("account=a .*status=fresh")
        begun = asyncio.get_running_loop().time()
        for turn in range(1, 31):
            config_file(change(account, turn))
            await reload(exporter, turn)
        took = asyncio.get_running_loop().time() - begun
        asked = [request for request in providers.simulator.requests if request.path.endswith("/user/balance")]
        assert len(asked) <= 1 + calls_a_second * (took + 1)


async def test_a_shorter_interval_counts_from_the_last_poll(
    start: Start, config_file: ConfigFile, providers: Providers
) -> None:
    """A reload moves the next poll of a waiting account, and loses nothing that is known of it."""
    simulated: SimulatedAccount = providers.add("23telecom")
    account = providers.configured("a", simulated, poll_interval="5m")
    file = config_file(account)

    async with start("serve", f"--config.file={file}", LISTEN) as exporter:
        await exporter.logged("account=a .*status=fresh")
        config_file({**account, "poll_interval": "2s"})
        await reload(exporter, 1)
        assert [line for line in await exporter.metrics() if re.match(r"sms_credit_balance\{.* 1250\.5", line)]
        await polled(exporter, 'account="a",provider="23telecom"', 2)
    assert min(later.at - earlier.at for earlier, later in pairwise(simulated.requests)) > 1.9


async def test_a_reload_does_not_cut_off_a_poll_under_way(
    start: Start, config_file: ConfigFile, providers: Providers
) -> None:
    """What the provider has been asked for is not asked again."""
    simulated = providers.add("23telecom", NoAnswer.SILENT)
    account = providers.configured("a", simulated, poll_interval="5m", timeout="4s")
    file = config_file(account)

    async with start("serve", f"--config.file={file}", LISTEN) as exporter:

        async def asked() -> bool:
            return bool(simulated.requests)

        await until(asked)
        config_file({**account, "poll_interval": "6m", "low_balance": 3})
        await reload(exporter, 1)
        await exporter.logged("account=a .*status=unreachable")
        assert len(simulated.requests) == 1
