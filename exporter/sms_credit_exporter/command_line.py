"""Which commands there are, with their options. Help, completions and docs/exporter.md follow from it."""

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from . import history, log, output
from .completion import SHELLS
from .option_values import address, checked, count, duration, interval, limit, template, url
from .prefix import external_path, route_prefix
from .shards import WHOLE, Shard

PROGRAM = "sms-credit-exporter"

_SERVE_ADDRESS = ":10767"
_DEMO_ADDRESS = "127.0.0.1:10767"
_HEALTHCHECK_URL = f"http://{_DEMO_ADDRESS}"

_MAX_REQUESTS = 500
"""Answered at once. A slow reader holds what it was not sent yet, which may be megabytes."""

_FORMS = ("table", "json", "nagios")
"""What `balance` can print."""

_WRONG = {2: "the command line is wrong"}
"""The exit code that all commands share."""

_Form = partial(argparse.RawDescriptionHelpFormatter, max_help_position=32)
"""How help is laid out: examples as they stand, and room for long options."""


class _Version(argparse.Action):
    """Prints the version, which is looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print it and exit."""
        from importlib.metadata import version

        output.show(f"{parser.prog} {version(PROGRAM)}")
        parser.exit()


def command_line() -> argparse.ArgumentParser:
    """Return what reads the command line; `command` of what it reads is the name of the command."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Prometheus exporter for the balance, SMS quota and credit block of SMS-gateway accounts.",
        epilog="COMMAND --help tells more of a command.",
        formatter_class=_Form,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")
    for add in (_serve, _demo, _check, _balance, _backtest, _healthcheck, _monitoring, _completion):
        add(partial(_added, commands))
    return parser


_Add = Callable[..., argparse.ArgumentParser]
"""Adds a command."""


def _added(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    text: str,
    *,
    example: str,
    exits: Mapping[int, str],
) -> argparse.ArgumentParser:
    codes = "\n".join(f"  {code}  {meaning}" for code, meaning in {**exits, **_WRONG}.items())
    return commands.add_parser(
        name,
        help=text,
        description=text,
        epilog=f"exit codes:\n{codes}\n\nexample:\n  {PROGRAM} {name} {example}".rstrip(),
        formatter_class=_Form,
        allow_abbrev=False,
    )


def _serve(add: _Add) -> None:
    parser = add(
        "serve",
        "Poll the configured accounts and serve their metrics.",
        example="--config.file=config.yml --storage.path=/var/lib/sms-credit/state.db",
        exits={
            0: "after SIGTERM",
            1: "the configuration, the environment or the storage is wrong, or the port is taken",
        },
    )
    _add_accounts(parser)
    parser.add_argument(
        "--config.auto-reload-interval",
        dest="auto_reload",
        type=checked(interval),
        metavar="DURATION",
        help="reload when a configuration file has changed, and look for that so often, such as 30s (default: off)",
    )
    parser.add_argument(
        "--storage.path",
        dest="storage",
        type=Path,
        metavar="FILE",
        help="keeps what is known over restarts (default: nothing is kept)",
    )
    _add_listen_address(parser, _SERVE_ADDRESS, or_socket=True)
    parser.add_argument(
        "--web.config.file",
        dest="web_config_file",
        type=Path,
        metavar="FILE",
        help="TLS, users, headers and a rate limit (default: none)",
    )
    parser.add_argument(
        "--web.enable-lifecycle",
        dest="lifecycle",
        action="store_true",
        help="let requests reload the configuration (default: off)",
    )
    parser.add_argument(
        "--web.max-requests",
        dest="max_requests",
        type=checked(count),
        default=_MAX_REQUESTS,
        metavar="N",
        help="how many requests are answered at once; others get 503; 0 is no limit (default %(default)s)",
    )
    parser.add_argument(
        "--web.external-url",
        dest="external_path",
        type=checked(external_path),
        metavar="URL",
        help="where a reverse proxy shows the exporter; all routes lie under its path (default: none)",
    )
    parser.add_argument(
        "--web.route-prefix",
        dest="route_prefix",
        type=checked(route_prefix),
        metavar="PATH",
        help="where the routes lie instead: / if the proxy strips the path (default: the path of that URL)",
    )
    parser.add_argument(
        "--web.dashboard-url",
        dest="dashboard",
        type=checked(template),
        metavar="URL",
        help="the dashboard of an account, with {account} and {provider} in it, to link to (default: none)",
    )
    _add_logging(parser)


def _demo(add: _Add) -> None:
    parser = add(
        "demo",
        "Serve simulated accounts; needs no credentials and calls no provider.",
        example="--web.listen-address=127.0.0.1:8080",
        exits={0: "after SIGTERM", 1: "the port is taken"},
    )
    _add_listen_address(parser, _DEMO_ADDRESS)
    _add_logging(parser)


def _check(add: _Add) -> None:
    _add_accounts(
        add(
            "check",
            "Report every mistake in a configuration.",
            example="--config.file=config.yml",
            exits={0: "no mistakes", 1: "mistakes"},
        )
    )


def _balance(add: _Add) -> None:
    parser = add(
        "balance",
        "Poll each account once and print what came of it.",
        example="--config.file=config.yml --account=otp --output=nagios",
        exits={
            0: "all is well: each account was read, or is still being set up, and is neither blocked nor low",
            1: "something needs a person; with --output=nagios, 0 is OK, 1 WARNING, 2 CRITICAL and 3 UNKNOWN",
        },
    )
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


def _backtest(add: _Add) -> None:
    parser = add(
        "backtest",
        "Replay a recorded history: would it have warned, and how long before?",
        example="history.csv --low-balance=50 --low-runway=3d",
        exits={0: "replayed", 1: "the file has mistakes, which are told with their lines"},
    )
    parser.add_argument(
        "history", type=Path, metavar="HISTORY.csv", help="CSV with the columns time and balance; - is standard input"
    )
    parser.add_argument("--json", action="store_true", help="print JSON (default: a summary)")
    low_balance, low_quota = checked(limit(history.number)), checked(limit(history.whole))
    parser.add_argument(
        "--low-balance", type=low_balance, metavar="N", help="at or below it the credit is low (default: no limit)"
    )
    parser.add_argument("--low-quota", type=low_quota, metavar="N", help="the same in messages (default: no limit)")
    parser.add_argument(
        "--low-runway",
        type=checked(duration),
        metavar="DURATION",
        help="the same in time, such as 3d (default: no limit)",
    )


def _healthcheck(add: _Add) -> None:
    parser = add(
        "healthcheck",
        "Ask a running exporter whether it works, as a container does.",
        example=_HEALTHCHECK_URL,
        exits={0: "it works", 1: "it does not answer, or not so"},
    )
    parser.add_argument(
        "url",
        nargs="?",
        type=checked(url),
        default=_HEALTHCHECK_URL,
        metavar="URL",
        help="where it listens (default %(default)s)",
    )


def _monitoring(add: _Add) -> None:
    parser = add(
        "monitoring",
        "Write alert rules, dashboards and runbooks to a folder.",
        example="--output=grafana",
        exits={0: "written", 1: "files there differ, or nothing can be written"},
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="the folder; made if it is missing")
    parser.add_argument(
        "--force", action="store_true", help="replace files there that differ (default: keep them, and fail)"
    )


def _completion(add: _Add) -> None:
    parser = add(
        "completion",
        "Print what makes a shell complete commands and options.",
        example="bash > ~/.local/share/bash-completion/completions/sms-credit-exporter",
        exits={0: "printed"},
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=f"one of {', '.join(SHELLS)}")


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
        type=checked(Shard.parse),
        default=WHOLE,
        metavar="I/N",
        help="only the accounts of shard I of N (default %(default)s)",
    )
    parser.set_defaults(refuse=parser.error)


def _add_listen_address(parser: argparse.ArgumentParser, default: str, *, or_socket: bool = False) -> None:
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--web.listen-address",
        dest="addresses",
        action="append",
        type=checked(address),
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
