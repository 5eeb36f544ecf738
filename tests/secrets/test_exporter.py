"""Marked credentials go into real exporters in every way of giving them, and through no exit do they come out."""

import asyncio
import contextlib
import gc
import json
import os
import signal
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import bcrypt
import httpx
import pytest
from prometheus_client import CollectorRegistry

from sms_credit_core import PROVIDERS, Account
from sms_credit_exporter.config import load
from sms_credit_exporter.exposition import Exposition
from sms_credit_exporter.page import static_files
from sms_credit_exporter.simulator.behaviour import NoAnswer
from sms_credit_exporter.watch import http_client, poll_once
from sms_credit_exporter.web import Site, application
from tests.exporter.running import LISTEN, Providers, Running, command, listening, until
from tests.secrets.given import IN_FILES, IN_THE_ENVIRONMENT, IN_THE_FILE, WAYS, Given, single
from tests.secrets.marks import PLAIN, Search, credentials, marked

OPENMETRICS = "application/openmetrics-text; version=1.0.0"

USUAL = ("-m", "sms_credit_exporter")

DEVELOPING = ("-X", "dev", *USUAL)
"""asyncio then tells what it does, with the arguments; faulthandler tells where a fatal signal came."""

SERVE = ("serve", LISTEN, "--log.level=debug", "--web.enable-lifecycle")

Said = dict[str, bytes | str]
"""What came out, by the exit."""


def leaks(search: Search, said: Mapping[str, bytes | str]) -> dict[str, list[str]]:
    """Return what was found where."""
    return {name: found for name, text in said.items() if (found := search.found(text))}


def paths() -> list[str]:
    """Return every path that answers GET, by what the application itself says."""
    site = Site(
        exposition=Exposition(CollectorRegistry()),
        views=lambda: (),
        ready=lambda: True,
        reload=None,
        version="1",
        refresh=15.0,
    )
    found = [route.resource.canonical for route in application(site).router.routes() if route.resource]
    return [path.replace("{name}", file) for path in dict.fromkeys(found) for file in static_files()]


@asynccontextmanager
async def serving(
    http: httpx.AsyncClient, folder: Path, *arguments: str, environ: Mapping[str, str], program: tuple[str, ...]
) -> AsyncIterator[Running]:
    """Run an exporter whose standard output and temporary files can be looked at."""
    (folder / "tmp").mkdir(exist_ok=True)
    begin = ("sh", "-c", 'exec "$0" "$@" >stdout.txt', sys.executable)
    env = {**environ, "TMPDIR": str(folder / "tmp")}
    async with listening(http, *begin, *program, *arguments, cwd=folder, env=env) as exporter:
        yield exporter


async def pages(exporter: Running) -> Said:
    """Return what every page says, with its headers."""
    said: Said = {}
    for path in [*dict.fromkeys(paths()), "/api/v1/accounts?made_up=1", "/nowhere"]:
        for accept in ("*/*", OPENMETRICS):
            answer = await exporter.get(path, Accept=accept)
            said[f"GET {path}, {accept}"] = f"{answer.headers}{answer.text}"
    for method in ("OPTIONS", "DELETE"):
        said[f"{method} /"] = (await exporter.http.request(method, exporter.urls[0])).text
    return said


def files(folder: Path, inputs: set[Path]) -> Said:
    """Return every file that has come to be, also what was deleted from it and what stands in the log beside it."""
    made = {each for each in folder.rglob("*") if each.is_file()} - inputs
    return {f"the file {each.relative_to(folder)}": each.read_bytes() for each in made}


async def reloaded(exporter: Running) -> str:
    """Ask for a reload."""
    return (await exporter.http.post(f"{exporter.urls[0]}/-/reload")).text


@pytest.mark.parametrize(
    ("way", "form", "program"),
    [
        pytest.param(IN_THE_FILE, "logfmt", DEVELOPING, id="in the configuration, in logfmt, while developing"),
        pytest.param(IN_FILES, "json", USUAL, id="in files of their own, in JSON"),
        pytest.param(IN_THE_ENVIRONMENT, "logfmt", USUAL, id="in the environment, in logfmt"),
    ],
)
async def test_a_running_exporter_says_none(  # noqa: PLR0913, PLR0917 - fixtures and a table
    http: httpx.AsyncClient, providers: Providers, tmp_path: Path, way: str, form: str, program: tuple[str, ...]
) -> None:
    """Log, output, pages, files and arguments, through polls, refusals, mistakes in the configuration, and the end."""
    given = Given(providers, tmp_path, way)
    storage = tmp_path / "state.db"
    arguments = (*SERVE, f"--config.file={given.file}", f"--storage.path={storage}", f"--log.format={form}")
    said: Said = {}
    async with serving(http, tmp_path, *arguments, environ=given.environ, program=program) as exporter:
        healthy = [f'account="{name}",provider="{name.removesuffix("-healthy")}"' for name in given.healthy]
        await exporter.shows(*(f"sms_credit_up{{{labels}}} 1.0" for labels in healthy))
        await exporter.shows(*(f"sms_credit_polls_total{{{labels}}} 2.0" for labels in healthy[:1]))
        said |= await pages(exporter)
        given.write_with_mistakes()
        said["a reload with mistakes"] = mistakes = await reloaded(exporter)
        given.write_no_yaml()
        said["a reload without YAML"] = no_yaml = await reloaded(exporter)
        given.write()
        assert await reloaded(exporter) == "Reloaded.\n"
        process = Path(f"/proc/{exporter.process.pid}")
        said["its arguments"] = (process / "cmdline").read_bytes()
        environ = (process / "environ").read_bytes()
        said |= {f"running: {name}": text for name, text in files(tmp_path, given.inputs).items()}
        exporter.process.send_signal(signal.SIGTERM)
        assert await exporter.exit_code() == 0
    said |= {"the log": "\n".join(exporter.log), **files(tmp_path, given.inputs)}

    search = Search.of(given.values)
    assert leaks(search, said) == {}
    assert {"the file state.db", "running: the file state.db-wal", "the file stdout.txt"} < said.keys()
    assert len(given.healthy) == len(PROVIDERS)
    assert "did you mean" in mistakes
    assert "YAML" in no_yaml
    assert any("polled" in line for line in exporter.log)
    # Whoever puts them there lets every process of the same user read them.
    assert bool(search.found(environ)) == (way == IN_THE_ENVIRONMENT)


CHECK, TABLE, JSON, PLUGIN = ["check"], ["balance"], ["balance", "--json"], ["balance", "--output=nagios"]

COMMANDS: Mapping[str, tuple[str, Sequence[Sequence[str]]]] = {
    "good": ("write", (CHECK, TABLE, JSON, PLUGIN)),
    "full of mistakes": ("write_with_mistakes", (CHECK, PLUGIN)),
    "no YAML": ("write_no_yaml", (CHECK,)),
}
"""By how the configuration is, what makes it so, and what is then run."""


@pytest.mark.parametrize("way", WAYS)
async def test_a_command_says_none(providers: Providers, tmp_path: Path, way: str) -> None:
    """Neither of a good configuration nor of one that has mistakes. The forms of output differ for no way of giving."""
    given = Given(providers, tmp_path, way)
    said: Said = {}
    for state, (write, commands) in COMMANDS.items():
        getattr(given, write)()
        for each in commands if way == IN_THE_FILE else commands[:1]:
            code, out, err = await command(*each, f"--config.file={given.file}", cwd=tmp_path, env=given.environ)
            said[f"{' '.join(each)}, {state}"] = out + err
            assert out or err
            assert (code == 0) == (state == "good" and each == CHECK)
    assert "did you mean" in str(said["check, full of mistakes"])
    assert leaks(Search.of(given.values), {**said, **files(tmp_path, given.inputs)}) == {}


async def test_an_account_from_the_environment_says_none(providers: Providers, tmp_path: Path) -> None:
    """Of each number of credentials one provider; nothing else is given, and the balance is told."""
    shapes = {len(provider.credentials): provider for provider in PROVIDERS.values()}
    said: Said = {}
    every: list[str] = []
    for provider in shapes.values():
        values = credentials(provider, "single")
        every += values.values()
        providers.simulator.add(provider.key, credentials=values)
        environ = single(provider, providers.base_urls[provider.key], values, tmp_path)
        code, out, err = await command("balance", "--json", cwd=tmp_path, env=environ)
        assert code == 0, err
        assert json.loads(out)
        said[provider.key] = out + err
    assert len(shapes) > 1
    assert leaks(Search.of(every), said) == {}


async def test_a_proxy_is_told_of_without_its_password(providers: Providers, tmp_path: Path) -> None:
    """Its address stands in a variable, with what it wants to hear, and a mistake there is told by the variable."""
    given = Given(providers, tmp_path, IN_THE_FILE, [PROVIDERS["23telecom"]])
    password = marked("proxy", between=PLAIN)
    said: Said = {}
    for scheme, port in (("socks5", "1080"), ("http", "none"), ("ftp", "21")):
        environ = {"https_proxy": f"{scheme}://user:{password}@proxy.example:{port}"}
        code, out, err = await command("balance", f"--config.file={given.file}", cwd=tmp_path, env=environ)
        assert (code, out) == (1, "")
        assert "https_proxy" in err
        said[scheme] = err
    assert leaks(Search.of([password]), said) == {}


CRASHES = {
    "as the configuration is loaded": [("sms_credit_exporter.config.credentials", "Secrets.credentials")],
    "as a request is worded": [("sms_credit_core.providers.{module}", "{name}.request")],
    "as an answer is read": [("sms_credit_core.providers.{module}", "{name}.read")],
    "in a thread that writes": [("sms_credit_exporter.storage", "remembered")],
    "as pages are written": [
        ("sms_credit_exporter.web", "render"),
        ("sms_credit_exporter.web", "negotiated"),
    ],
}
"""Functions that have a bug, by module and name."""

DYING = """\
import importlib, sys
from sms_credit_exporter import cli
def buggy(*arguments, **more):
    raise RuntimeError(f"a bug beside {{arguments}} and {{more}}")
for module, name in {functions}:
    *owners, name = name.split(".")
    module = importlib.import_module(module)
    setattr(getattr(module, owners[0]) if owners else module, name, buggy)
sys.exit(cli.main(sys.argv[1:]))
"""
"""The error tells what the function was called with, as those of careless libraries do."""


@pytest.mark.parametrize("crash", CRASHES)
async def test_a_crash_says_none(http: httpx.AsyncClient, providers: Providers, tmp_path: Path, crash: str) -> None:
    """Whatever fails with credentials in its variables: the process ends with a traceback, or a page with an error."""
    declared = next(iter(PROVIDERS.values()))
    given = Given(providers, tmp_path, IN_THE_FILE, [declared])
    names = {"module": type(declared).__module__.rpartition(".")[2], "name": type(declared).__name__}
    functions = [(module.format(**names), function.format(**names)) for module, function in CRASHES[crash]]
    program = tmp_path / "dying.py"
    program.write_text(DYING.format(functions=functions))
    out = await outcome(http, tmp_path, program, given)
    assert "a bug beside" in out["the log"]
    assert leaks(Search.of(given.values), out) == {}


async def outcome(http: httpx.AsyncClient, folder: Path, program: Path, given: Given) -> dict[str, str]:
    """Run a program until it ends, or until it has been asked for its pages."""
    arguments = (*SERVE, f"--config.file={given.file}", f"--storage.path={folder / 'state.db'}")
    log = folder / "log.txt"
    with log.open("wb") as stream:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-X", "dev", program, *arguments), stdout=stream, stderr=stream, cwd=folder
        )
    said = {}

    async def told() -> bool:
        text = log.read_text()
        url = next((word.split("=")[1].strip('"') for word in text.split() if word.startswith("url=")), None)
        for path in ("/", "/metrics") if url else ():
            with contextlib.suppress(httpx.HTTPError):  # it may have ended
                said[path] = (await http.get(f"{url}{path}")).text
        both = len(said) == len(("/", "/metrics"))
        return "a bug beside" in log.read_text() and (both or process.returncode is not None)

    try:
        await until(told)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    return {**said, "the log": log.read_text()}


async def test_an_abort_says_none(http: httpx.AsyncClient, providers: Providers, tmp_path: Path) -> None:
    """Python tells where each thread was, and no values. A core file has them all, where the system keeps one."""
    given = Given(providers, tmp_path, IN_THE_FILE, [PROVIDERS["23telecom"]])
    arguments = (*SERVE, f"--config.file={given.file}")
    async with serving(http, tmp_path, *arguments, environ={}, program=DEVELOPING) as exporter:
        await exporter.shows('sms_credit_up{account="23telecom-healthy",provider="23telecom"} 1.0')
        exporter.process.send_signal(signal.SIGABRT)
        assert await exporter.exit_code() == -signal.SIGABRT
    assert any("Fatal Python error" in line for line in exporter.log)
    assert leaks(Search.of(given.values), {"the log": "\n".join(exporter.log), **files(tmp_path, given.inputs)}) == {}


async def test_what_a_scraper_sends_is_neither_sent_back_nor_logged(
    http: httpx.AsyncClient, providers: Providers, config_file: Callable[..., Path], tmp_path: Path
) -> None:
    """Its own password, right or wrong, and what it sends by mistake: keys of others, in headers and in addresses."""
    right, wrong, token, cookie, queried = values = [marked("scraper", str(number), between=".") for number in range(5)]
    hashed = bcrypt.hashpw(right.encode(), bcrypt.gensalt(4)).decode()
    (tmp_path / "web.yml").write_text(f"basic_auth_users: {{prometheus: '{hashed}'}}\n")
    file = config_file(providers.configured("a", providers.add("23telecom")))
    arguments = (*SERVE, f"--config.file={file}", f"--web.config.file={tmp_path / 'web.yml'}")
    basic = {each: f"Basic {b64encode(f'prometheus:{each}'.encode()).decode()}" for each in (right, wrong)}
    said: Said = {}
    codes = {}
    async with serving(http, tmp_path, *arguments, environ={}, program=DEVELOPING) as exporter:
        for path in dict.fromkeys(paths()):
            for name, headers in {
                "nobody": {},
                "a page of somebody else's": {"Host": "made-up.example"},
                "right": {"Authorization": basic[right]},
                "wrong": {"Authorization": basic[wrong]},
                "a token": {"Authorization": f"Bearer {token}"},
                "a cookie": {"Authorization": basic[right], "Cookie": f"session={cookie}", "X-API-Key": token},
            }.items():
                answer = await exporter.get(f"{path}?{name[:1]}key={queried}", **headers)
                codes[path, name] = answer.status_code
                said[f"{path}, {name}"] = f"{answer.headers}{answer.text}"
    said |= {"the log": "\n".join(exporter.log), **files(tmp_path, set())}
    assert leaks(Search.of(values), said) == {}
    refused = ("nobody", "a page of somebody else's", "wrong", "a token")
    assert {name: codes["/metrics", name] for name in (*refused, "right", "a cookie")} == {
        **dict.fromkeys(refused, 401),
        **dict.fromkeys(("right", "a cookie"), 200),
    }


def is_ours(kind: type) -> bool:
    """Whether nothing may show such an object.

    The simulated providers stand for somebody else; and what httpx makes of a request has to have them. It logs none of
    that, not even for debugging, as tests/core/test_exchange.py proves.
    """
    module = str(kind.__module__)
    return module.startswith("sms_credit_") and not module.startswith("sms_credit_exporter.simulator")


@pytest.mark.parametrize("show", [repr, str, "{!r:}".format], ids=["repr", "str", "format"])
async def test_no_object_of_the_process_shows_one(
    providers: Providers, tmp_path: Path, show: Callable[[object], str]
) -> None:
    """While accounts are being polled: whatever is logged or traced one day is one of these."""
    given = Given(providers, tmp_path, IN_THE_FILE)
    config = load(given.file, os.environ)
    for account in given.simulated:
        account.answer_with(NoAnswer.SILENT)
    async with http_client() as client:
        polls = [asyncio.create_task(poll_once(client, each, Account())) for each in config.accounts]

        async def all_asked() -> bool:
            return all(account.requests for account in given.simulated)

        await until(all_asked)
        objects = [each for each in gc.get_objects() if is_ours(type(each))]
        said = {f"{number}, {type(each).__qualname__}": show(each) for number, each in enumerate([*objects, *polls])}
        for poll in polls:
            poll.cancel()
    assert {type(each).__name__ for each in objects} > {"AccountConfig", "Secret", "_Url"}
    assert leaks(Search.of(given.values), said) == {}
