"""The command line. Exit codes: 0 fine, 1 something for a person to see to, 2 the command line itself is wrong.

Each command imports what it alone needs, so that the quick ones do not wait for a web server.
"""

import argparse
import resource
import signal
from collections.abc import Callable, Coroutine, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from . import history, log, output
from .durations import parse_duration
from .mistakes import EnvironmentMistake, FileError, StorageMistake
from .output import OutputFailed
from .prefix import Prefix, external_path, route_prefix

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from .advice import Template
    from .web import Address, Place

Number = TypeVar("Number", Decimal, int)

_SERVE_ADDRESS = ":10767"
_DEMO_ADDRESS = "127.0.0.1:10767"
_HEALTHCHECK_URL = f"http://{_DEMO_ADDRESS}"

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
        return _parser().parse_args(arguments)
    except SystemExit:
        output.finish()  # what --help and --version have printed
        raise


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sms-credit-exporter",
        description="Prometheus exporter for the balance, SMS quota and credit block of SMS-gateway accounts.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(run: Callable[[argparse.Namespace], int], name: str, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        added.set_defaults(run=run)
        return added

    serve = command(_serve, "serve", "Poll the configured accounts and serve their metrics.")
    _add_config_file(serve)
    serve.add_argument(
        "--config.auto-reload-interval",
        dest="auto_reload",
        type=_interval,
        metavar="DURATION",
        help="reload when a configuration file has changed, and look for that so often, such as 30s (default: off)",
    )
    serve.add_argument(
        "--storage.path", dest="storage", type=Path, metavar="FILE", help="keeps what is known over restarts"
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
        type=_template,
        metavar="URL",
        help="the dashboard of an account, with {account} and {provider} in it, to link to (default: none)",
    )
    _add_logging(serve)

    demo = command(_demo, "demo", "Serve simulated accounts; needs no credentials and calls no provider.")
    _add_listen_address(demo, _DEMO_ADDRESS)
    _add_logging(demo)

    _add_config_file(command(_check, "check", "Report every mistake in a configuration file."))

    once = command(_balance, "balance", "Poll each account once and print what came of it.")
    _add_config_file(once)
    once.add_argument("--json", action="store_true", help="print JSON instead of a table")

    again = command(_backtest, "backtest", "Replay a recorded history: would it have warned, and how long before?")
    again.add_argument(
        "history", type=Path, metavar="HISTORY.csv", help="CSV with the columns time and balance; - is standard input"
    )
    again.add_argument("--json", action="store_true", help="print JSON instead of a summary")
    low_balance, low_quota = _limit(history.number), _limit(history.whole)
    again.add_argument("--low-balance", type=low_balance, metavar="N", help="at or below it the credit is low")
    again.add_argument("--low-quota", type=low_quota, metavar="N", help="the same in messages")
    again.add_argument("--low-runway", type=_duration, metavar="DURATION", help="the same in time, such as 3d")

    health = command(_healthcheck, "healthcheck", "Ask a running exporter whether it works, as a container does.")
    health.add_argument(
        "url",
        nargs="?",
        type=_url,
        default=_HEALTHCHECK_URL,
        metavar="URL",
        help="where it listens (default %(default)s)",
    )

    shipped = command(_monitoring, "monitoring", "Write alert rules, dashboards and runbooks to a folder.")
    shipped.add_argument("--output", type=Path, required=True, metavar="DIR")
    shipped.add_argument("--force", action="store_true", help="replace files there that differ")
    return parser


def _add_config_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config.file", dest="config_file", type=Path, required=True, metavar="FILE")


def _add_listen_address(parser: argparse.ArgumentParser, default: str, *, or_socket: bool = False) -> None:
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--web.listen-address",
        dest="addresses",
        action="append",
        type=_address,
        default=None,
        metavar="ADDR",
        help=f"may be given several times (default {default})",
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

    try:
        return Address.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _url(text: str) -> "SplitResult":
    from . import healthcheck

    try:
        return healthcheck.address(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _checked(read: Callable[[str], str]) -> Callable[[str], str]:
    """Return what reads an argument and has argparse tell what is wrong with it."""

    def checked(text: str) -> str:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked


def _template(text: str) -> "Template":
    from .advice import Template

    try:
        return Template.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _add_logging(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--log.level", dest="log_level", choices=log.LEVELS, default="info")
    parser.add_argument("--log.format", dest="log_format", choices=log.FORMATS, default="logfmt")


def _serve(options: argparse.Namespace) -> int:
    from .activation import passed_sockets
    from .advice import Links
    from .config import load
    from .config.web import WebConfig, load_web
    from .environment import check_environment
    from .exporter import Exporter
    from .storage import Memory, Storage, check_no_other_file

    check_environment()
    sockets = passed_sockets() if options.systemd_socket else []
    log.set_up(options.log_level, options.log_format)
    web_file: Path | None = options.web_config_file
    check_no_other_file(options.storage, {"configuration": options.config_file, "web configuration": web_file})
    exporter = Exporter(
        partial(load, options.config_file),
        partial(load_web, web_file) if web_file else WebConfig,
        memory=partial(Storage, options.storage) if options.storage else Memory,
        auto_reload=options.auto_reload,
        lifecycle=options.lifecycle,
        links=Links(options.dashboard),
        prefix=Prefix.of(options.external_path, options.route_prefix),
    )
    return _run(exporter.run, sockets or _addresses(options))


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
    from .config import load

    _end_on_hangup()
    config = load(options.config_file)
    count = len(config.accounts)
    output.show(f"{options.config_file}: no mistakes, {count} account{'s' * (count > 1)}.")
    return 0


def _balance(options: argparse.Namespace) -> int:
    import asyncio

    from . import balance
    from .config import load
    from .environment import check_environment

    _end_on_hangup()
    check_environment()
    views = asyncio.run(balance.views_of(load(options.config_file)))
    as_json = partial(balance.as_json, ensure_ascii=not output.knows_every_letter())
    output.show((as_json if options.json else balance.as_table)(views))
    return 0 if balance.all_well(views) else 1


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
        try:
            value = read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        if value < 0:
            message = f"found “{text}”; must be zero or above"
            raise argparse.ArgumentTypeError(message)
        return value

    return limit


def _duration(text: str) -> float:
    seconds = parse_duration(text)
    if seconds is None:
        message = f"“{text}” is no duration such as 12h or 3d"
        raise argparse.ArgumentTypeError(message)
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
        raise argparse.ArgumentTypeError(message)
    return seconds


def _monitoring(options: argparse.Namespace) -> int:
    from . import monitoring

    return monitoring.write(options.output, force=options.force)


def _end_on_hangup() -> None:
    """Let a closed terminal end what has nothing to reload."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
