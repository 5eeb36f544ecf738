"""The providers: one file each, one line each in the table below."""

from collections.abc import Mapping

from ..provider import Provider
from .bulksms import BulkSms
from .clicksend import ClickSend
from .elks46 import Elks46
from .iletimerkezi import IletiMerkezi
from .netgsm import Netgsm
from .plivo import Plivo
from .seven import Seven
from .telecom23 import Telecom23
from .telnyx import Telnyx
from .twilio import Twilio
from .vonage import Vonage

_ALL: tuple[Provider, ...] = (
    Telecom23(),
    IletiMerkezi(),
    Vonage(),
    Twilio(),
    Telnyx(),
    Plivo(),
    Netgsm(),
    ClickSend(),
    Seven(),
    Elks46(),
    BulkSms(),
)

PROVIDERS: Mapping[str, Provider] = {provider.key: provider for provider in _ALL}
"""Every provider by its key."""
