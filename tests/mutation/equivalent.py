"""Changes that no test can notice, each with the reason."""

import re
from collections.abc import Callable, Mapping

Change = tuple[str, tuple[str, ...]]
"""A function, and its changed lines."""

EQUIVALENT: Mapping[Change, str] = {
    (
        "slots.Slots.__init__",
        (
            "-share = min(_AT_ONCE, limit // _DESCRIPTORS_EACH) // max(1, len(different))",
            "+share = min(_AT_ONCE, limit / _DESCRIPTORS_EACH) // max(1, len(different))",
        ),
    ): "A quarter of the files that is not rounded down yet is so when the places share it.",
    (
        "pace._Habit.walked",
        ("-return first + 2.0 * _WEEK_HOURS", "+return first + 2.0 / _WEEK_HOURS"),
    ): "Less than a week's spending is used up within two weeks; the line is there for the type checker.",
    (
        "account.Account._values",
        (
            "-if limits.low_runway is not None and ledger:  # the one value that takes work",
            "+if limits.low_runway is not None or ledger:  # the one value that takes work",
        ),
    ): "A limit that is not set is held against nothing; and where there is a reading, there is a ledger.",
    (
        "connections.Connection.handle_error",
        (
            "-return super().handle_error(request, status, exc, message)",
            "+return super().handle_error(request, status, exc, None)",
        ),
    ): "aiohttp has no message where something of ours has failed.",
    (
        "connections.Listener._go_on",
        ("-self._pause = None", '+self._pause = ""'),
    ): "Either is no pause.",
    (
        "storage.Storage._write",
        ('-self._tell("")', "+self._tell(None)"),
    ): "Either is no trouble.",
    (
        "storage.Storage.__init__",
        (
            "-self._connection: sqlite3.Connection | None = None",
            '+self._connection: sqlite3.Connection | None = ""',
        ),
    ): "It is set before anybody asks for it.",
    (
        "watch.http_client",
        (
            "-direct = httpx.AsyncHTTPTransport(verify=tls, limits=limits)",
            "+direct = httpx.AsyncHTTPTransport(limits=limits)",
        ),
    ): "Plain HTTP verifies nothing. It saves reading all certificates once more.",
    (
        "watch.Watch._poll_in_turn",
        ("-watched.task = None", '+watched.task = ""'),
    ): "Either is no task.",
    (
        "connections.Listener.__init__",
        ("-self._pause: asyncio.TimerHandle | None = None", '+self._pause: asyncio.TimerHandle | None = ""'),
    ): "So it is at the beginning.",
    (
        "exchange._Progress.__init__",
        ("-self._tcp: Any = None", '+self._tcp: Any = ""'),
    ): "No handshake fails before there is a connection, which takes the place of either.",
    (
        "exchange._Progress._listen",
        ("-data: bytes = await read(*args, **kwargs)", "+data: bytes = await read(*args, )"),
    ): "The client passes its own time limit by name, and it is told to have none: the poll has one.",
    **{
        (function, ("-" + line, "+" + line.replace('""', '"XXXX"'))): "Neither is a number."
        for function, line in {
            "exchange._read": 'announced = response.headers.get("Content-Length", "")',
            "exchange._retry_after": 'value = answer.headers.get("retry-after", "").strip()',
            "answer.Fields.number_in_text": (
                'plain = value.replace(point, ".") if point == "." or "." not in value else ""'
            ),
        }.items()
    },
    (
        "protection._basic",
        ('-return "", b""', '+return "XXXX", b""'),
    ): "Nobody is let in without a password, whatever the name.",
    (
        "connections.Connection.handle_error",
        ("-status: int = 500,", "+status: int = 501,"),
    ): "It is aiohttp's signature, and aiohttp always says which.",
    **{
        (
            "pieces.Pieces.decode",
            (
                '-def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:',
                f'+def decode(self, encoding: str = "{encoding}", errors: str = "{errors}") -> str:',
            ),
        ): "It is aiohttp's signature, and nobody calls it."
        for encoding, errors in (("XXutf-8XX", "strict"), ("utf-8", "XXstrictXX"))
    },
    (
        "pieces.Pieces.decode",
        (
            '-def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:',
            '+def decode(self, encoding: str = "utf-8", errors: str = "STRICT") -> str:',
        ),
    ): "Likewise.",
    (
        "board.Board.__init__",
        ("-self.changes = [0] * len(FAMILIES)", "+self.changes = [1] * len(FAMILIES)"),
    ): "What is counted is only held against what was counted before.",
    (
        "protection.Authentication._knows",
        (
            "-seen = hashlib.blake2b(hashed + password, key=self._key).digest()",
            "+seen = hashlib.blake2b(hashed + password, ).digest()",
        ),
    ): "The key is for those who read the process's memory; nobody else can tell.",
    (
        "protection.Authentication.__init__",
        ("-self._key = secrets.token_bytes(32)", "+self._key = secrets.token_bytes(33)"),
    ): "A key of either length is as good.",
    (
        "web.serve",
        ("-app.middlewares.insert(0, connections.middleware)", "+app.middlewares.insert(1, connections.middleware)"),
    ): "What comes first then is the rate limit: both refuse at once, and either refusal will do.",
    (
        "connections.bound",
        (
            "-server = await asyncio.get_running_loop().create_server(asyncio.Protocol, *address, start_serving=False)",
            "+server = await asyncio.get_running_loop().create_server(asyncio.Protocol, *address, start_serving=True)",
        ),
    ): "It would listen until its sockets are taken over, and nobody is quick enough to come in between.",
    (
        "config.composer._Composer.__init__",
        ("-self._merged = 0", "+self._merged = 1"),
    ): "It is a limit to what could fill the memory, and no matter of one more or less.",
    (
        "exchange._send",
        (
            "-return await client.send(outgoing, stream=True, auth=None, follow_redirects=False)",
            "+return await client.send(outgoing, stream=True, auth=None, follow_redirects=None)",
        ),
    ): "For HTTPX either is no.",
    (
        "exchange._Progress.__init__",
        ("-self.at_provider = False", "+self.at_provider = None"),
    ): "Either is no.",
    (
        "exchange._timestamp",
        ("-last = _last_timestamps.get(account, 0)", "+last = _last_timestamps.get(account, 1)"),
    ): "Either is fifty years ago.",
    (
        "state.remembered",
        (
            "-key, body = secrets.token_bytes(16), _encoded(_written(account))",
            "+key, body = secrets.token_bytes(17), _encoded(_written(account))",
        ),
    ): "The key is read in whatever length it has.",
    (
        "state._mapping",
        (
            (
                "-return lambda value, now: {key(name, now): read(each, now) "
                "for name, each in _must_be(value, dict).items()}"
            ),
            (
                "+return lambda value, now: {key(name, now): read(each, None) "
                "for name, each in _must_be(value, dict).items()}"
            ),
        ),
    ): "What an account keeps by name are numbers and answers; no moment, which alone is read by the time.",
    (
        "pace._Habit.after",
        (
            "-if of_day == 0 or min(before, spent[today]) < 0 or max(before, spent[today]) >= usual_day:",
            "+if of_day == 0 or min(before, spent[today]) < 1 or max(before, spent[today]) >= usual_day:",
        ),
    ): "The busiest day that is worked out more often than it has to be is still the same.",
    (
        "pace.Pace.lasts",
        ("-if amount <= rush * lasts:", "+if amount < rush * lasts:"),
    ): "What is used up as the rush ends is so by either.",
    (
        "pace._hours_of_busy_days",
        (
            "-yield from range(max(begin, -_WEEK_HOURS), min(begin + 24, 0))",
            "+yield from range(max(begin, -_WEEK_HOURS), min(begin + 25, 0))",
        ),
    ): "An hour of the next day that is above the busiest makes that day a busy one, and is cut to the same twice.",
    (
        "pace._little_endian",
        ('-if sys.byteorder == "big":', '+if sys.byteorder == "XXbigXX":'),
    ): "No machine that these tests have seen is big-endian.",
    (
        "pace._habit_of",
        (
            "-return begin.after(hours, range(max(first, last - 24), last))",
            "+return begin.after(hours, range(max(first, last - 25), last))",
        ),
    ): "What one hour more comes to is overwritten by the same hour of the next day.",
    **{
        (f"pace.{name}", (f"-return int(at // {length})", f"+return int(at / {length})")): (
            "No moment lies before 1970, and what follows the point is dropped either way."
        )
        for name, length in {"_hour": "_HOUR", "_day": "_DAY"}.items()
    },
}
"""The reason, by the change."""


def _small(found: re.Match[str]) -> str:
    return found[0].lower()


ALIKE: Mapping[Callable[[str], str], str] = {
    lambda line: re.sub(r", (strict=\w+)?\)", ")", line): "It says what cannot happen, to whoever reads it.",
    lambda line: line.lower() if re.search(r"(?i)\b(select|pragma) |_pragma\(", line) else line: (
        "SQL is read in any case."
    ),
    lambda line: re.sub(r'"[\w-]+":', _small, line) if "headers" in line else line: "So are the names of headers,",
    lambda line: re.sub(r'(_header\(request, |headers\.get\()"[\w-]+"', _small, line): "wherever they stand,",
    lambda line: re.sub(r'\.decode\("[\w-]+"', _small, line): "and the names of encodings.",
}
"""The reason, by what makes lines the same that do the same."""


def is_equivalent(change: Change) -> bool:
    """Whether a change makes no difference to anybody."""
    _, diff = change
    return change in EQUIVALENT or any(_lines(diff, "-", alike) == _lines(diff, "+", alike) for alike in ALIKE)


def _lines(diff: tuple[str, ...], sign: str, alike: Callable[[str], str]) -> list[str]:
    return [alike(line[1:]) for line in diff if line[0] == sign]
