"""Prometheus' rules as Grafana-managed ones, by Grafana's own translation of imported rules.

query -> math (1 for every series that came back, whatever its value) -> threshold; no data is health, an error
of the data source is an error.
"""

import re

import catalogue

HEAD = """# Grafana-managed alert rules, made by dashboards/make from dashboards/prometheus/*.rules.yml; do not edit.
# DANELAW_DATASOURCE_UID in Grafana's environment names the Prometheus to ask.
"""
ANY_SAMPLE = "is_number($query) || is_nan($query) || is_inf($query)"
LOOK_BACK = 600  # seconds


def node(ref, kind, **model):
    return {
        "refId": ref,
        "queryType": kind,
        "datasourceUid": "__expr__",
        "model": {"refId": ref, "type": kind, **model},
    }


def template(text):
    """A text of Prometheus' for Grafana, where `.Value` is a sentence of its own."""
    return re.sub(r"\.Value\b", ".Values.query.Value", text)


def uid(alert):
    """Stable for ever: Grafana knows the rule by it."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", alert).lower()


def translated(rule):
    out = {
        "uid": uid(rule["alert"]),
        "title": rule["alert"],
        "condition": "threshold",
        "for": rule.get("for", "0s"),
        "noDataState": "OK",
        "execErrState": "Error",
        "missing_series_evals_to_resolve": 1,
        "labels": rule.get("labels", {}),
        "annotations": {name: template(text) for name, text in rule["annotations"].items()},
        "data": [
            {
                "refId": "query",
                "relativeTimeRange": {"from": LOOK_BACK, "to": 0},
                "datasourceUid": "${DANELAW_DATASOURCE_UID}",
                "model": {"refId": "query", "expr": rule["expr"], "instant": True, "range": False},
            },
            node("prometheus_math", "math", expression=ANY_SAMPLE),
            node(
                "threshold",
                "threshold",
                expression="prometheus_math",
                conditions=[{"evaluator": {"type": "gt", "params": [0]}}],
            ),
        ],
    }
    if "keep_firing_for" in rule:
        out["keepFiringFor"] = rule["keep_firing_for"]
    return out


def provisioning():
    """The file as a value."""
    return {
        "apiVersion": 1,
        "groups": [
            {
                "orgId": 1,
                "name": group["name"],
                "folder": "Danelaw",
                "interval": "1m",
                "rules": [translated(rule) for rule in group["rules"]],
            }
            for file in catalogue.RULE_FILES
            for group in catalogue.groups(file)
        ],
    }
