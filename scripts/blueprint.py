"""Writes the Turkish blueprint from the English one: Home Assistant has no translations for blueprints."""

# ruff: noqa: RUF001, E501 - Turkish letters are no others in disguise, and lines are the blueprint's

import sys
from collections.abc import Mapping
from pathlib import Path

from scripts import generated

_FOLDER = Path(__file__).parent.parent / "blueprints" / "automation" / "sms_credit"
ENGLISH, TURKISH = _FOLDER / "credit_alert.yaml", _FOLDER / "credit_alert_tr.yaml"

TEXTS: Mapping[str, str] = {
    "name: SMS credit alert": "name: SMS bakiye uyarısı",
    """\
    Tells you when the credit of an SMS account is low or will soon be used up, when it is spent unusually fast, when its
    provider has blocked sending, and when the provider refuses access. Each problem is told once, and repeated while it
    lasts. Outages and restarts in between make no second alert, and hide none. Use it once for each account.
""": """\
    Bir SMS hesabının bakiyesi azaldığında veya yakında tükeneceğinde, olağan dışı hızla harcandığında, sağlayıcı gönderimi
    engellediğinde veya erişimi reddettiğinde haber verir. Her sorun bir kez bildirilir ve sürdükçe yinelenir. Aradaki
    kesintiler ve yeniden başlatmalar ikinci bir uyarıya yol açmaz, hiçbirini de gizlemez. Her hesap için bir kez kullanın.
""",
    "credit_alert.yaml": "credit_alert_tr.yaml",
    "name: Account": "name: Hesap",
    "description: The “Status” sensor of the account. It stands for all that is known of it.": (
        "description: Hesabın “Durum” sensörü. Hesap hakkında bilinen her şeyi temsil eder."
    ),
    "name: Actions": "name: Eylemler",
    """\
        What to do when there is something to tell. A notification in Home Assistant, if you change nothing. Texts of
        actions can use the variables `title`, `message`, `account` (its name), `url` (the provider's panel), `tag`
        (the same for all alerts of the account, so that each replaces the one before) and `problems` (a list of
        `low`, `blocked`, `unusual` and `access`).
""": """\
        Bildirilecek bir şey olduğunda ne yapılacağı. Değiştirmezseniz Home Assistant'ta bir bildirim gösterilir.
        Eylemlerin metinlerinde şu değişkenler kullanılabilir: `title`, `message`, `account` (hesabın adı), `url`
        (sağlayıcının paneli), `tag` (hesabın tüm uyarılarında aynıdır; her uyarı öncekinin yerini alır) ve `problems`
        (`low`, `blocked`, `unusual` ve `access` listesi).
""",
    "name: Repeat after": "name: Yineleme süresi",
    "How long to wait before a problem that is still there is told again. 0 for never: each problem is told once.": (
        "Süren bir sorunun ne kadar sonra yeniden bildirileceği. 0: hiçbir zaman; her sorun bir kez bildirilir."
    ),
    "unit_of_measurement: h": "unit_of_measurement: sa",
    "name: Quiet hours": "name: Sessiz saatler",
    "name: From": "name: Başlangıç",
    "description: What comes up in quiet hours is told when they end. There are none while both times are the same.": (
        "description: Sessiz saatlerde ortaya çıkan, saatler bitince bildirilir. İki saat aynıysa sessiz saat yoktur."
    ),
    "name: Until": "name: Bitiş",
    "name: Critical problems at once": "name: Kritik sorunlar hemen",
    "description: Tell of blocked sending, unusual spending and lost access in quiet hours too.": (
        "description: Gönderim engelini, olağan dışı harcamayı ve kesilen erişimi sessiz saatlerde de bildir."
    ),
    "name: Texts": "name: Metinler",
    "name: Low credit": "name: Bakiye azaldı",
    "default: The credit is low.": "default: Bakiye azaldı.",
    "name: Low runway": "name: Kalan süre azaldı",
    "default: At the present pace the credit will soon be used up.": "default: Bu hızla bakiye yakında tükenecek.",
    "name: Credit blocked": "name: Gönderim engeli",
    "default: The provider has blocked sending for lack of credit.": (
        "default: Sağlayıcı, bakiye bittiği için gönderimi engelledi."
    ),
    "name: Unusual spending": "name: Olağan dışı harcama",
    "default: The account spends far faster than it ever has. Check what is sending, and whether it should.": (
        "default: Hesap şimdiye kadar hiç olmadığı kadar hızlı harcıyor. Neyin gönderdiğini, göndermesi gerekip gerekmediğini"
        " kontrol edin."
    ),
    "name: Access lost": "name: Erişim kesildi",
    "default: The provider refuses access to the account. Home Assistant shows what to do under Settings.": (
        "default: Sağlayıcı hesaba erişimi reddediyor. Ne yapılacağını Home Assistant, Ayarlar altında gösterir."
    ),
    "name: Limit\n": "name: Sınır\n",
    "description: Stands before the limits of the account.": "description: Hesabın sınırlarının önünde durur.",
    "default: Limit\n": "default: Sınır\n",
    "' d']": "' gün']",
}
"""English texts of the blueprint, each with its place before it, and what they are in Turkish."""


def translated(english: str) -> str:
    """Return the blueprint in Turkish. A text that is not in it is an error of this table."""
    text = english
    for before, after in TEXTS.items():
        if before not in text:
            message = f"The blueprint has no: {before}"
            raise ValueError(message)
        text = text.replace(before, after)
    return text


if __name__ == "__main__":
    sys.exit(generated.main(lambda: {TURKISH: translated(ENGLISH.read_text())}, __doc__))
