"""The three dashboards, as Python; ./make writes them as the JSON that Grafana reads.

A panel is a name, a sentence, queries and a place. What all of them share (data source, variables, selectors,
mappings of numbers to words) stands here once. Numbers and words come from the HELP texts of the metrics.
"""

import catalogue

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
OURS = 'job=~"$job", instance=~"$instance"'
PAGE = "${ui_url}"
SINCE = "?from=${__from}&to=${__to}"

# A colour says nothing that the word beside it does not say. Names of Grafana's own, for light and dark.
CALM, NOTE, WARN, BAD, GREY = "green", "blue", "orange", "red", "text"
COLOURS = {
    "danelaw_domain_verdict": {"authenticated": CALM, "host-authenticated": CALM, "encrypted": NOTE,
                               "opportunistic": NOTE, "cleartext": WARN, "unknown": GREY, "no-mail": GREY},
    "danelaw_mx_dane_state": {"verified": CALM, "no TLSA": NOTE, "TLSA insecure": NOTE, "all unusable": WARN,
                              "not probed": GREY},
    "danelaw_mx_rollover_state": {"no-dane": GREY, "steady": CALM, "prepub-wait": NOTE, "prepub-ok": NOTE,
                                  "ready": NOTE, "switching": NOTE, "rolled": NOTE, "withdrawn": WARN,
                                  "fallback": WARN, "unknown": GREY},
}


def worded(metric):
    """Value mappings from the enumeration in the metric's HELP; what has no colour is bad."""
    words = catalogue.metrics()[metric].words
    return [{"type": "value", "options": {
        str(number): {"text": word, "color": COLOURS[metric].get(word, BAD), "index": number}
        for number, word in words.items()}}]


def two(no, yes, no_colour=BAD):
    return [{"type": "value", "options": {"0": {"text": no, "color": no_colour, "index": 0},
                                          "1": {"text": yes, "color": CALM, "index": 1}}}]


def link(title, path):
    return {"title": title, "url": PAGE + path, "targetBlank": True}


def query(expr, legend="", table=False, instant=False):
    out = {"datasource": SOURCE, "expr": expr, "legendFormat": legend or "__auto", "editorMode": "code",
           "range": not (table or instant), "instant": table or instant}
    if table:
        out["format"] = "table"
    return out


def panel(kind, title, description, queries, width, height, unit="none", mappings=(), links=(), options=None,
          custom=None, thresholds=((None, GREY),), overrides=(), transformations=(), **field):
    targets = [{**one, "refId": chr(ord("A") + place)} for place, one in enumerate(queries)]
    steps = [{"value": value, "color": colour} for value, colour in thresholds]
    defaults = {"unit": unit, "mappings": list(mappings), "links": list(links), "custom": custom or {},
                "color": {"mode": "thresholds" if kind != "timeseries" else "palette-classic"},
                "thresholds": {"mode": "absolute", "steps": steps}, **field}
    return {"type": kind, "title": title, "description": description, "datasource": SOURCE, "targets": targets,
            "fieldConfig": {"defaults": defaults, "overrides": list(overrides)}, "options": options or {},
            "transformations": list(transformations), "gridPos": {"w": width, "h": height}}


def stat(title, description, expr, legend="", width=6, shows="auto", **more):
    return panel("stat", title, description, [query(expr, legend, instant=True)], width, 4,
                 options={"colorMode": "value", "graphMode": "none", "justifyMode": "auto", "textMode": shows,
                          "orientation": "auto", "wideLayout": True, "showPercentChange": False,
                          "percentChangeColorMode": "standard",
                          "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}, **more)


def states(title, description, expr, legend, width=24, height=10, **more):
    return panel("state-timeline", title, description, [query(expr, legend)], width, height,
                 custom={"fillOpacity": 75, "lineWidth": 0},
                 options={"showValue": "auto", "rowHeight": 0.85, "mergeValues": True, "alignValue": "left",
                          "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []},
                          "tooltip": {"mode": "single", "sort": "none"}}, **more)


def lines(title, description, queries, unit, width=12, height=8, stacked=False, **more):
    return panel("timeseries", title, description, queries, width, height, unit=unit,
                 custom={"drawStyle": "line", "lineWidth": 1, "fillOpacity": 25 if stacked else 5,
                         "showPoints": "auto", "spanNulls": False,
                         "stacking": {"mode": "normal" if stacked else "none", "group": "A"}},
                 options={"legend": {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []},
                          "tooltip": {"mode": "multi", "sort": "desc"}}, **more)


def table(title, description, queries, width=24, height=10, columns=(), hidden=("Time",), names=None,
          overrides=(), **more):
    """`columns`: their order, by name as the query gives it."""
    tidy = {"id": "organize", "options": {"excludeByName": {name: True for name in hidden},
                                          "indexByName": {name: at for at, name in enumerate(columns)},
                                          "renameByName": names or {}}}
    merged = [{"id": "merge", "options": {}}] if len(queries) > 1 else []
    return panel("table", title, description, queries, width, height, overrides=overrides,
                 transformations=[*merged, tidy],
                 options={"showHeader": True, "cellHeight": "sm"}, **more)


def column(name, **properties):
    return {"matcher": {"id": "byName", "options": name},
            "properties": [{"id": key, "value": value} for key, value in properties.items()]}


def row(title):
    return {"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"w": 24, "h": 1}}


# ---- variables

def variable(name, label, metric, hint):
    return {"type": "query", "name": name, "label": label, "description": hint, "datasource": SOURCE,
            "definition": f"label_values({metric}, {name})",
            "query": {"query": f"label_values({metric}, {name})", "refId": f"variable-{name}", "qryType": 1},
            "refresh": 2, "sort": 1, "multi": True, "includeAll": True, "allValue": ".+", "options": [],
            "current": {"text": ["All"], "value": ["$__all"]}, "hide": 0}


DATASOURCE = {"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus",
              "description": "The Prometheus that scrapes danelaw", "refresh": 1, "multi": False,
              "includeAll": False, "options": [], "current": {"text": "default", "value": "default"}, "hide": 0}
JOB = variable("job", "Job", "danelaw_build_info", "The scrape job of danelaw")
INSTANCE = variable("instance", "Instance", 'danelaw_build_info{job=~"$job"}', "Which agents")
GROUP = variable("group", "Group", f"danelaw_domain_info{{{OURS}}}", "Groups of domains, by the configuration")
GROUP["allValue"] = ".*"    # most domains have none
DOMAIN = variable("domain", "Domain", f'danelaw_domain_info{{{OURS}, group=~"$group"}}', "Watched domains")
MX = variable("mx", "MX host", f"danelaw_mx_dane_state{{{OURS}}}", "MX hosts of the watched domains")
PAGE_URL = {"type": "textbox", "name": "ui_url", "label": "danelaw's page", "hide": 0,
            "description": "Where your browser reaches the agent's page; links go there",
            "query": "http://127.0.0.1:9672", "options": [],
            "current": {"text": "http://127.0.0.1:9672", "value": "http://127.0.0.1:9672"}}


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
    return {"id": None, "uid": uid, "title": title, "description": description, "tags": ["danelaw", "mail"],
            "schemaVersion": 39, "version": 1, "editable": False, "graphTooltip": 1, "refresh": "1m",
            "time": {"from": span, "to": "now"}, "timepicker": {}, "timezone": "utc", "weekStart": "",
            "fiscalYearStartMonth": 0, "liveNow": False,
            "templating": {"list": [DATASOURCE, JOB, INSTANCE, *variables, PAGE_URL]},
            "annotations": {"list": list(annotations)},
            "links": [{"type": "dashboards", "tags": ["danelaw"], "title": "danelaw", "icon": "external link",
                       "tooltip": "", "url": "", "asDropdown": True, "includeVars": False, "keepTime": True,
                       "targetBlank": False}],
            "panels": laid_out(panels)}


def rollovers(selector):
    """A band for as long as a change of key is under way at a host."""
    return {"name": "Rollovers", "enable": True, "hide": False, "iconColor": "blue", "datasource": SOURCE,
            "expr": f"max by (mx) (danelaw_mx_rollover_state_since_timestamp_seconds{{{selector}}}) > 0", "step": "60s",
            "titleFormat": "Rollover", "textFormat": "{{mx}}", "tagKeys": "mx", "useValueForTime": False}


MINE = f'{OURS}, domain=~"$domain"'
HOST = f'{OURS}, mx=~"$mx"'
IN_GROUP = f'and on (domain) danelaw_domain_info{{{OURS}, group=~"$group"}}'
DOMAIN_LINK = link("What danelaw sees of ${__field.labels.domain}", "/domains/${__field.labels.domain}" + SINCE)
HOST_LINK = link("The rollover of ${__field.labels.mx}", "/mx/${__field.labels.mx}" + SINCE)
TO_DOMAIN = column("domain", links=[link("Show ${__value.text}", "/domains/${__value.raw}" + SINCE)])
TO_HOST = column("mx", links=[link("Show ${__value.text}", "/mx/${__value.raw}" + SINCE)])
TO_FINDING = column("code", links=[link("What ${__value.text} means, and what helps", "/findings/${__value.raw}")])


def deadline(expr, what):
    return f'label_replace({expr}, "what", "{what}", "", "")'


def deadlines(hosts, domains=None):
    rows = [
        deadline(f"max by (mx) (danelaw_mx_rollover_safe_timestamp_seconds{{{hosts}}} > 0)", "safe to switch the key"),
        deadline(f"max by (mx) (danelaw_mx_rollover_removable_timestamp_seconds{{{hosts}}} > 0)",
                 "safe to remove the old record"),
        deadline(f"min by (mx) (danelaw_alert_publish_by_timestamp_seconds{{{hosts}}})", "publish the next record by"),
        deadline(f"min by (mx) (danelaw_mx_rrsig_expiration_timestamp_seconds{{{hosts}}})", "TLSA signatures end"),
        deadline(f"min by (mx) (danelaw_address_cert_not_after_timestamp_seconds{{{hosts}}})", "certificate ends")]
    if domains:
        rows.append(deadline(f"min by (domain) (danelaw_domain_rrsig_expiration_timestamp_seconds{{{domains}}})",
                             "MX signatures end"))
    return "sort(bottomk(100, ((" + " or ".join(rows) + ") > time()) * 1000))"


def overview():
    return dashboard(
        "danelaw-overview", "danelaw / Overview", "Does mail get through securely, and what has to be done next?",
        [GROUP, DOMAIN], [
            stat("Domains", "Watched domains by the worst that was found at the last look.",
                 f"max by (status) (danelaw_domains{{{OURS}}})", "{{status}}", 8,
                 thresholds=((None, GREY), (1, NOTE))),
            stat("Open alerts", "Confirmed trouble, one a root cause; acknowledged and silenced ones apart.",
                 f'sum by (state) (max by (state, severity) (danelaw_alerts{{{OURS}}}))', "{{state}}", 8,
                 thresholds=((None, CALM), (1, WARN))),
            stat("Agent", "Whether Prometheus reaches the agent.", f"min(up{{{OURS}}})", "danelaw", 4,
                 mappings=two("down", "up")),
            stat("Sight", "What the agent needs to see others: while it fails nothing is said of the domains.",
                 f"min by (check) (danelaw_vantage_up{{{OURS}}})", "{{check}}", 4, mappings=two("fails", "works")),
            states("Verdicts", "What a sender that checks DANE does with mail to each domain.",
                   f"max by (domain) (danelaw_domain_verdict{{{MINE}}} {IN_GROUP})", "{{domain}}", height=12,
                   mappings=worded("danelaw_domain_verdict"), links=[DOMAIN_LINK]),
            table("Open findings", "Everything the last looks found. The code explains itself on danelaw's page.",
                  [query(f"max by (severity, code, mx, domain, direction) (danelaw_finding{{{MINE}}} {IN_GROUP})",
                         table=True)], 14, 12,
                  columns=("severity", "code", "mx", "domain", "direction"), hidden=("Time", "Value"),
                  overrides=(TO_DOMAIN, TO_HOST, TO_FINDING)),
            table("Next deadlines", "What ends, or becomes possible, next; the nearest first.",
                  [query(deadlines(OURS, MINE), table=True)], 10, 12,
                  columns=("Value", "what", "mx", "domain"), names={"Value": "when"},
                  overrides=(column("when", unit="dateTimeFromNow"), TO_DOMAIN, TO_HOST)),
            panel("alertlist", "Alerts", "Alerts that Grafana knows, its own and those of the data source.", [], 8, 9,
                  options={"viewMode": "list", "groupMode": "default", "groupBy": [], "maxItems": 20, "sortOrder": 1,
                           "dashboardAlerts": False, "alertName": "Danelaw", "alertInstanceLabelFilter": "",
                           "folder": None, "datasource": None, "showInstances": True,
                           "stateFilter": {"firing": True, "pending": False, "noData": False, "normal": False,
                                           "error": True, "recovering": False}}),
            lines("Findings over time", "Open findings by severity.",
                  [query(f"count by (severity) (max by (severity, code, mx, domain) (danelaw_finding{{{MINE}}}))",
                         "{{severity}}")], "short", 8, 9, stacked=True),
            lines("Alerts over time", "Alerts that fire, by severity.",
                  [query(f"count by (severity) (max by (code, severity, mx, owner, domain, zone, check) "
                         f"(danelaw_alert_firing{{{OURS}}}))", "{{severity}}")], "short", 8, 9, stacked=True),
            row("Coverage"),
            lines("Partial DANE", "MX hosts of a domain without DANE beside others with it: the weakest one counts.",
                  [query(f"max by (domain) (danelaw_domain_mx_hosts{{{MINE}}} - danelaw_domain_dane_mx_hosts{{{MINE}}})"
                         " > 0", "{{domain}}")], "short", 8),
            stat("Domains by DNSSEC of the MX RRset", "Senders such as Exim apply DANE only where it is secure.",
                 f'count_values("status", max by (domain) (danelaw_domain_mx_dnssec_status{{{MINE}}}))',
                 "{{status}}", 8, overrides=[
                     column(number, displayName=word) for number, word in
                     catalogue.metrics()["danelaw_domain_mx_dnssec_status"].words.items()]),
            lines("Age of the last look", "A domain that could not be looked at says nothing new.",
                  [query(f"time() - min by (domain) (danelaw_domain_last_probe_timestamp_seconds{{{MINE}}})",
                         "{{domain}}"),
                   query(f"count(danelaw_domain_probe_success{{{MINE}}} == 0) or vector(0)", "domains that we could not see")],
                  "s", 8, overrides=[column("domains that we could not see", unit="short")]),
            table("Domains", "Status as the exit status of `danelaw check`: 0 ok, 1 warning, 2 critical, 3 unknown.",
                  [query(f"max by (domain, group, direction) (danelaw_domain_info{{{MINE}, group=~\"$group\"}}) "
                         f"* on (domain) group_left () max by (domain) (danelaw_domain_status{{{MINE}}})", table=True)],
                  24, 9, columns=("domain", "Value", "group", "direction"), names={"Value": "status"},
                  overrides=(TO_DOMAIN, column("status", mappings=[{"type": "value", "options": {
                      str(number): {"text": word, "color": colour, "index": number} for number, (word, colour) in
                      enumerate((("ok", CALM), ("warning", WARN), ("critical", BAD), ("unknown", GREY)))}}]))),
        ], annotations=[rollovers(OURS)])


def mx_host():
    return dashboard(
        "danelaw-mx", "danelaw / MX host", "One MX host: its records, its keys, and how a change of key goes.",
        [MX], [
            stat("DANE", "For the worst-off domain that uses the host.",
                 f"max by (mx) (danelaw_mx_dane_state{{{HOST}}})", "{{mx}}", 6,
                 mappings=worded("danelaw_mx_dane_state"), links=[HOST_LINK]),
            stat("Rollover", "Where the TLSA set is between two keys.",
                 f"max by (mx) (danelaw_mx_rollover_state{{{HOST}}})", "{{mx}}", 6,
                 mappings=worded("danelaw_mx_rollover_state"), links=[HOST_LINK]),
            stat("Caches that refuse", "Share of warm resolver caches with a TLSA set that refuses what is served.",
                 f"max by (mx) (danelaw_mx_failing_cache_ratio{{{HOST}}})", "{{mx}}", 6, unit="percentunit",
                 thresholds=((None, CALM), (0.001, BAD))),
            stat("Domains that depend on it", "Watched domains with this MX host.",
                 f"count by (mx) (max by (mx, domain) (danelaw_domain_mx_info{{{HOST}}}))", "{{mx}}", 6),
            states("Rollover", "The states in which a change of key went by.",
                   f"max by (mx) (danelaw_mx_rollover_state{{{HOST}}})", "{{mx}}", height=8,
                   mappings=worded("danelaw_mx_rollover_state"), links=[HOST_LINK]),
            states("DANE", "What senders make of the host.", f"max by (mx) (danelaw_mx_dane_state{{{HOST}}})", "{{mx}}",
                   12, 8, mappings=worded("danelaw_mx_dane_state"), links=[HOST_LINK]),
            states("Addresses", "Whether a usable TLSA record matches the chain at each address.",
                   f"min by (mx, address) (danelaw_address_tlsa_match{{{HOST}}})", "{{mx}} {{address}}", 12, 8,
                   mappings=two("no match", "matches"), links=[HOST_LINK]),
            lines("Caches that refuse", "Fades while caches forget the old set.",
                  [query(f"max by (mx) (danelaw_mx_failing_cache_ratio{{{HOST}}})", "{{mx}}")], "percentunit",
                  min=0, max=1),
            table("What is next", "Moments of the change that is under way, and what ends.",
                  [query(deadlines(HOST), table=True),], 12, 8, columns=("Value", "what", "mx"),
                  names={"Value": "when"}, overrides=(column("when", unit="dateTimeFromNow"), TO_HOST)),
            lines("Time left", "Until the TLSA signatures and the certificate end. DANE-EE(3) ignores the latter.",
                  [query(f"min by (mx) (danelaw_mx_rrsig_expiration_timestamp_seconds{{{HOST}}}) - time()",
                         "{{mx}} signatures"),
                   query(f"min by (mx) (danelaw_address_cert_not_after_timestamp_seconds{{{HOST}}}) - time()",
                         "{{mx}} certificate")], "s"),
            lines("Life of the certificate that is spent", "1 at its end; renewal is usual at two thirds.",
                  [query(f"max by (mx, address) ((time() - danelaw_address_cert_not_before_timestamp_seconds{{{HOST}}}) /"
                         f" (danelaw_address_cert_not_after_timestamp_seconds{{{HOST}}} - "
                         f"danelaw_address_cert_not_before_timestamp_seconds{{{HOST}}}))", "{{mx}} {{address}}")],
                  "percentunit"),
            row("Records and sessions"),
            table("Hosts", "Usable records, TTL as published, DNSSEC of the TLSA lookup, addresses, state since.",
                  [query(f"max by (mx) (danelaw_mx_tlsa_records{{{HOST}}})", table=True),
                   query(f"max by (mx) (danelaw_mx_tlsa_ttl_seconds{{{HOST}}})", table=True),
                   query(f"max by (mx) (danelaw_mx_tlsa_dnssec_status{{{HOST}}})", table=True),
                   query(f"max by (mx) (danelaw_mx_addresses{{{HOST}}})", table=True),
                   query(f"1000 * max by (mx) (danelaw_mx_rollover_state_since_timestamp_seconds{{{HOST}}} > 0)",
                         table=True)], 12, 9,
                  columns=("mx", "Value #A", "Value #B", "Value #C", "Value #D", "Value #E"),
                  names={"Value #A": "records", "Value #B": "TTL", "Value #C": "DNSSEC", "Value #D": "addresses",
                         "Value #E": "rolling since"},
                  overrides=(TO_HOST, column("TTL", unit="s"), column("rolling since", unit="dateTimeAsIso"),
                             column("DNSSEC", mappings=[{"type": "value", "options": {
                                 str(number): {"text": word, "index": number} for number, word in
                                 catalogue.metrics()["danelaw_mx_tlsa_dnssec_status"].words.items()}}]))),
            table("Addresses", "What the last session with each address showed.",
                  [query(f"min by (mx, address) (danelaw_address_probe_success{{{HOST}}})", table=True),
                   query(f"min by (mx, address) (danelaw_address_starttls{{{HOST}}})", table=True),
                   query(f"1000 * max by (mx, address) (danelaw_address_last_probe_timestamp_seconds{{{HOST}}})",
                         table=True)], 12, 9,
                  columns=("mx", "address", "Value #A", "Value #B", "Value #C"),
                  names={"Value #A": "chain seen", "Value #B": "STARTTLS", "Value #C": "last look"},
                  overrides=(TO_HOST, column("chain seen", mappings=two("no", "yes")),
                             column("STARTTLS", mappings=two("no", "yes")),
                             column("last look", unit="dateTimeFromNow"))),
            lines("Length of a session", "With each address, from the connection to QUIT.",
                  [query(f"max by (mx, address) (danelaw_address_probe_duration_seconds{{{HOST}}})",
                         "{{mx}} {{address}}")], "s"),
            table("Domains", "Who depends on the host.",
                  [query(f"max by (mx, domain, preference) (danelaw_domain_mx_info{{{HOST}}})", table=True)], 12, 8,
                  columns=("mx", "preference", "domain"), hidden=("Time", "Value"), overrides=(TO_DOMAIN, TO_HOST)),
        ], annotations=[rollovers(HOST)])


def rate(metric, by, legend):
    return query(f"sum by ({by}) (rate({metric}{{{OURS}}}[$__rate_interval]))", legend)


def spread(metric, share, legend, which="", by=""):
    each = f"sum by (le{', ' if by else ''}{by}) (rate({metric}_bucket{{{OURS}{which}}}[$__rate_interval]))"
    return query(f"histogram_quantile({share}, {each})", legend)


def agent():
    return dashboard(
        "danelaw-agent", "danelaw / Agent", "The agent itself: does it see, keep up, remember and tell?",
        [], [
            stat("Version", "The running program, with the revision of its sources.",
                 f"max by (instance, version, revision) (danelaw_build_info{{{OURS}}})", "{{version}} {{revision}}", 6,
                 shows="name"),
            stat("Configuration", "Whether it was taken when it was read last.",
                 f"min(danelaw_config_last_reload_successful{{{OURS}}})", "", 6,
                 mappings=two("refused: the old one stays", "taken", WARN)),
            stat("Configured since", "When a configuration was taken last.",
                 f"1000 * max(danelaw_config_last_reload_success_timestamp_seconds{{{OURS}}})", "", 6,
                 unit="dateTimeFromNow"),
            stat("Running since", "Start of the process.", f"1000 * max(process_start_time_seconds{{{OURS}}})", "", 6,
                 unit="dateTimeFromNow"),
            states("Sight", "Resolver, clock and the way out to port 25. While one fails nothing is said of others.",
                   f"min by (instance, check) (danelaw_vantage_up{{{OURS}}})", "{{instance}} {{check}}", height=7,
                   mappings=two("fails", "works")),
            lines("Behind schedule", "How late the most overdue target is.",
                  [query(f"max by (instance) (danelaw_scheduler_lag_seconds{{{OURS}}})", "{{instance}}")], "s"),
            lines("Work", "Targets that wait, and looks under way.",
                  [query(f"sum by (instance) (danelaw_scheduler_queue_length{{{OURS}}})", "{{instance}} waiting"),
                   query(f"sum by (instance) (danelaw_probes_in_flight{{{OURS}}})", "{{instance}} under way")], "short"),
            lines("Looks", "Looks finished per second.", [rate("danelaw_rounds_total", "instance", "{{instance}}")],
                  "ops"),
            lines("Length of sessions", "Half are shorter, 95 % are shorter.",
                  [spread("danelaw_probe_duration_seconds", 0.5, "half", ', stage="session"'),
                   spread("danelaw_probe_duration_seconds", 0.95, "95 %", ', stage="session"')], "s"),
            lines("Length of stages", "Lookups and the steps of sessions: 95 % are shorter.",
                  [spread("danelaw_probe_duration_seconds", 0.95, "{{stage}}", ', stage!="session"', "stage")], "s"),
            lines("Lookups and sessions by stage", "Lookups, and SMTP sessions that came to the stage, per second.",
                  [rate("danelaw_probes_total", "stage", "{{stage}}")], "ops"),
            lines("Failures by stage and reason", "Lookups that failed and sessions that ended there, per second.",
                  [query(f"sum by (stage, reason) (rate(danelaw_probes_failed_total{{{OURS}}}[$__rate_interval])) > 0",
                         "{{stage}}: {{reason}}")], "ops"),
            lines("DNS", "Queries per second by response code, and those without a usable reply.",
                  [rate("danelaw_dns_queries_total", "rcode, proto", "{{rcode}} {{proto}}"),
                   query(f"sum(rate(danelaw_dns_unanswered_total{{{OURS}}}[$__rate_interval]))", "no reply")], "ops"),
            states("Resolvers that validate", "danelaw validates by itself; an MTA relies on its resolver for it.",
                   f"min by (instance, resolver) (danelaw_resolver_validating{{{OURS}}})", "{{instance}} {{resolver}}",
                   width=12, height=8, mappings=two("does not validate", "validates", WARN)),
            lines("Notices", "Delivered and failed per minute, and waiting.",
                  [query(f"60 * sum by (integration) (rate(danelaw_notifications_total{{{OURS}}}[$__rate_interval]))",
                         "{{integration}} delivered"),
                   query("60 * sum by (integration) "
                         f"(rate(danelaw_notifications_failed_total{{{OURS}}}[$__rate_interval]))",
                         "{{integration}} failed"),
                   query(f"max by (integration) (danelaw_notifications_waiting{{{OURS}}})", "{{integration}} waiting")],
                  "short"),
            lines("Since the last delivery", "By notifier; one that had nothing to deliver is not at fault.",
                  [query("time() - max by (integration) "
                         f"(danelaw_notification_last_success_timestamp_seconds{{{OURS}}} > 0)", "{{integration}}")],
                  "s"),
            lines("Database", "Its size.", [query(f"max by (instance) (danelaw_storage_size_bytes{{{OURS}}})",
                                                  "{{instance}}")], "bytes", 6),
            lines("Rows", "By table. History is one row a change.",
                  [query(f"max by (table) (danelaw_storage_rows{{{OURS}}})", "{{table}}")], "short", 6),
            lines("Time to record a look", "Half take less, 95 % take less.",
                  [spread("danelaw_storage_write_duration_seconds", 0.5, "half"),
                   spread("danelaw_storage_write_duration_seconds", 0.95, "95 %")], "s", 6),
            lines("Rounds not recorded", "Tries per second that failed, and rounds per second that waited too long: "
                  "history has gaps where these are not 0.",
                  [rate("danelaw_storage_errors_total", "instance", "{{instance}}: failed"),
                   rate("danelaw_storage_lost_rounds_total", "instance", "{{instance}}: lost")], "ops", 6),
            lines("Rounds in memory", "That wait to be recorded, and whether recording works (1).",
                  [query(f"max by (instance) (danelaw_storage_unrecorded_rounds{{{OURS}}})", "{{instance}}: waiting"),
                   query(f"min by (instance) (danelaw_storage_up{{{OURS}}})", "{{instance}}: works")], "short", 6),
            lines("Progress", "Since a look was finished, and the longest look under way.",
                  [query(f"max by (instance) (danelaw_last_round_age_seconds{{{OURS}}})", "{{instance}}: last"),
                   query(f"max by (instance) (danelaw_longest_look_seconds{{{OURS}}})", "{{instance}}: longest")],
                  "s", 6),
            lines("Workers", "Threads that look; whether looks are finished in time (1).",
                  [query(f"max by (instance) (danelaw_workers{{{OURS}}})", "{{instance}}: workers"),
                   query(f"min by (instance) (danelaw_scheduler_healthy{{{OURS}}})", "{{instance}}: in time")],
                  "short", 6),
            lines("Clock", "How often it was set, per second.",
                  [rate("danelaw_clock_steps_total", "instance", "{{instance}}")], "ops", 6),
            lines("Requests", "Answered per second, by route and status.",
                  [rate("danelaw_http_requests_total", "handler, code", "{{handler}} {{code}}")], "reqps", 6),
            lines("Time to answer", "95 % take less, by route.",
                  [spread("danelaw_http_request_duration_seconds", 0.95, "{{handler}}", "", "handler")], "s", 6),
            lines("Open pages", "Streams of events that are open.",
                  [query(f"max by (instance) (danelaw_event_stream_clients{{{OURS}}})", "{{instance}}")], "short", 6),
            lines("CPU", "Cores in use.", [rate("process_cpu_seconds_total", "instance", "{{instance}}")], "short", 6),
            lines("Memory", "Resident.", [query(f"max by (instance) (process_resident_memory_bytes{{{OURS}}})",
                                                "{{instance}}")], "bytes", 6),
            lines("File descriptors", "Open, and how many may be.",
                  [query(f"max by (instance) (process_open_fds{{{OURS}}})", "{{instance}} open"),
                   query(f"max by (instance) (process_max_fds{{{OURS}}})", "{{instance}} most")], "short"),
            lines("Series", "What a scrape of the agent brings; metrics.detail makes it less.",
                  [query(f"max by (instance) (scrape_samples_scraped{{{OURS}}})", "{{instance}}")], "short"),
        ], span="now-24h")


ALL = {"danelaw-overview": overview, "danelaw-mx": mx_host, "danelaw-agent": agent}
