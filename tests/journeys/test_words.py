"""One story, same words: why an account is not read, every exit of the exporter says as the core does."""

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
import yaml

from sms_credit_core import Actor, Cause, Status
from sms_credit_exporter.simulator.behaviour import Act, NoAnswer
from sms_credit_exporter.simulator.payloads import Payload, payloads
from tests.exporter.running import LISTEN, Providers, command, free_port, running, until
from tests.grafana.rules import ALERTS


def made_up(body: bytes = b"", **headers: str) -> Payload:
    """Return an answer that no file has; header names are written with underscores."""
    lines = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Payload("23telecom", "made_up", "", "", 200, lines, body, {})


class Situation(NamedTuple):
    """What brings a cause about."""

    provider: str
    act: Act | str = "healthy"
    base_url: str | None = None
    """Another address than the simulated provider's."""


NOBODYS = f"http://127.0.0.1:{free_port()}"

FROM_FILES = {
    each.outcome["cause"]: Situation(each.provider, each.name) for each in payloads() if "cause" in each.outcome
}
SITUATIONS: Mapping[Cause, Situation] = {
    **{cause: FROM_FILES[cause] for cause in Cause if cause in FROM_FILES},
    Cause.TIMEOUT: Situation("23telecom", NoAnswer.SILENT),
    Cause.CONNECTION_CUT: Situation("23telecom", NoAnswer.CUT),
    Cause.TOO_LARGE: Situation("23telecom", made_up(b" " * 70_000)),
    Cause.ENCODING_UNKNOWN: Situation("23telecom", made_up(b"{}", Content_Encoding="made-up")),
    Cause.NOT_CONNECTED: Situation("23telecom", base_url=NOBODYS),
    Cause.NAME_NOT_FOUND: Situation("23telecom", base_url="https://provider.invalid"),
    Cause.TLS_FAILED: Situation("23telecom", base_url="https://127.0.0.1:{no_tls}"),
    Cause.NOT_HTTP: Situation("23telecom", base_url="http://127.0.0.1:{no_http}"),
}
"""For each cause, how it comes about."""


@asynccontextmanager
async def says(words: bytes) -> AsyncIterator[int]:
    """Serve something that is neither TLS nor HTTP; gives its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(words)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def configured(providers: Providers, tmp_path: Path) -> AsyncIterator[Path]:
    """Write a configuration with an account for each cause, named after it."""
    async with says(b"220 mail.example.com\r\n") as port:
        accounts = []
        for cause, situation in SITUATIONS.items():
            account = providers.add(situation.provider, situation.act)
            patience = {"timeout": "1s"} if cause is Cause.TIMEOUT else {}
            written = providers.configured(cause.value.replace("_", "-"), account, **patience)
            if situation.base_url:
                written["base_url"] = situation.base_url.format(no_tls=port, no_http=port)
            if not str(written["base_url"]).startswith("http://"):
                del written["poll_interval"]
            accounts.append(written)
        file = tmp_path / "config.yml"
        file.write_text(yaml.safe_dump({"accounts": accounts}))
        yield file


def test_every_cause_is_brought_about() -> None:
    """So that none is left out below."""
    assert set(SITUATIONS) == set(Cause)


def text_of(cause: Cause) -> re.Pattern[str]:
    """Return what matches the core's sentence; a detail can be anything."""
    return re.compile(re.escape(cause.text).replace(r"\{detail\}", ".+?"))


def wrong(told: Mapping[Cause, str]) -> list[str]:
    """Say of each cause what is told of it, if it is not what the core says."""
    assert told.keys() == set(Cause)
    return [f"{cause.value}: {text}" for cause, text in told.items() if not text_of(cause).search(text)]


async def balance(config: Path, *more: str) -> str:
    """Return what `balance` prints."""
    _, out, _ = await command("balance", f"--config.file={config.name}", *more, cwd=config.parent)
    return out


BALANCE: Mapping[str, tuple[str, Callable[[str], Mapping[str, str]]]] = {
    "the table": ("table", lambda out: dict(re.findall(r"^([\w-]+): (.+)$", out, re.MULTILINE))),
    "JSON": ("json", lambda out: {each["account"]: each["reason"] for each in json.loads(out)}),
    "a plugin": ("nagios", lambda out: dict(re.findall(r"^\w+: ([\w-]+): (.+)$", out, re.MULTILINE))),
}
"""How each form of `balance` tells the reason, by account."""


@pytest.mark.parametrize("form", BALANCE)
async def test_balance_says_it(configured: Path, form: str) -> None:
    """In each of its forms."""
    name, reasons = BALANCE[form]
    told = reasons(await balance(configured, f"--output={name}"))
    assert wrong({cause: told.get(cause.value.replace("_", "-"), "nothing") for cause in Cause}) == []


async def test_page_and_log_say_it(configured: Path, http: httpx.AsyncClient) -> None:
    """A page as people see it, the same for programs, and the log, which has a line for each change."""
    arguments = ("serve", f"--config.file={configured.name}", LISTEN, "--log.format=json")
    async with running(http, *arguments, cwd=configured.parent, env={}) as exporter:

        async def all_polled() -> bool:
            return (await exporter.get("/-/ready")).status_code == httpx.codes.OK

        await until(all_polled)
        answer = (await exporter.get("/api/v1/accounts?per_page=100")).json()["accounts"]
        entries = {each["account"]: each for each in answer}
        page = html.unescape(re.sub(r"<[^>]+>|\s+", " ", (await exporter.get("/?per_page=100")).text))
        lines = [json.loads(line) for line in exporter.matching("status changed")]
    logged = {line["account"]: line["reason"] for line in reversed(lines)}
    names = {cause: cause.value.replace("_", "-") for cause in Cause}
    assert wrong({cause: logged.get(name, "nothing") for cause, name in names.items()}) == []
    assert wrong({cause: entries[name]["reason"] or "nothing" for cause, name in names.items()}) == []
    assert wrong(dict.fromkeys(Cause, " ".join(page.split()))) == []
    assert [name for cause, name in names.items() if cause.status.to_do != entries[name]["to_do"]] == []
    assert [name for cause, name in names.items() if cause.status not in entries[name]["states"]] == []


@pytest.mark.parametrize("status", [status for status in Status if status.to_do], ids=str)
def test_an_alert_says_what_to_do(status: Status) -> None:
    """It knows no more than the status, and says of that what the page says."""
    told = [alert["annotations"]["description"] for alert in ALERTS if f'status="{status}"' in alert["expr"]]
    assert told
    assert [text for text in told if str(status.to_do) not in text] == []


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause.status.actor is Actor.USER], ids=str)
def test_who_has_to_act_is_told_what_to_do(cause: Cause) -> None:
    """The first sentence says what is wrong, the last what to do about it."""
    assert len(re.findall(r"\.(?: |$)", cause.text)) >= 2
    assert cause.status.to_do


async def test_a_mended_account_says_nothing_any_more(providers: Providers, tmp_path: Path) -> None:
    """With the cause, its words are gone."""
    situation = SITUATIONS[Cause.IP_NOT_ALLOWED]
    account = providers.add(situation.provider, situation.act)
    config = tmp_path / "config.yml"
    config.write_text(yaml.safe_dump({"accounts": [providers.configured("a", account)]}))
    assert Cause.IP_NOT_ALLOWED.text in await balance(config)
    account.answer_with("healthy")
    assert [each["reason"] for each in json.loads(await balance(config, "--json"))] == [None]
