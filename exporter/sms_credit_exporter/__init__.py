"""The Prometheus exporter for SMS-gateway accounts.

cli.py, demo.py, balance.py     the commands
backtest.py, history.py         the replay of a recorded history, and how it is read
exporter.py                     the running whole: load, poll, serve, reload, end
config/, durations.py           the configuration files and their mistakes
environment.py, output.py       what the environment and the terminal can get wrong
accounts.py, watch.py           what is watched and known; the polling
slots.py, loop.py               how many polls are under way at once; the event loop
metrics.py, negotiation.py      what is known as metrics; formats and compression
listing.py, entry.py            which accounts are asked for; what is said of each
trend.py, advice.py             its last week; what to do about it, and where
page/, api.py                   both as the status page and as JSON
web.py, protection.py, log.py   the server, its TLS and users, the log
simulator/                      simulated providers, for the demo and the tests
"""
