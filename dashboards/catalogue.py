"""What there is: metrics (from the source that exports them), rules, finding codes, panels."""

import collections
import functools
import pathlib
import re
import textwrap

import yaml

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
RULE_FILES = sorted((HERE / "prometheus").glob("*.rules.yml"))

Metric = collections.namedtuple("Metric", "name kind help words")  # words: number -> word, of enumerations
NAME = re.compile(r"\b(?:danelaw|process)_[a-z_]+\b")
EXPORTED = re.compile(r'out\.(gauge|counter|histogram)\(\s*"([a-z_]+)",\s*((?:"(?:[^"\\]|\\.)*"\s*)+),')


def words_in(text):
    """{0: "secure", 1: …} of a HELP that spells an enumeration out."""
    if not re.search(r"\b0 [^,]+, 1 ", text):
        return {}
    return {int(number): word.strip() for number, word in re.findall(r"(\d+) ([A-Za-z][^,.(]*)", text)}


@functools.cache
def metrics():
    """Name -> Metric, in the order of the source."""
    source = (ROOT / "web/metrics.cc").read_text()
    found = {}
    for kind, name, text in EXPORTED.findall(source):
        text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text))
        found.setdefault(name, Metric(name, kind, text, words_in(text)))
    return found


@functools.cache
def looks(name):
    """Word -> ok, warning, critical or unknown: how the page shows it, by the program's own table."""
    source = (ROOT / "web/ui/src/catalogue.ts").read_text()
    return dict(re.findall(r'"([^"]+)": "(\w+)"', re.search(rf"const {name}: [^{{]*{{(.*?)}};", source, re.S)[1]))


def names_in(expr):
    """The metrics of ours that an expression asks for; a histogram's samples have names of their own."""
    out = set()
    for name in NAME.findall(expr):
        base = re.sub("_(bucket|sum|count)$", "", name)
        out.add(base if base in metrics() and metrics()[base].kind == "histogram" else name)
    return out


def groups(file):
    return yaml.safe_load(file.read_text())["groups"]


def rules():
    """(file name, rule) of every rule there is."""
    return [(file.name, rule) for file in RULE_FILES for group in groups(file) for rule in group["rules"]]


@functools.cache
def findings():
    """Finding code -> its title, from docs/findings.md."""
    text = (ROOT / "docs/findings.md").read_text()
    return dict(re.findall(r"^## (\S+)\n\n\*\*(?:NAME: )?(.*?)\.?\*\*", text, re.M))


@functools.cache
def alert_facts():
    """Finding code -> (severity from which it is an alert, whether it may pass by itself)."""
    text = (ROOT / "docs/findings.md").read_text()
    return {
        code: (severity, probes != "two probes")
        for code, severity, probes in re.findall(
            r"^## (\S+)\n(?:(?!## ).*\n)*?An alert from `(\w+)` on, after (two probes|three probes or half an hour);",
            text,
            re.M,
        )
    }


def alert_name(code):
    """What the agent calls an alert of that code."""
    return "Danelaw" + "".join(part.capitalize() for part in code.split("-"))


def codes_of(rule):
    """The finding codes that a rule speaks of by name."""
    return [code for listed in re.findall(r'code="([^"]+)"', rule["expr"]) for code in listed.split("|")]


def told_from_medium():
    """The codes of which a medium finding is an alert already."""
    return [code for code, (severity, _) in alert_facts().items() if severity in ("info", "low", "medium")]


def with_codes(file):
    """The text of a rule file, with the codes that the two general rules leave to others."""
    named = [code for _, rule in rules() for code in codes_of(rule)]
    text = file.read_text()
    for alert, codes in (("DanelawAlert", named), ("DanelawFinding", told_from_medium())):
        text = re.sub(
            rf'(- alert: {alert}\n(?:(?!- alert:).*\n)*?.*code!~")[^"]*"',
            lambda match, codes=codes: match[1] + "|".join(codes) + '"',
            text,
        )
    return text


def alerts_document():
    """The text of docs/alerts.md, with its lists of codes."""
    path = ROOT / "docs/alerts.md"
    lists = {
        "transient": [code for code, (_, is_transient) in alert_facts().items() if is_transient],
        "from-medium": [code for code, (severity, _) in alert_facts().items() if severity == "medium"],
    }
    text = path.read_text()
    for name, codes in lists.items():
        listed = textwrap.fill(", ".join(f"`{code}`" for code in codes), 110, break_on_hyphens=False)
        text, found = re.subn(
            rf"<!-- {name} -->\n.*?\n<!-- /{name} -->", f"<!-- {name} -->\n{listed}\n<!-- /{name} -->", text, flags=re.S
        )
        assert found == 1, f"{path}: no list of {name} codes"
    return path, text


def queries(board):
    """(where, expression) of everything a dashboard asks Prometheus."""
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for note in board["annotations"]["list"]:
        yield "annotation " + note["name"], note["expr"]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            asked = re.fullmatch(r"label_values\((.*), \w+\)|query_result\((.*)\)", variable["definition"])
            yield "variable " + variable["name"], asked[1] or asked[2]


# ---- the table


def document(boards):
    """docs/metrics.md, and what has no place in it: metrics that nobody uses, codes that no rule tells."""
    users = collections.defaultdict(list)
    for board in boards.values():
        for where, expr in queries(board):
            for name in names_in(expr) & set(metrics()):
                use = f"{board['title'].split('/ ')[-1]}: {where}"
                if use not in users[name]:
                    users[name].append(use)
    for _, rule in rules():
        for name in names_in(rule["expr"]):
            users[name].append(f"**{rule['alert']}**")
    orphans = [f"{name}: neither panel nor rule" for name in metrics() if not users[name]]
    named = {code: rule["alert"] for _, rule in rules() for code in codes_of(rule)}
    orphans += [f"{code}: a rule names it, but docs/findings.md does not" for code in named if code not in findings()]

    out = [
        "# Metrics, rules and findings",
        "",
        "Every metric, who uses it (panels of the dashboards, **rules**), every rule, and every finding with its",
        "rule. Written by `dashboards/make`; do not edit. How to set all this up: [grafana.md](grafana.md).",
        "",
        "## Metrics",
        "",
        "| metric | kind | what it says | used by |",
        "|---|---|---|---|",
    ]
    out += [f"| `{m.name}` | {m.kind} | {m.help} | {' · '.join(users[m.name])} |" for m in metrics().values()]
    out += [
        "",
        "## Rules",
        "",
        "| rule | severity | for | findings | what it says | file |",
        "|---|---|---|---|---|---|",
    ]
    for file, rule in rules():
        severity = rule.get("labels", {}).get("severity", "of the series")
        codes = ", ".join(f"[{code}](findings.md#{code})" for code in codes_of(rule) if "!~" not in code)
        says = " ".join(rule["annotations"]["description"].split()).replace("|", "\\|")
        out.append(f"| `{rule['alert']}` | {severity} | {rule.get('for', '0s')} | {codes} | {says} | `{file}` |")
    out += [
        "",
        "## Findings",
        "",
        "As an alert of the agent's (high or critical, and a few medium ones) a finding has this rule. What is",
        "`medium` and no alert comes by `DanelawFinding` after a day; `low` and `info` are shown only.",
        "",
        "| finding | says | rule |",
        "|---|---|---|",
    ]
    general = "`DanelawAlert` as an alert, `DanelawFinding` when medium"
    out += [
        f"| [{code}](findings.md#{code}) | {title} | {f'`{named[code]}`' if code in named else general} |"
        for code, title in findings().items()
    ]
    return "\n".join(out) + "\n", orphans
