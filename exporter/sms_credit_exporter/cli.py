"""What each command does. Exit codes: 0 fine, 1 something for a person to see to, 2 the command line itself is wrong.

Each command imports what it alone needs, so that the quick ones do not wait for a web server.
"""

import argparse
import os
import resource
import signal
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from . import history, log, output
from .command_line import command_line
from .history import counted
from .mistakes import EnvironmentMistake, FileError, StorageMistake
from .output import OutputFailed
from .prefix import Prefix
from .shards import WHOLE, Shard

if TYPE_CHECKING:
    from .accounts import Config, View
    from .storage import Memory
    from .web import Address, Place

_MISTAKES_BESIDE = 20
"""The most mistakes that `serve` and `balance` tell; `check` tells all of them."""

_MISTAKES_OF_HISTORY = 100
"""The most mistakes that `backtest` tells: a wrong format makes one in each row."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    output.set_up()
    try:
        options = _options(arguments)
        return _COMMANDS[options.command](options)
    except history.HistoryError as error:
        output.complain(error.told(_MISTAKES_OF_HISTORY))
        return 1
    except FileError as error:
        count = len(error.mistakes)
        told = error.told(None if options.command == "check" else _MISTAKES_BESIDE)
        output.complain(f"{told}\n{count} mistake{'s' * (count > 1)} in the configuration.")
        return 1
    except (EnvironmentMistake, OutputFailed, StorageMistake) as problem:
        output.complain(str(problem))
        return 1
    except KeyboardInterrupt:
        return 130


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    try:
        return command_line().parse_args(arguments)
    except SystemExit:
        output.finish()  # what --help and --version have printed
        raise


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


def _healthcheck(options: argparse.Namespace) -> int:
    from . import healthcheck

    _end_on_hangup()
    if trouble := healthcheck.trouble(options.url):
        output.complain(trouble)
        return 1
    output.show("healthy")
    return 0


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


_COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "serve": _serve,
    "demo": _demo,
    "check": _check,
    "balance": _balance,
    "backtest": _backtest,
    "healthcheck": _healthcheck,
    "monitoring": _monitoring,
    "completion": _completion,
}
