"""Accounts by their credentials: asking a provider, and what is remembered of the answers over reloads.

It does not matter who asked, a form or an entry's coordinator. A new account's first reading is the one that its form
got, and an entry that is set up again goes on where it was: no provider is asked twice in a moment.
"""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.httpx_client import get_async_client
from homeassistant.util.hass_dict import HassKey

from .const import CONF_PROVIDER, DOMAIN
from .lib.sms_credit_core import PROVIDERS, Account, Secret, poll_account

type _Key = tuple[str, frozenset[tuple[str, Secret]]]

# Data of an integration belong into `entry.runtime_data`, which ends when the entry is unloaded. These outlive that.
# They end when the entry is removed, and when it gets other credentials.
_ACCOUNTS: HassKey[dict[_Key, Account]] = HassKey(DOMAIN)


async def async_ask(hass: HomeAssistant, data: Mapping[str, Any]) -> Account:
    """Ask a provider once, with the credentials in an entry's data. Returns the account as it is then."""
    provider, credentials = _key(data)
    return await poll_account(get_async_client(hass), PROVIDERS[provider], dict(credentials), async_recall(hass, data))


@callback
def async_recall(hass: HomeAssistant, data: Mapping[str, Any]) -> Account:
    """Return what is known of the account with these credentials."""
    return hass.data.get(_ACCOUNTS, {}).get(_key(data), Account())


@callback
def async_remember(hass: HomeAssistant, data: Mapping[str, Any], account: Account) -> None:
    """Keep what is known of the account with these credentials."""
    hass.data.setdefault(_ACCOUNTS, {})[_key(data)] = account


@callback
def async_forget(hass: HomeAssistant, data: Mapping[str, Any]) -> None:
    """Keep nothing of the account with these credentials."""
    hass.data.get(_ACCOUNTS, {}).pop(_key(data), None)


def _key(data: Mapping[str, Any]) -> _Key:
    """Return provider and credentials, which stand in an entry's data under their own names."""
    provider = data[CONF_PROVIDER]
    names = {field.name for field in PROVIDERS[provider].credentials} & set(data)
    return provider, frozenset((name, Secret(data[name])) for name in names)
