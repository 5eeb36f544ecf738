"""The providers: one file each, one line each in the table below."""

from collections.abc import Mapping

from ..provider import Provider
from .iletimerkezi import IletiMerkezi
from .telecom23 import Telecom23
from .vonage import Vonage

_ALL: tuple[Provider, ...] = (
    Telecom23(),
    IletiMerkezi(),
    Vonage(),
)

PROVIDERS: Mapping[str, Provider] = {provider.key: provider for provider in _ALL}
"""Every provider by its key."""
