"""The Prometheus exporter for SMS-gateway accounts.

command_line.py, option_values.py   which commands there are, with their options
cli.py                              what each command does
  demo.py, healthcheck.py           serve simulated accounts; ask a running exporter
  balance.py, nagios.py             ask each account once, for people, programs and monitoring systems
  backtest.py, history.py           replay a recorded history, and how it is read
  monitoring.py, completion.py      write rules and dashboards; what shells complete

exporter.py                         the running whole: load, poll, serve, reload, end
config/, durations.py, loading.py   the configuration files; all that is configured, loaded together
mistakes.py, environment.py         what people and the environment can get wrong
accounts.py, shards.py              what is watched, and by which of several exporters
watch.py, agenda.py, slots.py       the polling: of whom, who is next, how many at once
storage.py                          what is known, kept over restarts

metrics.py, samples.py              what is known as metrics; the samples of one account as text
board.py, member.py, pieces.py      the texts of all accounts, kept joined and compressed
exposition.py, negotiation.py       the text of a scrape; its format and compression
listing.py, entry.py, words.py      which accounts are asked for; what is said of each, and how
trend.py, advice.py                 its last week; what to do about it, and where
page/, api.py                       both as the status page and as JSON

web.py, connections.py, prefix.py   the server, its connections, its place behind a reverse proxy
protection.py, activation.py        TLS and users; sockets that systemd listens on
loop.py, sharing.py                 the event loop; work that is done once for all who ask
log.py, output.py                   the log; standard output and standard error
simulator/                          simulated providers, for the demo and the tests
"""
