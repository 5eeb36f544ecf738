"""Lets `python -m sms_credit_exporter` do what the command does."""

import sys

from .cli import main

sys.exit(main())
