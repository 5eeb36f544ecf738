"""The simulated providers: a real HTTP server that answers as theirs do, for tests and for the demo.

payloads.py    the payload files, read
behaviour.py   what an account does at a moment: a file's answer, one with other numbers, none at all
apis.py        what a provider's API says of itself
providers/     the APIs, one file each: what each demands of a request, and its accounts' scenarios
answers.py     the answer that an account's behaviour comes to
scenarios.py   the scenarios of all, and the accounts of the demo
server.py      the server, its accounts and what it was asked; it and loopback.py are all that needs aiohttp
"""
