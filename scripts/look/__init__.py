"""Draws the dashboards with Grafana's own components; `scripts/look-at-dashboards` runs it.

accounts   the made-up accounts, and what each of them lives through
past       what the exporter would have shown of them for days, written for promtool
running    exporter, Prometheus and its rules, all of them real
asking     the panels' own queries, asked as Grafana asks them
pictures   the browser that draws, and takes the pictures
drawing/   what runs in the browser
"""
