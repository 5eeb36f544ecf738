"""All that is configured, loaded together: accounts, web server, and the files that these name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .accounts import Config
from .config import ConfigError
from .config.files import noted
from .config.web import WebConfig


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of loading."""

    outcome: tuple[Config, WebConfig] | ConfigError
    files: Mapping[Path, bytes] = field(repr=False)
    """Every file that was read, with a digest: the same files, the same outcome."""


@dataclass(frozen=True, slots=True)
class Loader:
    """Loads accounts and web server from wherever they are configured."""

    load: Callable[[], Config]
    load_web: Callable[[], WebConfig]

    def __call__(self) -> Loaded:
        """Load everything. May be called in any thread."""
        with noted() as files:
            try:
                return Loaded((self.load(), self.load_web()), files)
            except ConfigError as error:
                return Loaded(error, files)
