"""A real Home Assistant among simulated providers, for people and for tests/e2e; scripts/develop starts it.

__main__.py         the command: everything together, until Ctrl-C
providers.py        the simulated providers, reached under the real ones' host names
proxy.py            the way there
control.py          a page on which one chooses what an account answers
home_assistant.py   a Home Assistant in a process and a folder of its own, with an owner
client.py           what the owner does, by API and in a browser; for tests/e2e and scripts/pictures
"""
