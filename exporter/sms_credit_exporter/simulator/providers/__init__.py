"""The simulated providers: one file each, one line each in the table below."""

from collections.abc import Mapping

from ..apis import Api
from .iletimerkezi import IletiMerkezi
from .telecom23 import Telecom23
from .vonage import Vonage

_ALL: tuple[type[Api], ...] = (
    Telecom23,
    IletiMerkezi,
    Vonage,
)

APIS: Mapping[str, type[Api]] = {api.key: api for api in _ALL}
"""Every simulated provider by its key in the core."""
