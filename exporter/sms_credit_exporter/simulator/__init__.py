"""The simulated providers: a real HTTP server that answers as theirs do, for tests and for the demo.

payloads.py    the payload files, read
behaviour.py   what an account does at a moment: a file's answer, one with other numbers, none at all
answers.py     the answer that this comes to
scenarios.py   named behaviours over time, and the accounts of the demo
apis.py        what each API demands of a request
server.py      the server, its accounts and what it was asked; the only one that needs aiohttp
proxy.py       a way to it under the real providers' host names
"""
