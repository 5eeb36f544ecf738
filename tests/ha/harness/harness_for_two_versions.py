"""Lets the test harness, made for Home Assistant 2026.10, run on 2026.11 too.

pytest loads it before any other plugin. It goes when there is a harness for 2026.11.
"""

import homeassistant  # noqa: F401 - puts httpx2 in httpx's place, which respx and the harness import next

# The harness patches these before anything of Home Assistant is imported that uses them.
from pytest_homeassistant_custom_component import patch_json, patch_recorder, patch_time  # noqa: F401 # isort: skip

from homeassistant.components import logger
from homeassistant.components.logger import helpers

# 2026.11 no longer hands it on, and the harness imports it from there.
logger._clear_logger_overwrites = helpers._clear_logger_overwrites  # noqa: SLF001
