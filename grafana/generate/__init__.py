"""Generates what Prometheus and Grafana users install: rules, and dashboards.

settings    what can differ from one installation to the next
rules       rules as data, and as YAML
recording   what is known of each account
alerts      what is worth somebody's time
"""
