# What Home Assistant 2026.11 does at run time, told to the type checker.
from httpx2 import *  # noqa: F403 - one is the other
