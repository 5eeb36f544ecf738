"""The simulated providers: one file each, one line each in the table below."""

from collections.abc import Mapping

from ..apis import Api
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

_ALL: tuple[type[Api], ...] = (
    Telecom23,
    IletiMerkezi,
    Vonage,
    Twilio,
    Telnyx,
    Plivo,
    Netgsm,
    ClickSend,
    Seven,
    Elks46,
    BulkSms,
)

APIS: Mapping[str, type[Api]] = {api.key: api for api in _ALL}
"""Every simulated provider by its key in the core."""
