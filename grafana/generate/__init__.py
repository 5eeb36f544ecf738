"""Generates what Prometheus and Grafana users install; `scripts/generate` runs it.

settings            what can differ from one installation to the next, and how templates are filled in with it
rules               rules as data, and as YAML
statuses            which statuses are taken together
recording           what is known of each account, whoever watches it and even while nobody can be asked
alerts              what is worth somebody's time, and how soon
panels              what dashboards are made of: variables, queries, colours, kinds of panels
shared, states      what both dashboards have: pieces, and one word for the whole state of an account
overview, account   the dashboards
"""
