"""What the exporter's own tests start and write serves here too."""

from tests.exporter.conftest import config_file, http, providers, start

__all__ = ["config_file", "http", "providers", "start"]
