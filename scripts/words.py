"""What generated tables say besides names and numbers, once in each language."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sms_credit_core import Actor, Cause, Status

_TRANSLATIONS = Path(__file__).parent.parent / "custom_components/sms_credit/translations"


@dataclass(frozen=True)
class Words:
    """The words of one language; `{…}` in a text is filled in by what writes the table."""

    provider_names: str
    provider_columns: tuple[str, ...]
    yes: str
    balance_in: str
    in_credits: str
    with_price: str
    optional: str
    status_columns: tuple[str, ...]
    replaced: str
    held: str
    meanings: Mapping[Status, str]
    actors: Mapping[Actor, str]
    cause_columns: tuple[str, ...]
    causes: Mapping[Cause, str]


ENGLISH = Words(
    provider_names="{others} and {last}.",
    provider_columns=("provider", "key", "balance", "quota", "credit block", "its own time stamp", "credentials"),
    yes="yes",
    balance_in="yes, in {currency}",
    in_credits="in credits",
    with_price="with `message_price`",
    optional="{field} (optional)",
    status_columns=("status", "up", "meaning", "the last good values are", "who must act"),
    replaced="replaced",
    held="held",
    meanings={
        Status.PENDING: "not asked yet",
        Status.FRESH: "a fresh reading; it says nothing about the credit",
        Status.PARTIAL: "a fresh reading that the provider itself calls partial",
        Status.UNAVAILABLE: "the provider answered that it has no current data; numbers in such an answer are ignored",
        Status.ONBOARDING: "the provider is still setting up the account",
        Status.AUTH_FAILED: "the credentials are refused",
        Status.ACCESS_DENIED: "the credentials are known but may not: IP address, permission, inactive account",
        Status.RATE_LIMITED: "the provider asks for fewer requests",
        Status.UNREACHABLE: "no connection, or no answer in time",
        Status.PROVIDER_ERROR: "the provider reports a fault of its own",
        Status.INVALID_RESPONSE: "the answer cannot be read for certain",
    },
    actors={
        Actor.USER: "you",
        Actor.PROVIDER: "the provider",
        Actor.TIME: "nobody: it ends by itself",
        Actor.NOBODY: "nobody",
    },
    cause_columns=("status", "what is said"),
    causes={cause: cause.text for cause in Cause},
)


def _texts(language: str) -> Mapping[str, str]:
    """Return what the integration says of each cause."""
    exceptions = json.loads((_TRANSLATIONS / f"{language}.json").read_text())["exceptions"]
    return {word: text["message"] for word, text in exceptions.items()}


TURKISH = Words(
    provider_names="{others} ve {last}.",
    provider_columns=(
        "sağlayıcı",
        "kısa adı",
        "bakiye",
        "kalan SMS",
        "gönderim engeli",
        "kendi zaman damgası",
        "kimlik bilgileri",
    ),
    yes="var",
    balance_in="var, {currency} cinsinden",
    in_credits="kendi birimiyle (kontör)",
    with_price="`message_price` ile",
    optional="{field} (isteğe bağlı)",
    status_columns=("durum", "up", "anlamı", "son geçerli değerler", "kim ilgilenmeli"),
    replaced="yenilenir",
    held="tutulur",
    meanings={
        Status.PENDING: "henüz sorgulanmadı",
        Status.FRESH: "güncel okuma; bakiyenin yeterli olup olmadığını söylemez",
        Status.PARTIAL: "sağlayıcının kendisinin kısmi dediği güncel okuma",
        Status.UNAVAILABLE: "sağlayıcı güncel verisi olmadığını bildirdi; böyle bir yanıttaki sayılar dikkate alınmaz",
        Status.ONBOARDING: "sağlayıcı hesabı hâlâ kuruyor",
        Status.AUTH_FAILED: "kimlik bilgileri reddedildi",
        Status.ACCESS_DENIED: "kimlik bilgileri tanınıyor, ancak yetkisiz: IP adresi, izin, etkin olmayan hesap",
        Status.RATE_LIMITED: "sağlayıcı daha az istek gönderilmesini istiyor",
        Status.UNREACHABLE: "bağlantı kurulamadı ya da zamanında yanıt gelmedi",
        Status.PROVIDER_ERROR: "sağlayıcı kendi tarafında bir arıza bildiriyor",
        Status.INVALID_RESPONSE: "yanıt kesin olarak okunamıyor",
    },
    actors={
        Actor.USER: "siz",
        Actor.PROVIDER: "sağlayıcı",
        Actor.TIME: "kimse: kendiliğinden geçer",
        Actor.NOBODY: "kimse",
    },
    cause_columns=("durum", "açıklama"),
    causes={cause: _texts("tr")[cause] for cause in Cause},
)
