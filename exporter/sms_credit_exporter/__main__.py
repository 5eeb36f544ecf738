"""Lets `python -m sms_credit_exporter` do what the command does."""

import os
import signal
import sys


def main() -> int:
    """Run the command line."""
    # A reload that is asked for while this starts must not end it. The signal waits, until `serve` has a handler. So
    # does the one that stops a container: the kernel keeps from process 1 whatever it has no handler for.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP} | ({signal.SIGTERM} if os.getpid() == 1 else set()))
    from .cli import main as run  # noqa: PLC0415 - importing it takes as long as anything that follows

    return run()


if __name__ == "__main__":
    sys.exit(main())
