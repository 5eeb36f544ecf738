"""Lets `python -m sms_credit_exporter` do what the command does."""

import signal
import sys


def main() -> int:
    """Run the command line."""
    # A reload that is asked for while this starts must not end it. The signal waits, until `serve` has a handler.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    from .cli import main as run  # noqa: PLC0415 - importing it takes as long as anything that follows

    return run()


if __name__ == "__main__":
    sys.exit(main())
