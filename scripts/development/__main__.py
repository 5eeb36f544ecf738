"""The command behind scripts/develop."""

import argparse
import asyncio
import shutil
import signal
import sys
from contextlib import suppress

from sms_credit_core import PROVIDERS

from .control import controlling
from .home_assistant import CHECKOUT, PASSWORD, RESTART, USER, HomeAssistantError, check_free, running
from .providers import SimulatedProviders, simulated_providers

_FOLDER = CHECKOUT / ".tools" / "develop"


def main() -> int:
    """Run until a signal comes or Home Assistant ends."""
    parser = argparse.ArgumentParser(prog="scripts/develop", description="Home Assistant among simulated providers.")
    parser.add_argument("--port", type=int, default=8123, help="of Home Assistant (%(default)s)")
    parser.add_argument("--control-port", type=int, default=8124, help="of the simulated accounts' page (%(default)s)")
    parser.add_argument("--language", default="en", help="of entity names and messages (%(default)s)")
    parser.add_argument("--fresh", action="store_true", help=f"forget what is in {_FOLDER.relative_to(CHECKOUT)}")
    options = parser.parse_args()
    try:
        check_free(options.port)
        if options.fresh and _FOLDER.exists():
            shutil.rmtree(_FOLDER)
        return asyncio.run(_develop(options.port, options.control_port, options.language))
    except (HomeAssistantError, OSError) as error:
        print(f"scripts/develop: {error}", file=sys.stderr)
        return 1


async def _develop(port: int, control_port: int, language: str) -> int:
    """Return Home Assistant's exit code, or 0 after a signal."""
    this = asyncio.current_task()
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(each, this.cancel if this else lambda: None)
    with suppress(asyncio.CancelledError):
        async with simulated_providers() as providers, controlling(providers, control_port) as control:
            code = RESTART
            while code == RESTART:
                print("Home Assistant is starting", flush=True)
                async with running(_FOLDER, port, providers.environment, language=language) as home_assistant:
                    print(_welcome(home_assistant.url, control, providers), flush=True)
                    code = await home_assistant.process.wait()
            return code
    return 0


def _welcome(url: str, control: str, providers: SimulatedProviders) -> str:
    """Say where everything is, and what can be added."""
    accounts = [
        f"  {name:18}{PROVIDERS[account.provider].name:15}"
        + "  ".join(f"{field}: {value}" for field, value in account.credentials.items())
        for name, account in providers.accounts.items()
    ]
    return "\n".join(
        (
            "",
            f"Home Assistant        {url}   user {USER}, password {PASSWORD}",
            f"Simulated accounts    {control}   shows what each answers, and changes it",
            f"Add an account        {url}/config/integrations/dashboard/add?domain=sms_credit",
            "",
            *accounts,
            "",
            "Changed code is loaded by Home Assistant's own restart. Ctrl-C ends all of it.",
            "",
        )
    )


sys.exit(main())
