#!/usr/bin/python3
"""Alerts on their way, all real: lab, agent, Prometheus, two Alertmanagers (one for each way of being told), and
a receiver. The files in dashboards/ are used as they are shipped; only their patience is shortened.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
import unittest
import urllib.parse
import urllib.request
from datetime import datetime, timezone

import yaml

import maillog_test
import sink
from living_lab import ROOT, LivingLab, until
from tlsrpt_test import report

sys.path.insert(0, f"{ROOT}/dashboards")
import boards  # noqa: E402
import catalogue  # noqa: E402

T = 15  # TTL of the TLSA records that change here, seconds
SCHEDULE = {"interval": "20s", "fastest": "2s", "confirm_after": "2s", "retry_after": "2s", "workers": 8}
WATCHED = [
    "healthy.test",
    "shared-a.test",
    "shared-b.test",
    "nodane.test",
    {"name": "nostarttls.test", "group": "broken"},
    "insecuremx.test",
    {"name": "dsbroken.test", "group": "broken", "role": "outbound"},
    "story-late.test",
    "story-clean.test",
]
UNWELL = "Domains that are not well"
LATE, CLEAN = "mx.story-late.test", "mx.story-clean.test"
GROUP_INTERVAL = 2  # of Alertmanager, seconds
SCRAPED, PUSHED = "/scraped", "/pushed"  # where the sink hears of an alert, by the way it took

# What a dashboard asks about things that do not happen here: months of renewals by habit, a grown-old record; a fleet.
NOTHING_TO_SEE = {
    "danelaw_alert_publish_by_timestamp_seconds",
    "danelaw_domain_list_domains",
    "danelaw_domain_list_missing",
    "danelaw_domain_list_read_timestamp_seconds",
    "danelaw_domain_list_refused",
    "danelaw_mx_vantage_deliverable",
}


def shipped(name):
    with open(f"{ROOT}/dashboards/{name}") as file:
        return file.read()


def hastened_rules(text):
    """The rules with seconds for minutes, but long enough for a scrape or two to be lost on a busy machine. What
    may wait a day still does. As in the rules that are shipped, an alert outlives its series until it is known that
    the agent is dead: else its end would be told first."""
    file = yaml.safe_load(text)
    for group in file["groups"]:
        group["interval"] = "1s"
        for rule in group["rules"]:
            if not rule["for"].endswith("d"):
                rule["for"] = "4s"
            if "keep_firing_for" in rule:
                rule["keep_firing_for"] = "10s"
    return yaml.safe_dump(file)


def hastened_alertmanager(text, way):
    """The example with our receiver and seconds for minutes."""
    file = yaml.safe_load(text)
    file["route"].update(group_wait="1s", group_interval=f"{GROUP_INTERVAL}s")
    for receiver in file["receivers"]:
        receiver["webhook_configs"] = [{"url": f"http://127.0.0.1:9099{way}"}]
    return yaml.safe_dump(file)


def hastened_scrape(text, folder):
    file = yaml.safe_load(text)
    file["rule_files"] = [f"{folder}/danelaw-*.rules.yml"]
    file["scrape_configs"][0].update(scrape_interval="1s", scrape_timeout="1s")
    return yaml.safe_dump(file)


class Monitoring(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.prometheus = 29000 + os.getpid() % 3000
        cls.calm = {}  # how much each way had told when the troubles of our own began
        cls.lab = LivingLab("--stories", str(T), "--publish", f"{cls.prometheus}:9090")
        cls.addClassCleanup(cls.lab.close)
        cls.sink = cls.lab.start_sink()
        example = shipped("alertmanager/alertmanager.example.yml")
        cls.lab.start_alertmanager(hastened_alertmanager(example, SCRAPED), 9093)
        cls.lab.start_alertmanager(hastened_alertmanager(example, PUSHED), 9094)
        cls.start_prometheus()
        log = f"{cls.lab.dir}/mail.log"
        with open(log, "w") as file:
            file.write("")
        cls.lab.configure_agent(
            WATCHED,
            schedule=SCHEDULE,
            notify={"alertmanagers": [{"url": "http://127.0.0.1:9094"}]},
            postfix={"log": log, "policy_socket": f"{cls.lab.dir}/policy"},
        )
        cls.lab.start_agent()
        until("all is judged", 60, lambda: all(one["verdict"] for one in cls.lab.get("/api/v1/domains")["items"]))
        until(
            "what is broken fires",
            60,
            lambda: {"starttls-missing", "ds-broken"} <= {one["code"] for one in cls.lab.alerts()}
            and not cls.lab.alerts("pending"),
        )
        # A sender confirms what fires already.
        cls.lab.post_report(report("Example", "nostarttls.test", "mx.nostarttls.test", 5, "starttls-not-supported"))
        until("it is counted", 20, lambda: "danelaw_senders_refusing{" in cls.lab.text("/metrics"))
        # Mail of our own that went, and mail that waits.
        why = "TLS is required, but was not offered by host mx.nostarttls.test"
        lines = maillog_test.sent("AAAAAA", "a@healthy.test", "mx.healthy.test")
        lines += maillog_test.deferred("BBBBBB", "b@nostarttls.test", "mx.nostarttls.test", why)
        with open(log, "a") as file:
            file.write(re.sub("^[^ ]*", datetime.now(timezone.utc).isoformat(), lines, flags=re.M))
        until("it is read", 20, lambda: "danelaw_own_deliveries_total{" in cls.lab.text("/metrics"))

    @classmethod
    def start_prometheus(cls):
        folder = cls.lab.dir
        for name in ("danelaw-mail.rules.yml", "danelaw-agent.rules.yml"):
            with open(f"{folder}/{name}", "w") as file:
                file.write(hastened_rules(shipped(f"prometheus/{name}")))
        with open(f"{folder}/prometheus.yml", "w") as file:
            file.write(hastened_scrape(shipped("prometheus/scrape.example.yml"), folder))
        cls.lab.start_inside(
            "prometheus",
            "prometheus",
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/prometheus",
            "--web.listen-address=127.0.0.1:9090",
        )
        until("Prometheus is ready", 30, lambda: cls.lab.answers("http://127.0.0.1:9090/-/ready"))

    # --- asking

    def ask(self, path, **parameters):
        url = f"http://127.0.0.1:{self.prometheus}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as reply:
            return json.load(reply)["data"]

    def ask_as_grafana(self, expr, group=".*"):
        """What comes for a query of a panel: all is chosen, but perhaps the group."""
        values = {
            "job": "danelaw",
            "instance": ".+",
            "domain": ".+",
            "mx": ".+",
            "group": group,
            "__rate_interval": "10s",
            "__range": "10s",
            "__interval": "1s",
        }
        return self.ask("query", query=re.sub(r"\$(\w+)", lambda name: values[name[1]], expr))["result"]

    def heard(self, way):
        """(alertname, status, labels, annotations) of every alert in every notification that came so far."""
        return [
            (alert["labels"]["alertname"], alert["status"], alert["labels"], alert["annotations"])
            for one in sink.received(self.sink, way)
            for alert in one["json"]["alerts"]
        ]

    def told(self, way, since=0, **labels):
        """(alertname, status) of each that has these labels, without what was merely told again, and without so
        many that were heard before."""
        out = []
        for name, status, found, _ in self.heard(way)[since:]:
            if labels.items() <= found.items() and (name, status) not in out:
                out.append((name, status))
        return out

    def notifications(self, way, **labels):
        """Notifications in which such an alert came, by their status."""
        return [
            one["json"]["status"]
            for one in sink.received(self.sink, way)
            if any(labels.items() <= alert["labels"].items() for alert in one["json"]["alerts"])
        ]

    @staticmethod
    def let_alertmanager_tell():
        """What it has to tell of a group comes with the next interval."""
        end = time.monotonic() + 2 * GROUP_INTERVAL
        until("Alertmanager has had time to tell more", 30, lambda: time.monotonic() > end)

    # --- the stories, in this order: one lab, and the last one ends the agent

    def test_1_what_the_agent_exports_is_what_the_documents_say(self):
        text = self.lab.text("/metrics")
        done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))
        live = set(re.findall(r"^# TYPE (\w+)", text, re.M))
        self.assertEqual(live | NOTHING_TO_SEE, set(catalogue.metrics()))
        self.assertRegex(text, r'danelaw_probes_total\{stage="tls"\} [1-9]')
        self.assertRegex(text, r'danelaw_probes_failed_total\{stage="starttls",reason="not-offered"\} [1-9]')
        self.assertRegex(text, r'danelaw_dns_queries_total\{rcode="NOERROR",proto="udp"\} [1-9]')
        self.assertRegex(text, r'danelaw_resolver_validating\{resolver="127\.0\.0\.53"\} 1\n')

    def test_2_every_query_of_every_panel_finds_something(self):
        # In the middle of a change of key, when most can be seen.
        self.lab.lab("prepare", CLEAN)
        both = [self.lab.lab("tlsa", CLEAN, *more).strip() for more in ((), ("--next",))]
        self.lab.lab("set", f"_25._tcp.{CLEAN}", "TLSA", *both, "--flush")
        until(
            "a change of key is scraped",
            40,
            lambda: self.ask("query", query=f'danelaw_mx_rollover_safe_timestamp_seconds{{mx="{CLEAN}"}} > 0')[
                "result"
            ],
        )
        for board in boards.ALL.values():
            board = board()
            for where, expr in catalogue.queries(board):
                if any(metric in expr for metric in NOTHING_TO_SEE) or where == UNWELL:
                    continue  # not all that can befall mail befalls some domain here
                with self.subTest(board=board["uid"], where=where):
                    self.assertTrue(self.ask_as_grafana(expr), f"{expr}\nreturns nothing")

    def test_2_what_the_overview_shows_is_so_and_of_the_groups_chosen(self):
        shown = {}
        for where, expr in catalogue.queries(boards.ALL["danelaw-overview"]()):
            shown.setdefault(where, []).append(expr)

        def numbers(where, group):
            return [int(self.ask_as_grafana(expr, group)[0]["value"][1]) for expr in shown[where][:5]]

        def domains(where, group):
            return {one["metric"]["domain"] for expr in shown[where] for one in self.ask_as_grafana(expr, group)}

        until(
            "the start, when nothing was known, is out of its range",
            30,
            lambda: "healthy.test" not in domains(UNWELL, ".*"),
        )
        totals = json.loads(self.lab.text("/api/v1/status"))["delivery"]
        totals = [sum(totals[word].values()) for word in ("held-up", "at-risk", "unprotected", "fine", "unknown")]
        self.assertEqual(numbers("Domains", ".*"), totals)
        self.assertEqual(numbers("Domains", "broken"), [2, 0, 0, 0, 0])
        self.assertEqual(domains(UNWELL, "broken"), {"nostarttls.test", "dsbroken.test"})
        self.assertIn("nodane.test", domains(UNWELL, ".*"))
        ages = {
            one["metric"]["code"]: float(one["value"][1]) for one in self.ask_as_grafana(shown["Alerts"][0], "broken")
        }
        self.assertEqual(set(ages), {one["code"] for one in self.lab.alerts()})
        self.assertTrue(all(0 < age < 3600 for age in ages.values()), ages)
        self.assertEqual(sum(numbers("Open alerts", "broken")), len(ages))
        self.assertEqual(numbers("Open alerts", "nobody"), [0, 0, 0])
        share = {
            one["metric"]["domain"]: float(one["value"][1])
            for one in self.ask_as_grafana(next(expr for expr in shown["Domains"] if "avg_over_time" in expr))
        }
        self.assertEqual((share["healthy.test"], share["nostarttls.test"], share["nodane.test"]), (1, 0, 0))
        # What else speaks of domains, hosts and alerts is silent where the group has none.
        for panel, expressions in shown.items():
            for expr in expressions:
                if "$group" in expr and " or 0 * max" not in expr and not panel.startswith("variable "):
                    self.assertEqual(self.ask_as_grafana(expr, "nobody"), [], panel)

    def test_2_the_agents_board_counts_what_the_groups_chosen_have(self):
        shown = {}
        for where, expr in catalogue.queries(boards.ALL["danelaw-agent"]()):
            shown.setdefault(where, []).append(expr)

        def numbers(where, group):
            return [int(self.ask_as_grafana(expr, group)[0]["value"][1]) for expr in shown[where] if "$group" in expr]

        self.assertEqual(numbers("Watched domains", "broken"), [2, 0, 0, 0, 0])
        self.assertEqual(sum(numbers("Watched domains", ".*")), len(WATCHED))
        self.assertEqual(numbers("Watched domains", "nobody"), [0] * 5)
        self.assertEqual(numbers("Alerts", "nobody"), [0])
        self.assertEqual(numbers("Alerts", "broken"), [2])

    def test_3_every_rule_is_evaluated_and_what_is_broken_is_told_both_ways(self):
        rules = [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]
        self.assertEqual({rule["name"] for rule in rules}, {rule["alert"] for _, rule in catalogue.rules()})
        for rule in rules:
            with self.subTest(rule=rule["name"]):
                self.assertEqual((rule["health"], rule.get("lastError")), ("ok", None))
        # Its general rule, and one of its own: the same codes come by both ways.
        for way in (SCRAPED, PUSHED):
            until(
                f"it is told, {way}",
                30,
                lambda: {"starttls-missing", "ds-broken"}
                <= {labels.get("code") for _, _, labels, _ in self.heard(way)},
            )

    def test_4_a_late_rollover_is_one_story_by_both_ways(self):
        self.lab.lab("prepare", LATE)
        after = self.lab.lab("tlsa", LATE, "--next").strip()
        self.lab.lab("swap", LATE)
        firing = [("DanelawTlsaMismatch", "firing")]
        for way in (SCRAPED, PUSHED):
            until(f"the mismatch is told, {way}", 40, lambda: self.told(way, mx=LATE) == firing)
        for way in (SCRAPED, PUSHED):
            _, _, labels, notes = [one for one in self.heard(way) if one[2].get("mx") == LATE][0]
            self.assertEqual(
                labels,
                {
                    "alertname": "DanelawTlsaMismatch",
                    "code": "tlsa-mismatch",
                    "severity": "critical",
                    "direction": "inbound",
                    "mx": LATE,
                },
            )
            self.assertEqual(notes["summary"], f"{LATE}: the certificate matches no TLSA record")
            self.assertEqual(notes["runbook_url"], "http://127.0.0.1:9672/findings/tlsa-mismatch")
            path = notes["runbook_url"].removeprefix("http://127.0.0.1:9672")
            self.assertIn("certificate matches no TLSA record", self.lab.text(path))
        self.lab.lab("set", f"_25._tcp.{LATE}", "TLSA", after, "--flush")
        over = [*firing, ("DanelawTlsaMismatch", "resolved")]
        for way in (SCRAPED, PUSHED):
            until(f"its end is told, {way}", 90, lambda: self.told(way, mx=LATE) == over)
            self.assertEqual(self.notifications(way, mx=LATE), ["firing", "resolved"], "one, and its end")

    def test_5_a_dead_resolver_is_one_fault_of_ours_and_nobody_else_is_blamed(self):
        until("nothing is pending", 60, lambda: not self.lab.alerts("pending"))
        self.calm.update({way: len(self.heard(way)) for way in (SCRAPED, PUSHED)})
        self.lab.lab("kill", "unbound")
        for way in (SCRAPED, PUSHED):
            until(
                f"the fault is told, {way}",
                60,
                lambda: self.told(way, check="dns") == [("DanelawMonitorFault", "firing")],
            )
        until(
            "all domains are unknown", 60, lambda: self.ask("query", query="min(danelaw_domain_status) == 3")["result"]
        )
        self.lab.lab("start", "unbound")
        for way in (SCRAPED, PUSHED):
            until(
                f"its end is told, {way}",
                60,
                lambda: self.told(way, check="dns")[1:] == [("DanelawMonitorFault", "resolved")],
            )
            self.assertEqual({name for name, *_ in self.heard(way)[self.calm[way] :]}, {"DanelawMonitorFault"})

    def test_6_a_dead_agent_is_missed_and_its_alerts_do_not_seem_over(self):
        firing = {"query": 'ALERTS{alertname="DanelawStarttlsMissing", alertstate="firing"}'}
        before = len(self.heard(SCRAPED))
        self.lab.stop_agent(signal.SIGKILL)
        until("it is missed", 30, lambda: self.told(SCRAPED, before, job="danelaw") == [("DanelawDown", "firing")])
        until("Prometheus has let go of its alerts", 30, lambda: not self.ask("query", **firing)["result"])
        self.let_alertmanager_tell()  # that they are over, if nothing kept it from that
        self.lab.start_agent()
        until("it is back", 30, lambda: ("DanelawDown", "resolved") in self.told(SCRAPED, before, job="danelaw"))
        until("its alerts are back", 30, lambda: self.ask("query", **firing)["result"])
        self.let_alertmanager_tell()
        self.assertEqual(
            {name for name, *_ in self.heard(SCRAPED)[self.calm[SCRAPED] :]}, {"DanelawMonitorFault", "DanelawDown"}
        )


if __name__ == "__main__":
    unittest.main()
