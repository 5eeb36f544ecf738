"""The command line. Exit codes: 0 fine, 1 something for a person to see to, 2 the command line itself is wrong.

Each command imports what it alone needs, so that the quick ones do not wait for a web server.
"""

import argparse
import os
import re
import resource
import signal
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from . import history, log, output
from .completion import SHELLS
from .durations import parse_duration
from .history import counted
from .mistakes import EnvironmentMistake, FileError, StorageMistake
from .output import OutputFailed
from .prefix import Prefix, external_path, route_prefix
from .shards import WHOLE, Shard

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from .accounts import Config, View
    from .advice import Template
    from .storage import Memory
    from .web import Address, Place

T = TypeVar("T")
Number = TypeVar("Number", Decimal, int)

_SERVE_ADDRESS = ":10767"
_DEMO_ADDRESS = "127.0.0.1:10767"
_HEALTHCHECK_URL = f"http://{_DEMO_ADDRESS}"

_MAX_REQUESTS = 500
"""Answered at once. A slow reader holds what it was not sent yet, which may be megabytes."""

_FORMS = ("table", "json", "nagios")
"""What `balance` can print."""

_WRONG = "the command line is wrong"

_MISTAKES_BESIDE = 20
"""The most mistakes that `serve` and `balance` tell; `check` tells all of them."""

_MISTAKES_OF_HISTORY = 100
"""The most mistakes that `backtest` tells: a wrong format makes one in each row."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    output.set_up()
    try:
        options = _options(arguments)
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except history.HistoryError as error:
        output.complain(error.told(_MISTAKES_OF_HISTORY))
        return 1
    except FileError as error:
        count = len(error.mistakes)
        told = error.told(None if options.run is _check else _MISTAKES_BESIDE)
        output.complain(f"{told}\n{count} mistake{'s' * (count > 1)} in the configuration.")
        return 1
    except (EnvironmentMistake, OutputFailed, StorageMistake) as problem:
        output.complain(str(problem))
        return 1
    except KeyboardInterrupt:
        return 130


class _Version(argparse.Action):
    """Prints the version, which is looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print it and exit."""
        from importlib.metadata import version

        output.show(f"{parser.prog} {version('sms-credit-exporter')}")
        parser.exit()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    try:
        return command_line().parse_args(arguments)
    except SystemExit:
        output.finish()  # what --help and --version have printed
        raise


_Form = partial(argparse.RawDescriptionHelpFormatter, max_help_position=32)
"""How help is laid out: examples as they stand, and room for long options."""


def command_line() -> argparse.ArgumentParser:
    """Return what reads the command line; help, completions and docs/exporter.md follow from it."""
    parser = argparse.ArgumentParser(
        prog="sms-credit-exporter",
        description="Prometheus exporter for the balance, SMS quota and credit block of SMS-gateway accounts.",
        epilog="COMMAND --help tells more of a command.",
        formatter_class=_Form,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(
        run: Callable[[argparse.Namespace], int], name: str, text: str, *, example: str, exits: Mapping[int, str]
    ) -> argparse.ArgumentParser:
        codes = "\n".join(f"  {code}  {meaning}" for code, meaning in {**exits, 2: _WRONG}.items())
        added = commands.add_parser(
            name,
            help=text,
            description=text,
            epilog=f"exit codes:\n{codes}\n\nexample:\n  {parser.prog} {name} {example}".rstrip(),
            formatter_class=_Form,
            allow_abbrev=False,
        )
        added.set_defaults(run=run)
        return added

    serve = command(
        _serve,
        "serve",
        "Poll the configured accounts and serve their metrics.",
        example="--config.file=config.yml --storage.path=/var/lib/sms-credit/state.db",
        exits={
            0: "after SIGTERM",
            1: "the configuration, the environment or the storage is wrong, or the port is taken",
        },
    )
    _add_accounts(serve)
    serve.add_argument(
        "--config.auto-reload-interval",
        dest="auto_reload",
        type=_checked(_interval),
        metavar="DURATION",
        help="reload when a configuration file has changed, and look for that so often, such as 30s (default: off)",
    )
    serve.add_argument(
        "--storage.path",
        dest="storage",
        type=Path,
        metavar="FILE",
        help="keeps what is known over restarts (default: nothing is kept)",
    )
    _add_listen_address(serve, _SERVE_ADDRESS, or_socket=True)
    serve.add_argument(
        "--web.config.file",
        dest="web_config_file",
        type=Path,
        metavar="FILE",
        help="TLS, users, headers and a rate limit (default: none)",
    )
    serve.add_argument(
        "--web.enable-lifecycle",
        dest="lifecycle",
        action="store_true",
        help="let requests reload the configuration (default: off)",
    )
    serve.add_argument(
        "--web.max-requests",
        dest="max_requests",
        type=_checked(_most),
        default=_MAX_REQUESTS,
        metavar="N",
        help="how many requests are answered at once; others get 503; 0 is no limit (default %(default)s)",
    )
    serve.add_argument(
        "--web.external-url",
        dest="external_path",
        type=_checked(external_path),
        metavar="URL",
        help="where a reverse proxy shows the exporter; all routes lie under its path (default: none)",
    )
    serve.add_argument(
        "--web.route-prefix",
        dest="route_prefix",
        type=_checked(route_prefix),
        metavar="PATH",
        help="where the routes lie instead: / if the proxy strips the path (default: the path of that URL)",
    )
    serve.add_argument(
        "--web.dashboard-url",
        dest="dashboard",
        type=_checked(_template),
        metavar="URL",
        help="the dashboard of an account, with {account} and {provider} in it, to link to (default: none)",
    )
    _add_logging(serve)

    demo = command(
        _demo,
        "demo",
        "Serve simulated accounts; needs no credentials and calls no provider.",
        example="--web.listen-address=127.0.0.1:8080",
        exits={0: "after SIGTERM", 1: "the port is taken"},
    )
    _add_listen_address(demo, _DEMO_ADDRESS)
    _add_logging(demo)

    _add_accounts(
        command(
            _check,
            "check",
            "Report every mistake in a configuration.",
            example="--config.file=config.yml",
            exits={0: "no mistakes", 1: "mistakes"},
        )
    )

    _add_balance(
        command(
            _balance,
            "balance",
            "Poll each account once and print what came of it.",
            example="--config.file=config.yml --account=otp --output=nagios",
            exits={
                0: "all is well: each account was read, or is still being set up, and is neither blocked nor low",
                1: "something needs a person; with --output=nagios, 0 is OK, 1 WARNING, 2 CRITICAL and 3 UNKNOWN",
            },
        )
    )

    again = command(
        _backtest,
        "backtest",
        "Replay a recorded history: would it have warned, and how long before?",
        example="history.csv --low-balance=50 --low-runway=3d",
        exits={0: "replayed", 1: "the file has mistakes, which are told with their lines"},
    )
    again.add_argument(
        "history", type=Path, metavar="HISTORY.csv", help="CSV with the columns time and balance; - is standard input"
    )
    again.add_argument("--json", action="store_true", help="print JSON (default: a summary)")
    low_balance, low_quota = _limit(history.number), _limit(history.whole)
    again.add_argument(
        "--low-balance", type=low_balance, metavar="N", help="at or below it the credit is low (default: no limit)"
    )
    again.add_argument("--low-quota", type=low_quota, metavar="N", help="the same in messages (default: no limit)")
    again.add_argument(
        "--low-runway",
        type=_checked(_duration),
        metavar="DURATION",
        help="the same in time, such as 3d (default: no limit)",
    )

    health = command(
        _healthcheck,
        "healthcheck",
        "Ask a running exporter whether it works, as a container does.",
        example=_HEALTHCHECK_URL,
        exits={0: "it works", 1: "it does not answer, or not so"},
    )
    health.add_argument(
        "url",
        nargs="?",
        type=_checked(_url),
        default=_HEALTHCHECK_URL,
        metavar="URL",
        help="where it listens (default %(default)s)",
    )

    shipped = command(
        _monitoring,
        "monitoring",
        "Write alert rules, dashboards and runbooks to a folder.",
        example="--output=grafana",
        exits={0: "written", 1: "files there differ, or nothing can be written"},
    )
    shipped.add_argument("--output", type=Path, required=True, metavar="DIR", help="the folder; made if it is missing")
    shipped.add_argument(
        "--force", action="store_true", help="replace files there that differ (default: keep them, and fail)"
    )

    completion = command(
        _completion,
        "completion",
        "Print what makes a shell complete commands and options.",
        example="bash > ~/.local/share/bash-completion/completions/sms-credit-exporter",
        exits={0: "printed"},
    )
    completion.add_argument("shell", choices=SHELLS, metavar="SHELL", help=f"one of {', '.join(SHELLS)}")
    return parser


def _add_accounts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config.file",
        dest="config_file",
        type=Path,
        metavar="FILE",
        help="the configuration (default: one account from SMS_CREDIT_* in the environment)",
    )
    parser.add_argument(
        "--shard",
        type=_checked(Shard.parse),
        default=WHOLE,
        metavar="I/N",
        help="only the accounts of shard I of N (default %(default)s)",
    )
    parser.set_defaults(refuse=parser.error)


def _add_balance(parser: argparse.ArgumentParser) -> None:
    _add_accounts(parser)
    parser.add_argument(
        "--account",
        dest="names",
        action="append",
        default=[],
        metavar="NAME",
        help="ask for this account only; may be given several times (default: all)",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--output",
        choices=_FORMS,
        default=_FORMS[0],
        help="what to print; nagios has the exit codes of plugins too (default %(default)s)",
    )
    form.add_argument("--json", dest="output", action="store_const", const="json", help="the same as --output=json")
    parser.add_argument(
        "--color",
        choices=output.COLOURING,
        default=output.COLOURING[0],
        help="colours in the table; auto is on a terminal, unless NO_COLOR is set (default %(default)s)",
    )


def _add_listen_address(parser: argparse.ArgumentParser, default: str, *, or_socket: bool = False) -> None:
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--web.listen-address",
        dest="addresses",
        action="append",
        type=_checked(_address),
        default=None,
        metavar="ADDR",
        help=f"where to listen; may be given several times (default {default})",
    )
    parser.set_defaults(default_address=default)
    if or_socket:
        where.add_argument(
            "--web.systemd-socket",
            dest="systemd_socket",
            action="store_true",
            help="listen on the sockets that systemd passes instead (default: off)",
        )


def _address(text: str) -> "Address":
    from .web import Address

    return Address.parse(text)


def _url(text: str) -> "SplitResult":
    from . import healthcheck

    return healthcheck.address(text)


def _checked(read: Callable[[str], T]) -> Callable[[str], T]:
    """Return what reads an argument and has argparse tell what is wrong with it, which a ValueError says."""

    def checked(text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked


def _most(text: str) -> int:
    if not re.fullmatch("[0-9]{1,6}", text):
        message = f"“{text}” is not a whole number from 0 to 999999"
        raise ValueError(message)
    return int(text)


def _template(text: str) -> "Template":
    from .advice import Template

    return Template.parse(text)


def _add_logging(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--log.level",
        dest="log_level",
        choices=log.LEVELS,
        default="info",
        help="the least that is logged (default %(default)s)",
    )
    parser.add_argument(
        "--log.format",
        dest="log_format",
        choices=log.FORMATS,
        default="logfmt",
        help="how it is written (default %(default)s)",
    )


def _loader(options: argparse.Namespace) -> Callable[[], "Config"]:
    """Return what loads the configuration: that of the file, or else the account in the environment."""
    from .config import load, load_variables
    from .config.variables import given

    file: Path | None = options.config_file
    shard: Shard = options.shard
    variables = given(os.environ)
    if file and variables:
        options.refuse(f"--config.file and {variables[0]} in the environment are both given; must be one of them")
    if not file and not variables:
        options.refuse("--config.file is needed, or an account in the environment (SMS_CREDIT_PROVIDER and others)")
    return lambda: (load(file) if file else load_variables()).of(shard)


def _serve(options: argparse.Namespace) -> int:
    from .activation import passed_sockets
    from .advice import Links
    from .config.files import noted_so_far
    from .config.web import WebConfig, load_web
    from .environment import check_environment
    from .exporter import Exporter
    from .storage import Memory, check_no_other_file

    check_environment()
    sockets = passed_sockets() if options.systemd_socket else []
    log.set_up(options.log_level, options.log_format)
    web_file: Path | None = options.web_config_file
    check_no_other_file(options.storage, {"configuration": options.config_file, "web configuration": web_file})
    load, read = _loader(options), set[Path]()

    def load_and_note() -> "Config":
        config = load()
        read.update(noted_so_far())
        return config

    exporter = Exporter(
        load_and_note,
        partial(load_web, web_file) if web_file else WebConfig,
        memory=partial(_storage, options.storage, read) if options.storage else Memory,
        auto_reload=options.auto_reload,
        lifecycle=options.lifecycle,
        max_requests=options.max_requests,
        links=Links(options.dashboard),
        prefix=Prefix.of(options.external_path, options.route_prefix),
    )
    return _run(exporter.run, sockets or _addresses(options))


def _storage(path: Path, read: Collection[Path]) -> "Memory":
    """Open the storage, once the configuration has been read; these are the files that it consists of."""
    from .storage import Storage, check_no_other_file

    for file in read if path.exists() else ():
        check_no_other_file(path, {"accounts or credential": file})
    return Storage(path)


def _demo(options: argparse.Namespace) -> int:
    from . import demo
    from .environment import check_environment

    check_environment()
    log.set_up(options.log_level, options.log_format)
    return _run(demo.run, _addresses(options))


def _addresses(options: argparse.Namespace) -> Sequence["Address"]:
    from .web import Address

    return options.addresses or [Address.parse(options.default_address)]


def _run(run: Callable[[Sequence["Place"]], Coroutine[None, None, None]], places: Sequence["Place"]) -> int:
    import asyncio

    import structlog

    from .loop import Loop

    events = structlog.stdlib.get_logger()
    _allow_many_connections()
    try:
        with asyncio.Runner(loop_factory=Loop) as runner:
            runner.run(run(places))
    except OSError as error:
        events.error("cannot listen", reason=error.strerror or str(error))
        return 1
    except Exception:  # noqa: BLE001 - logged like everything else, then the process ends
        events.exception("ended by an unexpected error")
        return 1
    return 0


def _allow_many_connections() -> None:
    """Raise the limit on open files as far as the system lets us, so that idle clients cannot use it up soon."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _check(options: argparse.Namespace) -> int:
    _end_on_hangup()
    config = _loader(options)()
    count = len(config.accounts) + config.elsewhere
    part = "" if config.shard == WHOLE else f", {len(config.accounts)} of them in shard {config.shard}"
    place = options.config_file or "environment"
    output.show(f"{place}: no mistakes, {counted(count, 'account')}{part}.")
    return 0


def _balance(options: argparse.Namespace) -> int:
    from . import balance

    _end_on_hangup()
    if options.output == "nagios":
        return _plugin(options)
    views = _asked(options)
    if options.output == "json":
        output.show(balance.as_json(views, ensure_ascii=not output.knows_every_letter()))
    else:
        output.show(balance.as_table(views, output.painter(options.color)))
    return 0 if balance.all_well(views) else 1


def _plugin(options: argparse.Namespace) -> int:
    """Do as monitoring plugins do: whatever goes wrong is a state that is not known, and is told on standard output."""
    from . import nagios

    try:
        views = _asked(options)
        output.show(nagios.as_plugin(views))
    except (FileError, EnvironmentMistake) as mistake:
        output.show(nagios.failed(str(mistake)))
    except OutputFailed as problem:
        output.complain(str(problem))
    else:
        return nagios.worst(views)
    return nagios.State.UNKNOWN


def _asked(options: argparse.Namespace) -> tuple["View", ...]:
    import asyncio

    from .balance import views_of
    from .environment import check_environment

    check_environment()
    config = _loader(options)()
    if missing := [name for name in options.names if name not in config.names]:
        options.refuse(f"--account: there is no account “{missing[0]}”")
    with output.progress_line() as show:
        asked = views_of(config, options.names, lambda done, of: show(f"{done} of {counted(of, 'account')} asked"))
        return asyncio.run(asked)


def _backtest(options: argparse.Namespace) -> int:
    from sms_credit_core import Limits

    from .backtest import Replay

    _end_on_hangup()
    limits = Limits(low_balance=options.low_balance, low_quota=options.low_quota, low_runway=options.low_runway)
    replay = Replay.of(history.read(options.history), limits)
    output.show(replay.as_json(ensure_ascii=not output.knows_every_letter()) if options.json else replay.as_text())
    return 0


def _limit(read: Callable[[str], Number]) -> Callable[[str], Number]:
    """Return what reads a limit, which may be zero."""

    def limit(text: str) -> Number:
        value = read(text)
        if value < 0:
            message = f"found “{text}”; must be zero or above"
            raise ValueError(message)
        return value

    return _checked(limit)


def _duration(text: str) -> float:
    seconds = parse_duration(text)
    if seconds is None:
        message = f"“{text}” is no duration such as 12h or 3d"
        raise ValueError(message)
    return seconds


def _healthcheck(options: argparse.Namespace) -> int:
    from . import healthcheck

    _end_on_hangup()
    if trouble := healthcheck.trouble(options.url):
        output.complain(trouble)
        return 1
    output.show("healthy")
    return 0


def _interval(text: str) -> float:
    seconds = _duration(text)
    if seconds < 1:
        message = f"“{text}” is too often; must be at least 1s"
        raise ValueError(message)
    return seconds


def _monitoring(options: argparse.Namespace) -> int:
    from . import monitoring

    return monitoring.write(options.output, force=options.force)


def _completion(options: argparse.Namespace) -> int:
    from . import completion

    output.show(completion.script(command_line(), options.shell))
    return 0


def _end_on_hangup() -> None:
    """Let a closed terminal end what has nothing to reload."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
