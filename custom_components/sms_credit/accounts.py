"""Accounts by an entry's data: whose they are, asking their provider, and a form's answer on its way to the entry."""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.httpx_client import get_async_client
from homeassistant.util.hass_dict import HassKey

from .const import CONF_BASE_URL, CONF_PROVIDER, DOMAIN
from .lib.sms_credit_core import PROVIDERS, Account, Owner, Secret, poll_account

type _Key = tuple[str, str, frozenset[tuple[str, Secret]]]

# Data of an integration belong into `entry.runtime_data`. There is none while an entry is being added, or is disabled.
_ANSWERED: HassKey[dict[_Key, Account]] = HassKey(DOMAIN)


def owner_of(data: Mapping[str, Any]) -> Owner:
    """Return provider, address and credentials, which stand in an entry's data under their own names."""
    provider = PROVIDERS[data[CONF_PROVIDER]]
    given = {field.name: Secret(data[field.name]) for field in provider.credentials if field.name in data}
    return Owner(provider=provider.key, base_url=data.get(CONF_BASE_URL, provider.base_url), credentials=given)


async def async_ask(hass: HomeAssistant, owner: Owner, account: Account) -> Account:
    """Ask a provider once. Returns the account as it is then."""
    provider = PROVIDERS[owner.provider]
    return await poll_account(get_async_client(hass), provider, owner.credentials, account, base_url=owner.base_url)


@callback
def async_hand_over(hass: HomeAssistant, owner: Owner, answered: Account) -> None:
    """Keep what came of a form's request until the entry with these credentials is set up."""
    hass.data.setdefault(_ANSWERED, {})[_key(owner)] = answered


@callback
def async_take_answer(hass: HomeAssistant, owner: Owner) -> Account | None:
    """Return what came of a form's request with these credentials, once, if there was one."""
    return hass.data.get(_ANSWERED, {}).pop(_key(owner), None)


def with_answer(account: Account, answered: Account | None) -> Account:
    """Return the account as it is after a request that a form has made of its own."""
    outcome = answered and (answered.problem or answered.reading)
    if not answered or not outcome or not answered.polled_at:
        return account
    return account.after(outcome, answered.polled_at, answered.poll_duration or 0.0)


def _key(owner: Owner) -> _Key:
    return owner.provider, owner.base_url, frozenset(owner.credentials.items())
