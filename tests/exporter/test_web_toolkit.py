"""What exporter-toolkit's web configuration says of answers and requests, as a client on a real socket sees it."""

import asyncio
import signal
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import bcrypt
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_credit_exporter.config.web import RateLimit
from sms_credit_exporter.protection import Bucket
from tests.exporter.running import LISTEN, PATIENCE, Providers, Running, running, secured, until

ConfigFile = Callable[..., Path]
Serve = Callable[[str], AbstractAsyncContextManager[Running]]

ALICE = ("alice", "made-up-password")
USERS = f"basic_auth_users: {{alice: {bcrypt.hashpw(b'made-up-password', bcrypt.gensalt(4)).decode()}}}\n"

HEADERS = {
    "Content-Security-Policy": "default-src 'self'",
    "X-Frame-Options": "sameorigin",
    "X-XSS-Protection": "0",
    "Strict-Transport-Security": "max-age=300",
}

OWN = ("Content-Security-Policy", "X-Content-Type-Options", "Server", "Cache-Control", "Referrer-Policy")


@pytest.fixture
def serve(config_file: ConfigFile, providers: Providers, tmp_path: Path) -> Serve:
    """Start an exporter over TLS, with a client that trusts it; it takes what the web configuration says besides."""
    web_file, trust = secured(tmp_path)
    tls = web_file.read_text()
    arguments = (f"--config.file={config_file(providers.configured('a', providers.add('23telecom')))}", LISTEN)

    @asynccontextmanager
    async def serving(text: str) -> AsyncIterator[Running]:
        web_file.write_text(tls + text)
        options = (*arguments, f"--web.config.file={web_file}", "--web.enable-lifecycle")
        async with (
            httpx.AsyncClient(verify=trust, trust_env=False, timeout=PATIENCE) as client,
            running(client, "serve", *options, cwd=tmp_path, env={}) as exporter,
        ):
            yield exporter

    return serving


@pytest.fixture
def rewrite(tmp_path: Path) -> Callable[[str], None]:
    """Replace what the web configuration says besides TLS."""
    web_file = tmp_path / "web.yml"

    def rewritten(text: str) -> None:
        tls = "".join(web_file.read_text().splitlines(keepends=True)[:3])
        web_file.write_text(tls + text)

    return rewritten


def headers_text(headers: dict[str, str]) -> str:
    """Return the part of a web configuration that sets these."""
    return "http_server_config:\n  headers:\n" + "".join(f'    {name}: "{value}"\n' for name, value in headers.items())


async def malformed(exporter: Running) -> httpx.Headers:
    """Return the headers of the answer to what is no request."""
    url = httpx.URL(exporter.urls[0])
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(url.host, url.port, ssl=trust)
    writer.write(b"nonsense\r\n\r\n")
    status, *lines = (await reader.read()).partition(b"\r\n\r\n")[0].decode().split("\r\n")
    writer.close()
    assert "400" in status
    return httpx.Headers(dict(line.split(": ", 1) for line in lines))


ASKED = [
    ("GET", "/", ALICE, 200),
    ("GET", "/metrics", ALICE, 200),
    ("GET", "/-/healthy", None, 200),
    ("GET", "/metrics", None, 401),
    ("GET", "/nowhere", ALICE, 404),
    ("DELETE", "/metrics", ALICE, 405),
]


async def test_headers_are_in_every_answer_and_follow_a_reload(serve: Serve, rewrite: Callable[[str], None]) -> None:
    """Over the exporter's own, whatever the answer; once they are taken out, its own are back."""
    async with serve(USERS) as exporter:

        async def answers() -> list[httpx.Headers]:
            found = []
            for method, path, auth, status in ASKED:
                answer = await exporter.http.request(method, exporter.urls[0] + path, auth=auth)
                assert answer.status_code == status
                found.append(answer.headers)
            return [*found, await malformed(exporter)]

        async def reloaded() -> int:
            return (await exporter.http.post(exporter.urls[0] + "/-/reload", auth=ALICE)).status_code

        before = [{name: headers[name] for name in OWN} for headers in await answers()]
        rewrite(USERS + headers_text(HEADERS))
        assert await reloaded() == 200
        expected = {**before[0], **HEADERS}
        assert [{name: headers.get(name) for name in expected} for headers in await answers()] == [expected] * (
            len(ASKED) + 1
        )

        rewrite(USERS + headers_text({"Strict-Transport-Security": r"a\r\nSet-Cookie: b=c"}))
        assert await reloaded() == 500
        assert [{name: headers.get(name) for name in expected} for headers in await answers()] == [expected] * (
            len(ASKED) + 1
        )

        rewrite(USERS)
        assert await reloaded() == 200
        after = await answers()
        assert [{name: headers[name] for name in OWN} for headers in after] == before
        assert not {*HEADERS} & {name for headers in after for name in headers} - {"content-security-policy"}


LIMIT = "rate_limit:\n  interval: 1h\n  burst: {}\n"


async def test_more_requests_than_the_limit_get_429(serve: Serve, rewrite: Callable[[str], None]) -> None:
    """All count, whatever they ask for and whether or not they may; a reload brings another limit, or none."""
    async with serve(USERS + LIMIT.format(3)) as exporter:

        async def statuses() -> Sequence[int]:
            asked = [("/metrics", None), ("/-/healthy", None), ("/nowhere", ALICE), ("/metrics", ALICE)]
            answers = [await exporter.http.get(exporter.urls[0] + path, auth=auth) for path, auth in asked]
            return [answer.status_code for answer in answers]

        assert await statuses() == [401, 200, 404, 429]
        refused = await exporter.http.get(exporter.urls[0] + "/metrics", auth=ALICE)
        assert (refused.status_code, refused.text) == (429, "Too Many Requests\n")
        assert refused.headers["X-Content-Type-Options"] == "nosniff"

        rewrite(USERS)
        exporter.process.send_signal(signal.SIGHUP)
        await exporter.logged("configuration reloaded")
        assert await statuses() == [401, 200, 404, 200]


async def test_requests_pass_again_after_the_interval(serve: Serve) -> None:
    """A scraper that was refused is served the next time."""
    async with serve("rate_limit:\n  interval: 2s\n  burst: 1\n") as exporter:

        async def status_is(status: int) -> bool:
            return (await exporter.get("/metrics")).status_code == status

        for _ in range(2):
            await until(lambda: status_is(200))
            await until(lambda: status_is(429))


@given(
    st.builds(RateLimit, interval=st.sampled_from([0.25, 1.0, 64.0]), burst=st.integers(1, 5)),
    st.lists(st.sampled_from([0.0, 0.125, 0.25, 0.5, 1.0, 8.0, 1024.0]), max_size=40),
)
def test_the_bucket_is_a_token_bucket(limit: RateLimit, pauses: Sequence[float]) -> None:
    """Counted as in the books: tokens up to the burst, one more per interval, one less per request."""
    bucket, tokens, now = Bucket(), float(limit.burst), 4096.0
    for pause in pauses:
        now += pause
        tokens = min(limit.burst, tokens + pause / limit.interval)
        assert bucket.gives(limit, now) == (tokens >= 1)
        tokens -= tokens >= 1


def test_another_limit_begins_with_all_its_tokens() -> None:
    """What a slow limit has used up does not hold up a fast one, which then counts by itself."""
    bucket = Bucket()
    slow, fast = RateLimit(interval=3600.0, burst=1), RateLimit(interval=1.0, burst=2)
    assert [bucket.gives(limit, 10.0) for limit in (slow, slow, fast, fast, fast)] == [True, False, True, True, False]
    assert [bucket.gives(fast, now) for now in (11.0, 11.5, 12.0)] == [True, False, True]
