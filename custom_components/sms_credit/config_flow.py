"""Forms: choose a provider and give its credentials, give new ones, set an account's limits.

The forms follow from what the providers declare; a new provider needs nothing here, only its texts.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, override

import probatio
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_USER,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlow,
)
from homeassistant.const import CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.helpers.translation import async_get_translations

from .accounts import async_ask, async_hand_over, owner_of
from .const import (
    CONF_BASE_URL,
    CONF_LOW_BALANCE,
    CONF_LOW_QUOTA,
    CONF_LOW_RUNWAY,
    CONF_MESSAGE_PRICE,
    CONF_PROVIDER,
    DOMAIN,
)
from .lib.sms_credit_core import (
    PROVIDERS,
    Account,
    CredentialField,
    Problem,
    Provider,
    Reading,
    Value,
    can_give,
    mistake_in,
)
from .options import as_options, entered_before

_MAX = 1_000_000_000
_SMALLEST_PRICE = 0.00001
_HALF_A_DAY = 0.5

_ADVANCED = "advanced"

_ADDRESS_FIELDS = {probatio.Optional(CONF_BASE_URL): TextSelector(TextSelectorConfig(type=TextSelectorType.URL))}
_ADDRESS_SCHEMA = probatio.Schema(_ADDRESS_FIELDS)

_PASSWORD = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))

_PROVIDER_SCHEMA = probatio.Schema(
    {
        probatio.Required(CONF_PROVIDER): SelectSelector(
            SelectSelectorConfig(
                options=[SelectOptionDict(value=provider.key, label=provider.name) for provider in PROVIDERS.values()],
                mode=SelectSelectorMode.LIST,  # all are seen at once; beyond five, Home Assistant would fold them
            )
        ),
        # Home Assistant's own integrations ask for no name. But these providers' answers name no account, and a user
        # with several accounts wants to tell them apart from the start, in the ids of the entities too.
        probatio.Optional(CONF_NAME): TextSelector(),
        probatio.Optional(_ADVANCED): section(_ADDRESS_SCHEMA, {"collapsed": True}),
    }
)


def _number(minimum: float, step: float | None = None) -> NumberSelector:
    return NumberSelector(NumberSelectorConfig(min=minimum, max=_MAX, step=step or "any", mode=NumberSelectorMode.BOX))


def _credentials_schema(fields: tuple[CredentialField, ...]) -> probatio.Schema:
    schema = {}
    for field in fields:
        marker = probatio.Required if field.required else probatio.Optional
        name = probatio.Secret(field.name) if field.secret else field.name
        schema[marker(name)] = _PASSWORD if field.secret else TextSelector()
    return probatio.Schema(schema)


class SmsCreditConfigFlow(ConfigFlow, domain=DOMAIN):
    """Adds an account, or gives it new credentials."""

    _provider: Provider
    _name = ""
    """What the user wants a new account to be called, if anything."""
    _address: Mapping[str, str] = MappingProxyType({})
    """The base URL in place of the provider's own, if the user gave one."""
    _problem: Problem | None = None
    """Why the credentials in use, or those entered last, do not work."""
    _data: dict[str, Any]
    """A new account's entry, once its credentials have worked."""
    _account: Account
    """The new account as it was then."""

    @property
    def _entry(self) -> ConfigEntry[Any] | None:
        """The account that is to have other credentials; None while one is added."""
        if self.source == SOURCE_USER:
            return None
        return self._get_reauth_entry() if self.source == SOURCE_REAUTH else self._get_reconfigure_entry()

    @property
    def _title(self) -> str:
        """What the account is called, or will be: if nothing was entered, by its provider, with a number if need be."""
        if entry := self._entry:
            return entry.title
        taken = {entry.title for entry in self._async_current_entries()}
        titles = (f"{self._provider.name} {number}" for number in range(2, len(taken) + 2))
        return self._name or next(title for title in (self._provider.name, *titles) if title not in taken)

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry[Any]) -> SmsCreditOptionsFlow:
        """Return the form of the account's limits."""
        return SmsCreditOptionsFlow()

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Choose the provider of a new account, its name, and where it is asked if that is not the provider's own."""
        entered = user_input or {}
        address, errors = _address_of(entered.get(_ADVANCED, {}))
        if user_input is None or errors:
            schema = self.add_suggested_values_to_schema(_PROVIDER_SCHEMA, user_input)
            return self.async_show_form(step_id="user", data_schema=schema, errors=errors or None)
        self._name = entered.get(CONF_NAME, "").strip()
        return self._begin({CONF_PROVIDER: entered[CONF_PROVIDER], **address})

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Ask for new credentials, and say why the old ones fail."""
        coordinator = getattr(self._get_reauth_entry(), "runtime_data", None)
        self._problem = coordinator.data.problem if coordinator else None
        return self._begin(entry_data)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for other credentials because the user wants to; before, for the address, if the account has its own."""
        data = self._get_reconfigure_entry().data
        if CONF_BASE_URL not in data:
            return self._begin(data)
        address, errors = _address_of(user_input or {})
        if user_input is None or errors:
            entered = data if user_input is None else user_input
            schema = self.add_suggested_values_to_schema(_ADDRESS_SCHEMA, entered)
            placeholders = {"account": self._title}
            return self.async_show_form(
                step_id="reconfigure", data_schema=schema, errors=errors or None, description_placeholders=placeholders
            )
        return self._begin({CONF_PROVIDER: data[CONF_PROVIDER], **address})

    @callback
    def _begin(self, data: Mapping[str, Any]) -> ConfigFlowResult:
        self._provider = PROVIDERS[data[CONF_PROVIDER]]
        self._address = {CONF_BASE_URL: data[CONF_BASE_URL]} if CONF_BASE_URL in data else {}
        return self._show_form()

    async def async_take_credentials(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take the provider's credentials, and try them with one real request."""
        if user_input is None:
            return self._show_form()
        fields = self._provider.credentials
        credentials = {field.name: user_input.get(field.name, "").strip() for field in fields}
        given = {field.name: credentials[field.name] for field in fields if field.required or credentials[field.name]}
        if wrong := {name: value for name, value in given.items() if not CredentialField.accepts(value)}:
            return self._show_form(given, {name: "not_a_credential" if wrong[name] else "empty" for name in wrong})
        data = {CONF_PROVIDER: self._provider.key, **self._address, **given}
        self._abort_if_known(data)
        account, entry = await async_ask(self.hass, owner_of(data), Account()), self._entry
        # An account that is being set up, or whose data are unavailable, has proven its credentials.
        if not account.status.up:
            if entry and entry.data == data:
                await self._async_hand_over(entry, account)
            self._problem = account.problem
            return self._show_form(given)
        if entry:
            # Without a reload, so that the entities go on with what was just answered.
            result = self.async_update_and_abort(entry, data=data)
            await self._async_hand_over(entry, account)
            return result
        self._data, self._account = data, account
        return await self.async_step_limits()

    @callback
    def _abort_if_known(self, data: dict[str, Any]) -> None:
        """Refuse an account that is configured already."""
        identity = [field.name for field in self._provider.credentials if field.identity]
        self._async_abort_entries_match({name: data[name] for name in (CONF_PROVIDER, *identity)})

    @callback
    def _show_form(
        self, entered: dict[str, str] | None = None, errors: dict[str, str] | None = None
    ) -> ConfigFlowResult:
        """Show the form of the provider's credentials with what was just entered; no secret that is in use is shown."""
        fields, problem = self._provider.credentials, self._problem
        if entered is None and self._entry:
            entered = {field.name: self._entry.data.get(field.name, "") for field in fields if not field.secret}
        return self.async_show_form(
            step_id=self._provider.key,
            data_schema=self.add_suggested_values_to_schema(_credentials_schema(fields), entered),
            errors=errors or ({"base": problem.cause.value} if problem else None),
            description_placeholders={
                "account": self._title,
                "panel_url": self._provider.panel_url,
                "detail": (problem.detail if problem else None) or "",
            },
        )

    async def _async_hand_over(self, entry: ConfigEntry[Any], account: Account) -> None:
        """Let the form's request be the account's last poll."""
        if coordinator := getattr(entry, "runtime_data", None):
            await coordinator.async_take_over(account)
        else:
            async_hand_over(self.hass, owner_of(entry.data), account)

    async def async_step_limits(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take the new account's limits, if the user wants any; the answer to its credentials is its first reading."""
        errors = _limit_errors(self._provider, user_input)
        if user_input is None or errors:
            credit = await _async_in_words(self.hass, self._account.reading)
            return self.async_show_form(
                step_id="limits" if credit else "limits_unknown",
                data_schema=self.add_suggested_values_to_schema(_limits_schema(self._provider), user_input),
                errors=errors,
                description_placeholders={"account": self._title, "credit": credit},
            )
        self._abort_if_known(self._data)  # once more: a person may take a while over a form
        async_hand_over(self.hass, owner_of(self._data), self._account)
        return self.async_create_entry(title=self._title, data=self._data, options=as_options(user_input))

    # Home Assistant hands a form to the step by whose name it shows it.
    async_step_limits_unknown = async_step_limits


for _key in PROVIDERS:
    # Each provider has a step of its own, so that its texts can say where its panel shows what.
    setattr(SmsCreditConfigFlow, f"async_step_{_key}", SmsCreditConfigFlow.async_take_credentials)


class SmsCreditOptionsFlow(OptionsFlow):
    """Sets the limits of an account. Emptying a field removes its limit."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take the limits that make sense for the account's provider."""
        entry = self.config_entry
        provider = PROVIDERS[entry.data[CONF_PROVIDER]]
        errors = _limit_errors(provider, user_input)
        if user_input is not None and not errors:
            return self.async_create_entry(data=as_options(user_input))
        coordinator = getattr(entry, "runtime_data", None)
        credit = await _async_in_words(self.hass, coordinator.view.known if coordinator else None)
        return self.async_show_form(
            step_id="init" if credit else "init_unknown",
            data_schema=self.add_suggested_values_to_schema(
                _limits_schema(provider), entered_before(entry.options) if user_input is None else user_input
            ),
            errors=errors,
            description_placeholders={"account": entry.title, "credit": credit},
        )

    async_step_init_unknown = async_step_init


def _address_of(entered: Mapping[str, str]) -> tuple[Mapping[str, str], dict[str, str]]:
    """Return the address that was entered, if any, and what is wrong with it."""
    address = entered.get(CONF_BASE_URL, "").strip().rstrip("/")
    if not address:
        return {}, {}
    mistake = mistake_in(address)
    return {CONF_BASE_URL: address}, {"base": mistake.value} if mistake else {}


def _limits_schema(provider: Provider) -> probatio.Schema:
    fields = {CONF_LOW_BALANCE: _number(0)} if Value.BALANCE in provider.gives else {}
    fields |= {
        CONF_LOW_QUOTA: _number(0, step=1),
        CONF_LOW_RUNWAY: _number(_HALF_A_DAY, step=_HALF_A_DAY),
    }
    if Value.QUOTA not in provider.gives:
        fields[CONF_MESSAGE_PRICE] = _number(_SMALLEST_PRICE)
    return probatio.Schema({probatio.Optional(name): selector for name, selector in fields.items()})


def _limit_errors(provider: Provider, entered: dict[str, Any] | None) -> dict[str, str]:
    """Refuse a limit that nothing could be held against."""
    given = entered or {}
    comparable = can_give(provider, Value.QUOTA, priced=CONF_MESSAGE_PRICE in given)
    return {} if comparable or CONF_LOW_QUOTA not in given else {CONF_LOW_QUOTA: "price_needed"}


async def _async_in_words(hass: HomeAssistant, reading: Reading | None) -> str:
    """Write what there is to spend, for texts in every language; nothing if it is not known."""
    if reading is None:
        return ""
    texts = await async_get_translations(hass, hass.config.language, "entity", [DOMAIN])
    credits_unit = texts[f"component.{DOMAIN}.entity.sensor.credits.unit_of_measurement"]
    amounts = ((reading.balance, reading.currency or ""), (reading.credits, credits_unit))
    said = [f"{_grouped(amount, _digits(amount))} {unit}".strip() for amount, unit in amounts if amount is not None]
    return " · ".join([*said, *([] if reading.quota is None else [f"{_grouped(reading.quota, 0)} SMS"])])


def _digits(amount: Decimal) -> int:
    """Return how many decimals an amount has, but at least the two of money, and never three.

    Where a point groups thousands, as in Turkish, 10.584 is ten thousand.
    """
    exponent = amount.normalize().as_tuple().exponent
    digits = max(2, -exponent) if isinstance(exponent, int) else 2
    return 4 if digits == 3 else digits  # noqa: PLR2004 - what thousands are grouped by


def _grouped(number: Decimal | int, digits: int) -> str:
    """Group thousands by narrow spaces: a comma there means something else in the next language."""
    return f"{number:,.{digits}f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
