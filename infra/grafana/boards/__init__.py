"""Grafana's dashboards as code: `make dashboards` writes infra/grafana/dashboards/*.json from here.

One file a dashboard; `panels.py` has the few forms that they are made of, so that units, thresholds and
descriptions are never left out. The JSON is committed, since Grafana reads it as it is.
"""
