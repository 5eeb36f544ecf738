"""A page that lists the simulated accounts and changes what they answer: a scenario, or any of the payload files."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import jinja2
from aiohttp import web

from sms_credit_core import PROVIDERS
from sms_credit_exporter.simulator.behaviour import Scenario
from sms_credit_exporter.simulator.loopback import serving
from sms_credit_exporter.simulator.payloads import payloads
from sms_credit_exporter.simulator.scenarios import DEMO, SCENARIOS

from .providers import SimulatedProviders

_SCENARIO = "scenario/"
"""Tells the scenarios from the payloads, some of which bear the same name."""

_PAGE = jinja2.Environment(autoescape=True).from_string("""\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>Simulated SMS accounts</title>
<style>
  :root { color-scheme: light dark; font-family: system-ui, sans-serif }
  body { margin: 2rem auto; max-width: 75rem; padding: 0 1rem }
  table { border-collapse: collapse; width: 100% }
  th, td { border-top: 1px solid #8884; padding: .5rem; text-align: left; vertical-align: top }
  select { width: 16rem }
  select, button { min-height: 1.75rem }
  .accounts { overflow-x: auto }
</style>
<main>
<h1>Simulated SMS accounts</h1>
<p>What is chosen here is answered from the next request on. Home Assistant asks every five minutes, and at once when an
account is given the credentials that it has (Settings → Devices &amp; services → SMS Credit → ⋮ → Reconfigure).</p>
<div class="accounts">
<table>
  <tr><th>Account<th>Provider<th>Credentials<th>Requests<th>Answers</tr>
  {% for name, account in accounts.items() %}
  <tr>
    <td>{{ name }}
    <td>{{ providers[account.provider].name }}
    <td>
      {% for field, value in account.credentials.items() %}
      {{ field }} <code>{{ value }}</code><br>
      {% endfor %}
    <td>{{ account.requests | length }}
    <td><form method="post" action="/{{ name }}">
      <select name="answer" aria-label="What {{ name }} answers">
        <optgroup label="Over time">
          {% for choice in scenarios[account.provider] %}
          <option value="{{ scenario }}{{ choice }}"{{ " selected" if scenario + choice == answers[name] }}>
            {{- choice -}}
          </option>
          {% endfor %}
        <optgroup label="Always the same">
          {% for choice in payloads(account.provider) %}
          <option value="{{ choice.name }}"{{ " selected" if choice.name == answers[name] }}>
            {{- choice.name }}: {{ choice.situation -}}
          </option>
          {% endfor %}
      </select>
      <button>Set</button>
    </form>
  {% endfor %}
</table>
</div>
</main>
""")


class _Control:
    def __init__(self, providers: SimulatedProviders) -> None:
        self._accounts = providers.accounts
        self._answers = {account.name: _SCENARIO + account.scenario for account in DEMO}

    async def page(self, _request: web.Request) -> web.Response:
        text = _PAGE.render(
            accounts=self._accounts,
            answers=self._answers,
            payloads=payloads,
            providers=PROVIDERS,
            scenario=_SCENARIO,
            scenarios=SCENARIOS,
        )
        return web.Response(text=text, content_type="text/html")

    async def set_answer(self, request: web.Request) -> web.Response:
        name, answer = request.match_info["account"], str((await request.post()).get("answer", ""))
        if name not in self._accounts:
            raise web.HTTPNotFound(text=f"There is no account {name!r}.\n")
        account = self._accounts[name]
        try:
            account.answer_with(_behaviour(account.provider, answer))
        except LookupError as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from None
        self._answers[name] = answer
        raise web.HTTPSeeOther(location="/")


def _behaviour(provider: str, answer: str) -> str | Scenario:
    return SCENARIOS[provider][answer.removeprefix(_SCENARIO)] if answer.startswith(_SCENARIO) else answer


@asynccontextmanager
async def controlling(providers: SimulatedProviders, port: int = 0) -> AsyncIterator[str]:
    """Serve the page on 127.0.0.1, on a free port unless told which; gives its URL. Raises OSError if it is taken.

    `POST /ACCOUNT` with `answer=PAYLOAD` or `answer=scenario/NAME` does what the page does.
    """
    control = _Control(providers)
    app = web.Application()
    app.router.add_get("/", control.page)
    app.router.add_post("/{account}", control.set_answer)
    async with serving(app, port=port) as url:
        yield url
