"""Where credentials may go, if a user says that it is not the provider's own address."""

import re
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx


class AddressMistake(StrEnum):
    """Why nothing is sent to an address."""

    NOT_AN_ADDRESS = "not_an_address"
    """It is no URL, or has a user, a password, a query or a fragment."""
    NOT_ENCRYPTED = "not_encrypted"
    """Whoever is in between could read the credentials."""


def mistake_in(base_url: str) -> AddressMistake | None:
    """Say what is wrong with a base URL: anywhere over TLS is fine, and in clear this very machine."""
    url = _parsed(base_url)
    if url is None or url.userinfo or "?" in base_url or "#" in base_url:
        return AddressMistake.NOT_AN_ADDRESS
    is_safe = url.scheme == "https" or (url.scheme == "http" and is_loopback(base_url))
    return None if is_safe else AddressMistake.NOT_ENCRYPTED


def is_loopback(base_url: str) -> bool:
    """Whether a URL leads to this very machine."""
    url = _parsed(base_url)
    if url is None:
        return False
    try:
        return url.host == "localhost" or ip_address(url.host).is_loopback
    except ValueError:
        return False


def _parsed(text: str) -> httpx.URL | None:
    if not re.fullmatch(r"[!-~]+", text):
        return None
    try:
        url = httpx.URL(text)
        sound = bool(url.host) and urlsplit(text).port != 0  # httpx takes any number for a port
    except (httpx.InvalidURL, ValueError):
        return None
    return url if sound else None
