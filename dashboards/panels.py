"""What the dashboards are made of: panels, variables, selectors, mappings of numbers to words.

A panel is a name, a sentence, queries and a place. What all of them share stands here once. Numbers and words come
from the HELP texts of the metrics.
"""

import catalogue

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
OURS = 'job=~"$job", instance=~"$instance"'
PAGE = "${ui_url}"
SINCE = "?from=${__from}&to=${__to}"

# A colour says nothing that the word beside it does not say. Names of Grafana's own, for light and dark.
CALM, NOTE, OPEN, WARN, BAD, GREY = "green", "blue", "yellow", "orange", "red", "text"
SEVERITIES = {"critical": BAD, "high": WARN, "medium": OPEN, "low": NOTE, "info": GREY}  # the worst first
STATUS = {"ok": CALM, "warning": WARN, "critical": BAD, "unknown": GREY}
MAIL = {word: STATUS[look] for word, look in catalogue.looks("deliveryLook").items()}
MAIL["unprotected"] = OPEN  # beside at-risk, which is a warning, too
COLOURS = {
    "danelaw_domain_delivery": MAIL,
    "danelaw_mx_delivery": MAIL,
    "danelaw_domain_status": STATUS,
    "danelaw_mx_dane_state": {
        "verified": CALM,
        "no TLSA": NOTE,
        "TLSA insecure": NOTE,
        "all unusable": WARN,
        "not probed": GREY,
    },
    # A change of key that goes well is worth a note.
    "danelaw_mx_rollover_state": {
        word: NOTE if look == "ok" and word != "steady" else STATUS[look]
        for word, look in catalogue.looks("rolloverLook").items()
    },
}


def worded(metric):
    """Value mappings from the enumeration in the metric's HELP; what has no colour is bad."""
    words = catalogue.metrics()[metric].words
    return [
        {
            "type": "value",
            "options": {
                str(number): {"text": word, "color": COLOURS[metric].get(word, BAD), "index": number}
                for number, word in words.items()
            },
        }
    ]


def two(no, yes, no_colour=BAD):
    return [
        {
            "type": "value",
            "options": {
                "0": {"text": no, "color": no_colour, "index": 0},
                "1": {"text": yes, "color": CALM, "index": 1},
            },
        }
    ]


def ranked_words(words):
    """Value mappings from word -> colour, the worst first, for a column of numbers as `ranked` gives them."""
    options = {
        str(len(words) - at): {"text": word, "color": colour, "index": at}
        for at, (word, colour) in enumerate(words.items())
    }
    return [{"type": "value", "options": options}]


def steps(*pairs):
    """Thresholds, as a field has them."""
    return {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in pairs]}


def link(title, path):
    return {"title": title, "url": PAGE + path, "targetBlank": True}


def query(expr, legend="", table=False, instant=False):
    out = {
        "datasource": SOURCE,
        "expr": expr,
        "legendFormat": legend or "__auto",
        "editorMode": "code",
        "range": not (table or instant),
        "instant": table or instant,
    }
    if table:
        out["format"] = "table"
    return out


def panel(
    kind,
    title,
    description,
    queries,
    width,
    height,
    unit="none",
    mappings=(),
    links=(),
    options=None,
    custom=None,
    thresholds=((None, GREY),),
    overrides=(),
    transformations=(),
    points=None,
    **field,
):
    """`points`: into how many steps the range is cut; Grafana takes the width of the panel otherwise."""
    targets = [{**one, "refId": chr(ord("A") + place)} for place, one in enumerate(queries)]
    defaults = {
        "unit": unit,
        "mappings": list(mappings),
        "links": list(links),
        "custom": custom or {},
        "color": {"mode": "thresholds" if kind != "timeseries" else "palette-classic"},
        "thresholds": steps(*thresholds),
        **field,
    }
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": SOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": defaults, "overrides": list(overrides)},
        "options": options or {},
        "transformations": list(transformations),
        "gridPos": {"w": width, "h": height},
        **({"maxDataPoints": points} if points else {}),
    }


def stat(title, description, expr, legend="", width=6, shows="auto", **more):
    return stats(title, description, [(expr, legend)], width, shows, **more)


def stats(title, description, asked, width=6, shows="auto", **more):
    """`asked`: (expression, legend) each."""
    return panel(
        "stat",
        title,
        description,
        [query(expr, legend, instant=True) for expr, legend in asked],
        width,
        4,
        options={
            "colorMode": "value",
            "graphMode": "none",
            "justifyMode": "auto",
            "textMode": shows,
            "orientation": "auto",
            "wideLayout": True,
            "showPercentChange": False,
            "percentChangeColorMode": "standard",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        },
        **more,
    )


def states(title, description, queries, width=24, height=10, **more):
    return panel(
        "state-timeline",
        title,
        description,
        queries,
        width,
        height,
        custom={"fillOpacity": 75, "lineWidth": 0},
        options={
            "showValue": "auto",
            "rowHeight": 0.85,
            "mergeValues": True,
            "alignValue": "left",
            "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []},
            "tooltip": {"mode": "single", "sort": "none"},
        },
        **more,
    )


def lines(title, description, queries, unit, width=12, height=8, stacked=False, custom=None, **more):
    return panel(
        "timeseries",
        title,
        description,
        queries,
        width,
        height,
        unit=unit,
        custom={
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": 25 if stacked else 5,
            "showPoints": "auto",
            "spanNulls": False,
            **(custom or {}),
            "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        },
        options={
            "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        **more,
    )


def table(
    title,
    description,
    queries,
    width=24,
    height=10,
    columns=(),
    hidden=("Time",),
    names=None,
    overrides=(),
    order=(),
    **more,
):
    """`columns`: their order, by name as the query gives it. `order`: (name as shown, whether downwards) each."""
    tidy = {
        "id": "organize",
        "options": {
            "excludeByName": {name: True for name in hidden},
            "indexByName": {name: at for at, name in enumerate(columns)},
            "renameByName": names or {},
        },
    }
    merged = [{"id": "merge", "options": {}}] if len(queries) > 1 else []
    return panel(
        "table",
        title,
        description,
        queries,
        width,
        height,
        overrides=overrides,
        transformations=[*merged, tidy],
        options={
            "showHeader": True,
            "cellHeight": "sm",
            "sortBy": [{"displayName": name, "desc": is_down} for name, is_down in order],
        },
        **more,
    )


def column(name, **properties):
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }


def painted(name, **properties):
    """A column whose cells have the colour of their value."""
    return column(name, **{"custom.cellOptions": {"type": "color-background", "mode": "basic"}, **properties})


def row(title):
    return {"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"w": 24, "h": 1}}


# ---- selectors

MINE = f'{OURS}, domain=~"$domain"'
HOST = f'{OURS}, mx=~"$mx"'
# Who belongs to the groups chosen. Alerts of our own seeing belong to all.
IN_GROUP = f'and on (domain) danelaw_domain_info{{{OURS}, group=~"$group"}}'
HOST_IN_GROUP = f"and on (mx) (danelaw_domain_mx_info{{{OURS}}} {IN_GROUP})"
ALERT_LABELS = "code, mx, owner, domain, zone, check"
ALERT_IN_GROUP = f'and on ({ALERT_LABELS}) danelaw_alert_group_info{{{OURS}, group=~"$group"}}'


def of_domains(metric, by="domain", only=""):
    """Of the domains chosen, the greatest value among agents."""
    return f"max by ({by}) ({metric}{{{MINE}{only}}} {IN_GROUP})"


def of_hosts(metric, by="mx", function="max", above="", where=HOST):
    return f"{function} by ({by}) ({metric}{{{where}}}{above} {HOST_IN_GROUP})"


def of_alerts(metric, function="max", where=OURS):
    return f"{function} by (severity, direction, {ALERT_LABELS}) ({metric}{{{where}}} {ALERT_IN_GROUP})"


def ranked(expr):
    """Series that are 1, as numbers of their severity, the worse the higher: words would be sorted by their letters."""
    numbers = " or ".join(
        f'label_replace(vector({len(SEVERITIES) - at}), "severity", "{word}", "", "")'
        for at, word in enumerate(SEVERITIES)
    )
    return f"{expr} * on (severity) group_left () ({numbers})"


def counted(expr):
    """How many there are; 0 only where an agent says so: one that does not answer has nothing to count."""
    return f"count({expr}) or 0 * max(danelaw_domains{{{OURS}}})"


# ---- variables


def variable(name, label, metric, hint):
    return {
        "type": "query",
        "name": name,
        "label": label,
        "description": hint,
        "datasource": SOURCE,
        "definition": f"label_values({metric}, {name})",
        "query": {"query": f"label_values({metric}, {name})", "refId": f"variable-{name}", "qryType": 1},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".+",
        "options": [],
        "current": {"text": ["All"], "value": ["$__all"]},
        "hide": 0,
    }


DATASOURCE = {
    "type": "datasource",
    "name": "datasource",
    "label": "Data source",
    "query": "prometheus",
    "description": "The Prometheus that scrapes danelaw",
    "refresh": 1,
    "multi": False,
    "includeAll": False,
    "options": [],
    "current": {"text": "default", "value": "default"},
    "hide": 0,
}
JOB = variable("job", "Job", "danelaw_build_info", "The scrape job of danelaw")
INSTANCE = variable("instance", "Instance", 'danelaw_build_info{job=~"$job"}', "Which agents")
GROUP = variable("group", "Group", f"danelaw_domain_info{{{OURS}}}", "Groups of domains, by the configuration")
GROUP["allValue"] = ".*"  # most domains have none
DOMAIN = variable("domain", "Domain", f'danelaw_domain_info{{{OURS}, group=~"$group"}}', "Watched domains")
# label_values cannot ask which hosts a group has.
HOSTS_ASKED = f"query_result(max by (mx) (danelaw_domain_mx_info{{{OURS}}} {IN_GROUP}))"
MX = {
    **variable("mx", "MX host", "danelaw_domain_mx_info", "MX hosts of the watched domains"),
    "definition": HOSTS_ASKED,
    "query": {"query": HOSTS_ASKED, "refId": "variable-mx", "qryType": 3},
    "regex": '/mx="([^"]+)"/',
}
PAGE_URL = {
    "type": "textbox",
    "name": "ui_url",
    "label": "danelaw's page",
    "hide": 0,
    "description": "Where your browser reaches the agent's page; links go there",
    "query": "http://127.0.0.1:9672",
    "options": [],
    "current": {"text": "http://127.0.0.1:9672", "value": "http://127.0.0.1:9672"},
}


# ---- the whole


def laid_out(panels):
    """Number the panels, and place them from left to right, line by line."""
    x = y = tallest = 0
    for number, one in enumerate(panels, 1):
        place = one["gridPos"]
        if x + place["w"] > 24:
            x, y, tallest = 0, y + tallest, 0
        one.update(id=number, gridPos={**place, "x": x, "y": y})
        x, tallest = x + place["w"], max(tallest, place["h"])
    return panels


def dashboard(uid, title, description, variables, panels, span="now-7d", annotations=()):
    return {
        "id": None,
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["danelaw", "mail"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": span, "to": "now"},
        "timepicker": {},
        "timezone": "utc",
        "weekStart": "",
        "fiscalYearStartMonth": 0,
        "liveNow": False,
        "templating": {"list": [DATASOURCE, JOB, INSTANCE, *variables, PAGE_URL]},
        "annotations": {"list": list(annotations)},
        "links": [
            {
                "type": "dashboards",
                "tags": ["danelaw"],
                "title": "danelaw",
                "icon": "external link",
                "tooltip": "",
                "url": "",
                "asDropdown": True,
                "includeVars": False,
                "keepTime": True,
                "targetBlank": False,
            }
        ],
        "panels": laid_out(panels),
    }


def rollovers(where):
    """A band for as long as a change of key is under way at a host."""
    return {
        "name": "Rollovers",
        "enable": True,
        "hide": False,
        "iconColor": "blue",
        "datasource": SOURCE,
        "expr": of_hosts("danelaw_mx_rollover_state_since_timestamp_seconds", where=where) + " > 0",
        "step": "60s",
        "titleFormat": "Rollover",
        "textFormat": "{{mx}}",
        "tagKeys": "mx",
        "useValueForTime": False,
    }


DOMAIN_LINK = link("What danelaw sees of ${__field.labels.domain}", "/domains/${__field.labels.domain}" + SINCE)
HOST_LINK = link("The rollover of ${__field.labels.mx}", "/mx/${__field.labels.mx}" + SINCE)
TO_DOMAIN = column("domain", links=[link("Show ${__value.text}", "/domains/${__value.raw}" + SINCE)])
TO_HOST = column("mx", links=[link("Show ${__value.text}", "/mx/${__value.raw}" + SINCE)])
TO_FINDING = column("code", links=[link("What ${__value.text} means, and what helps", "/findings/${__value.raw}")])
SEVERITY = painted("severity", mappings=ranked_words(SEVERITIES))

# Signatures are made anew a week before their end or earlier, certificates a month.
DAY = 86400
TIME_LEFT = ((None, BAD), (DAY, WARN), (3 * DAY, CALM))


def deadline(expr, what):
    return f'label_replace({expr}, "what", "{what}", "", "")'


def nearest(rows, above=""):
    return "sort(bottomk(100, ((" + " or ".join(rows) + f"){above}) - time()))"


def endings(where, with_domains=False, width=12, height=8):
    """What ends next, as a table with the time that is left in red, amber and green."""
    rows = [
        deadline(of_alerts("danelaw_alert_publish_by_timestamp_seconds", "min", where), "publish the next record by"),
        deadline(
            of_hosts("danelaw_mx_rrsig_expiration_timestamp_seconds", function="min", where=where),
            "TLSA signatures end",
        ),
        deadline(
            of_hosts("danelaw_address_cert_not_after_timestamp_seconds", function="min", where=where),
            "certificate ends",
        ),
    ]
    if with_domains:
        asked = f"min by (domain) (danelaw_domain_rrsig_expiration_timestamp_seconds{{{MINE}}} {IN_GROUP})"
        rows.append(deadline(asked, "MX signatures end"))
    return table(
        "What ends next",
        "The nearest first; red with less than a day left, or over.",
        [query(nearest(rows), table=True)],
        width,
        height,
        columns=("Value", "what", "mx", "domain", "owner", "zone"),
        hidden=("Time", "code", "severity", "direction", "check"),
        names={"Value": "time left"},
        overrides=(
            painted("time left", unit="s", thresholds=steps(*TIME_LEFT)),
            TO_DOMAIN,
            TO_HOST,
        ),
    )


def openings(where, width=12, height=8):
    """What becomes possible next in the changes of key that are under way."""
    rows = [
        deadline(of_hosts(f"danelaw_mx_rollover_{name}_timestamp_seconds", above=" > 0", where=where), what)
        for name, what in (("safe", "safe to switch the key"), ("removable", "safe to remove the old record"))
    ]
    return table(
        "What becomes possible next",
        "Moments of the changes of key that are under way; the nearest first.",
        [query(nearest(rows, " > time()"), table=True)],
        width,
        height,
        columns=("Value", "what", "mx"),
        names={"Value": "in"},
        overrides=(column("in", unit="s"), TO_HOST),
    )
