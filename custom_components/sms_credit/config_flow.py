"""Forms: choose a provider and give its credentials, give new ones, set an account's limits.

The forms follow from what the providers declare; a new provider needs nothing here, only its texts.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, override

import probatio
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_USER,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlowWithReload,
)
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from .const import CONF_LOW_BALANCE, CONF_LOW_QUOTA, CONF_MESSAGE_PRICE, CONF_PROVIDER, DOMAIN
from .coordinator import async_ask
from .lib.sms_credit_core import PROVIDERS, CredentialField, Problem, Provider, Value

_MAX = 1_000_000_000
_SMALLEST_PRICE = 0.00001

_PASSWORD = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))

_PROVIDER_SCHEMA = probatio.Schema(
    {
        probatio.Required(CONF_PROVIDER): SelectSelector(
            SelectSelectorConfig(
                options=[SelectOptionDict(value=provider.key, label=provider.name) for provider in PROVIDERS.values()]
            )
        )
    }
)


def _number(minimum: float, step: float | None = None) -> NumberSelector:
    return NumberSelector(NumberSelectorConfig(min=minimum, max=_MAX, step=step or "any", mode=NumberSelectorMode.BOX))


class SmsCreditConfigFlow(ConfigFlow, domain=DOMAIN):
    """Adds an account, or gives it new credentials."""

    _provider: Provider
    _problem: Problem | None = None
    """Why the credentials in use, or those entered last, do not work."""

    @property
    def _entry(self) -> ConfigEntry[Any] | None:
        """The account that is to have other credentials; None while one is added."""
        if self.source == SOURCE_USER:
            return None
        return self._get_reauth_entry() if self.source == SOURCE_REAUTH else self._get_reconfigure_entry()

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry[Any]) -> SmsCreditOptionsFlow:
        """Return the form of the account's limits."""
        return SmsCreditOptionsFlow()

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Choose the provider of a new account."""
        if user_input is not None:
            return self._begin(user_input)
        return self.async_show_form(step_id="user", data_schema=_PROVIDER_SCHEMA)

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Ask for new credentials, and say why the old ones fail."""
        if coordinator := getattr(self._get_reauth_entry(), "runtime_data", None):
            self._problem = coordinator.data.problem
        return self._begin(entry_data)

    async def async_step_reconfigure(self, _user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for other credentials because the user wants to change them."""
        return self._begin(self._get_reconfigure_entry().data)

    @callback
    def _begin(self, data: Mapping[str, Any]) -> ConfigFlowResult:
        self._provider = PROVIDERS[data[CONF_PROVIDER]]
        return self._show_form()

    async def async_take_credentials(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take the provider's credentials, and try them with one real request."""
        if user_input is None:
            return self._show_form()
        fields = self._provider.credentials
        credentials = {field.name: user_input.get(field.name, "").strip() for field in fields}
        given = {field.name: credentials[field.name] for field in fields if field.required or credentials[field.name]}
        if errors := {name: "not_a_credential" for name, value in given.items() if not CredentialField.accepts(value)}:
            return self._show_form(given, errors)
        # They name no account; the first credential is what belongs to one and no other.
        data = {CONF_PROVIDER: self._provider.key, **given}
        self._async_abort_entries_match({name: data[name] for name in (CONF_PROVIDER, fields[0].name)})
        outcome = await async_ask(self.hass, self._provider, data)
        # An account that is being set up, or whose data are unavailable, has proven its credentials.
        if isinstance(outcome, Problem) and not outcome.status.up:
            self._problem = outcome
            return self._show_form(given)
        return self._finish(data)

    @callback
    def _show_form(
        self, entered: dict[str, str] | None = None, errors: dict[str, str] | None = None
    ) -> ConfigFlowResult:
        """Show the form of the provider's credentials with what was just entered; what is in use is not shown."""
        schema = {
            (probatio.Required if field.required else probatio.Optional)(probatio.Secret(field.name)): _PASSWORD
            for field in self._provider.credentials
        }
        problem = self._problem
        return self.async_show_form(
            step_id=self._provider.key,
            data_schema=self.add_suggested_values_to_schema(probatio.Schema(schema), entered),
            errors=errors or ({"base": problem.cause.value} if problem else None),
            description_placeholders={
                "account": entry.title if (entry := self._entry) else self._provider.name,
                "panel_url": self._provider.panel_url,
                "detail": (problem.detail if problem else None) or "",
            },
        )

    @callback
    def _finish(self, data: dict[str, Any]) -> ConfigFlowResult:
        if entry := self._entry:
            return self.async_update_reload_and_abort(entry, data=data)
        return self.async_create_entry(title=self._unused_title(), data=data)

    def _unused_title(self) -> str:
        """Return the provider's name, with a number if there is an account of that title."""
        taken = {entry.title for entry in self._async_current_entries()}
        titles = (f"{self._provider.name} {number}" for number in range(2, len(taken) + 2))
        return next(title for title in (self._provider.name, *titles) if title not in taken)


for _key in PROVIDERS:
    # Each provider has a step of its own, so that its texts can say where its panel shows what.
    setattr(SmsCreditConfigFlow, f"async_step_{_key}", SmsCreditConfigFlow.async_take_credentials)


class SmsCreditOptionsFlow(OptionsFlowWithReload):
    """Sets the limits of an account. Emptying a field removes its limit."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take the limits that make sense for the account's provider."""
        errors = {}
        fields = {CONF_LOW_BALANCE: _number(0), CONF_LOW_QUOTA: _number(0, step=1)}
        if Value.QUOTA not in PROVIDERS[self.config_entry.data[CONF_PROVIDER]].gives:
            fields[CONF_MESSAGE_PRICE] = _number(_SMALLEST_PRICE)
            if user_input is not None and CONF_LOW_QUOTA in user_input and CONF_MESSAGE_PRICE not in user_input:
                errors[CONF_LOW_QUOTA] = "price_needed"
        if user_input is not None and not errors:
            return self.async_create_entry(data={name: _as_text(name, value) for name, value in user_input.items()})
        now = {name: float(text) for name, text in self.config_entry.options.items()}
        schema = probatio.Schema({probatio.Optional(name): selector for name, selector in fields.items()})
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(schema, now if user_input is None else user_input),
            errors=errors,
        )


def _as_text(name: str, value: float) -> str:
    """Write a number as it was entered: 0.021 stays 0.021, 50 does not become 50.0."""
    return str(int(value)) if name == CONF_LOW_QUOTA else f"{Decimal(repr(value)).normalize():f}"
