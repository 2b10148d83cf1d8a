#!/usr/bin/python3
"""The API and its document, /api/v1/openapi.json, against each other: every operation described is asked of the
real agent on the lab, every reply is held against its schema, and no route of the program is missing.
"""

import json
import pathlib
import re
import sys
import unittest
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

import jsonschema
import yaml

from living_lab import ROOT, LivingLab, until

PARTNER = "mismatch.test"


class OpenApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = LivingLab()
        cls.addClassCleanup(cls.lab.close)
        with open(f"{cls.lab.dir}/partners.txt", "w") as file:
            file.write(f"{PARTNER}\n")
        watched = [name for name in cls.lab.expected if name != PARTNER]
        with open(f"{cls.lab.dir}/danelaw.yaml") as file:
            web = yaml.safe_load(file)["web"]
        with open(f"{cls.lab.dir}/inventory.json", "w") as file:
            json.dump({"body": "healthy.test\n"}, file)
        server = f"{ROOT}/tests/e2e/list_server.py"
        cls.lab.start_inside("inventory", sys.executable, server, f"{cls.lab.dir}/inventory.json", "14081")
        until("the inventory answers", 20, lambda: cls.lab.answers("http://127.0.0.1:14081/"))
        cls.lab.configure_agent(
            watched,
            domain_lists=[
                {"file": "partners.txt", "group": "partners"},
                {"url": "http://127.0.0.1:14081/", "name": "inventory"},
            ],
            web={**web, "public_badges": ["healthy.test"]},
        )
        cls.lab.start_agent()
        cls.document = cls.lab.get("/api/v1/openapi.json")
        cls.tried = set()  # (path, method, status) that were seen
        until(
            "every domain is judged",
            90,
            lambda: all(item["verdict"] for item in cls.lab.get("/api/v1/domains?limit=500")["items"]),
        )
        until("the partner's trouble fires", 60, lambda: cls.lab.alerts(code="tlsa-mismatch", domains=[PARTNER]))

    def ask(self, method, path, values=None, query="", body=None, status=None, kind="application/json"):
        """The reply to an operation of the document, which it must fit."""
        url = path
        for key, value in (values or {}).items():
            url = url.replace("{" + key + "}", value)
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.lab.port}{url}{query}",
            method=method.upper(),
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": kind},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                code, kind = reply.status, reply.headers["Content-Type"]
                text = reply.read(300) if kind == "text/event-stream" else reply.read()
        except urllib.error.HTTPError as error:
            with error:
                code, kind, text = error.code, error.headers["Content-Type"], error.read()
        operation = self.document["paths"][path][method]
        self.assertIn(str(code), operation["responses"], f"{method} {url}{query}: {text[:300]}")
        if status is not None:
            self.assertEqual(code, status, text[:300])
        self.tried.add((path, method, code))
        wanted = operation["responses"][str(code)].get("content")
        if wanted is None:
            self.assertEqual(text, b"")
            return None
        kind = kind.partition(";")[0]
        self.assertIn(kind, wanted)
        if kind != "application/json" and kind != "application/problem+json":
            return text.decode()
        return self.fits(json.loads(text), wanted[kind]["schema"], f"{method} {url}{query}")

    def fits(self, what, schema, where):
        whole = {**self.document, **schema}
        for fault in jsonschema.Draft202012Validator(whole).iter_errors(what):
            raise AssertionError(f"{where}: {fault.json_path}: {fault.message[:300]}")
        return what

    def test_every_operation_answers_as_described(self):
        get = "get"
        self.ask(get, "/api/v1/openapi.json")
        self.ask(get, "/api/v1/status")
        self.ask(get, "/api/v1/agents")
        domains = self.ask(get, "/api/v1/domains", query="?limit=500&sort=status")["items"]
        self.assertEqual(len(domains), len(self.lab.expected))
        self.ask(get, "/api/v1/domains", query="?limit=0", status=400)
        hosts = set()
        for domain in domains:
            values = {"name": domain["domain"]}
            whole = self.ask(get, "/api/v1/domains/{name}", values)
            hosts |= {host["host"] for host in whole["hosts"]}
            self.ask(get, "/api/v1/domains/{name}/history", values, "?limit=50")
        self.ask(get, "/api/v1/domains/{name}", {"name": "nobody.test"}, status=404)
        self.ask(get, "/api/v1/domains/{name}/history", {"name": "healthy.test"}, "?from=yesterday", status=400)
        for host in hosts:
            self.ask(get, "/api/v1/mx/{host}", {"host": host})
            self.ask(get, "/api/v1/mx/{host}/timeline", {"host": host})
        self.ask(get, "/api/v1/mx/{host}", {"host": "nobody.test"}, status=404)
        kind = "application/tlsrpt+json"
        report = json.loads(pathlib.Path(ROOT, "tests/reports/microsoft.json").read_text())
        report["policies"][0]["policy"]["policy-domain"] = "healthy.test"
        self.assertTrue(self.ask("post", "/api/v1/tlsrpt", body=report, status=202, kind=kind)["is_new"])
        self.assertFalse(self.ask("post", "/api/v1/tlsrpt", body=report, status=202, kind=kind)["is_new"])
        self.ask("post", "/api/v1/tlsrpt", body={}, status=400, kind=kind)
        senders = "/api/v1/domains/{name}/senders"
        since = "?from=2026-01-01T00:00:00Z&until=2027-12-31T00:00:00Z"
        self.assertEqual(len(self.ask(get, senders, {"name": "healthy.test"}, since)["items"]), 3)
        self.ask(get, senders, {"name": "healthy.test"}, "?from=yesterday", status=400)
        self.ask(get, senders, {"name": "nobody.test"}, status=404)
        self.ask(get, "/api/v1/mx/{host}/senders", {"host": "mx.healthy.test"})
        self.ask(get, "/api/v1/mx/{host}/senders", {"host": "nobody.test"}, status=404)
        self.assertFalse(self.ask(get, "/api/v1/deliveries")["follows_log"])
        self.assertEqual(self.ask(get, "/api/v1/deliveries/disagreements")["items"], [])
        self.ask(get, "/api/v1/deliveries/disagreements", query="?limit=0", status=400)
        self.assertIsNone(self.ask(get, "/api/v1/domains/{name}/deliveries", {"name": "healthy.test"})["last_at"])
        self.ask(get, "/api/v1/domains/{name}/deliveries", {"name": "nobody.test"}, status=404)
        self.assertEqual(self.ask(get, "/api/v1/mx/{host}/deliveries", {"host": "mx.healthy.test"})["items"], [])
        self.assertEqual(self.ask(get, "/api/v1/partners")["items"], [])
        self.ask(get, "/api/v1/findings", query="?limit=500")
        self.ask(get, "/api/v1/findings", query="?limit=1&severity=critical")
        causes = self.ask(get, "/api/v1/findings", query="?group_by=cause&verdict=deferred")["items"]
        self.assertIn("tlsa-mismatch", {one["code"] for one in causes})
        for one in causes:
            found = self.ask(get, "/api/v1/domains", query=f"?verdict=deferred&code={','.join(one['codes'])}")
            self.assertGreaterEqual(found["total"], one["domains_count"])
            self.assertIsNotNone(one["since"], one["code"])
        self.ask(get, "/api/v1/findings", query="?verdict=deaf", status=400)
        fires = self.ask(get, "/api/v1/alerts", query=f"?q={PARTNER}&state=firing,pending")
        self.assertEqual(fires["states"]["firing"] + fires["states"]["pending"], fires["total"])
        self.ask(get, "/api/v1/alerts", query="?state=firing,on", status=400)
        causes = self.ask(get, "/api/v1/alerts", query="?state=firing&group_by=cause")["items"]
        own = [one["code"] for one in causes if one["subject"]["kind"] == "domain"]
        self.assertEqual(len(own), len(set(own)), own)
        self.ask(get, "/api/v1/alerts", query="?group_by=colour", status=400)
        self.ask(get, "/api/v1/deadlines")
        self.assertTrue(self.ask(get, "/api/v1/deadlines.ics").startswith("BEGIN:VCALENDAR"))
        listed = self.ask(get, "/api/v1/mx", query="?limit=500&sort=name")["items"]
        self.assertEqual({item["host"] for item in listed}, hosts)
        self.assertIn("host,delivery,", self.ask(get, "/api/v1/mx", query="?format=csv"))
        self.ask(get, "/api/v1/mx", query="?state=jumping", status=400)
        under_way = self.ask(get, "/api/v1/status")["rollovers_under_way"]
        self.assertEqual(self.ask(get, "/api/v1/mx", query="?rolling=yes")["total"], under_way)
        self.ask(get, "/api/v1/mx", query="?rolling=soon", status=400)
        self.assertEqual(
            [one["host"] for one in self.ask(get, "/api/v1/mx", query="?code=tlsa-mismatch&role=outbound")["items"]],
            ["mx.mismatch.test"],
        )
        self.assertIn(",verdict,healthy.test,", self.ask(get, "/api/v1/history", query="?format=csv&kind=verdict"))
        days = self.ask(get, "/api/v1/domains/{name}/days", {"name": "healthy.test"}, "?days=7")
        self.assertEqual(days["days"][-1]["delivery"], "fine")
        self.assertEqual(days["shares"][0]["authenticated"], 1)
        self.ask(get, "/api/v1/domains/{name}/days", {"name": "nobody.test"}, status=404)
        days = self.ask(get, "/api/v1/mx/{host}/days", {"host": "mx.healthy.test"}, "?days=7")
        self.assertEqual(days["days"][-1]["delivery"], "fine")
        self.ask(get, "/api/v1/mx/{host}/days", {"host": "mx.nobody.test"}, status=404)
        self.ask(get, "/api/v1/days", query="?group=partners")
        self.ask(get, "/api/v1/report")
        hour_ago = (datetime.now(timezone.utc) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        report = self.ask(get, "/api/v1/report", query=f"?from={hour_ago}&role=inbound")
        mine = next(one for one in report["domains"] if one["domain"] == "healthy.test")
        self.assertGreater(mine["seconds"]["authenticated"], 0)
        begin, end = (datetime.fromisoformat(report[key].replace("Z", "+00:00")) for key in ("from", "until"))
        self.assertEqual(sum(mine["seconds"].values()), (end - begin).total_seconds())
        for form in ("csv", "html", "text"):
            self.assertIn("healthy.test", self.ask(get, "/api/v1/report", query=f"?from={hour_ago}&format={form}"))
        self.ask(get, "/api/v1/report", query="?month=soon", status=400)
        self.ask(get, "/api/v1/report", query="?until=2027-01-01T00:00:00Z", status=400)
        groups = self.ask(get, "/api/v1/groups")["items"]
        self.assertEqual(sum(item["domains"] for item in groups), len(domains))
        verdicts = self.ask(get, "/api/v1/history", query="?kind=verdict&limit=500")["items"]
        self.assertLessEqual({domain["domain"] for domain in domains}, {item["subject"]["name"] for item in verdicts})
        self.ask(get, "/api/v1/history", query="?kind=gossip", status=400)
        down = self.ask(get, "/api/v1/history", query="?verdict=deferred,bounced&limit=500")["items"]
        self.assertEqual(
            {(item["kind"], item["to"]) for item in down} - {("verdict", "bounced")}, {("verdict", "deferred")}
        )
        alerts = self.ask(get, "/api/v1/history", query="?code=tlsa-mismatch&limit=500")["items"]
        self.assertLessEqual({item["kind"] for item in alerts}, {"alert", "act"})
        for wrong in ("verdict=sunny", "code=sunny"):
            self.ask(get, "/api/v1/history", query=f"?{wrong}", status=400)
        badge = {"name": "healthy.test"}
        self.assertIn("authenticated", self.ask(get, "/api/v1/domains/{name}/badge.svg", badge))
        self.ask(get, "/api/v1/domains/{name}/badge.json", badge)
        self.ask(get, "/api/v1/domains/{name}/badge.json", {"name": "mismatch.test"}, status=404)
        self.assertIn("retry:", self.ask(get, "/api/v1/events"))
        self.ask("post", "/api/v1/domains/{name}/check", {"name": "healthy.test"}, status=202)
        self.ask("post", "/api/v1/domains/{name}/check", {"name": "nobody.test"}, status=404)
        self.assertEqual(self.ask(get, "/api/v1/whoami")["right"], "operate")
        acts = self.ask(get, "/api/v1/acts", query="?act=check")["items"]
        self.assertIn("nobody.test", {act["subject"]["name"] for act in acts})

    def test_any_domain_is_checked_once(self):
        begun = self.ask("post", "/api/v1/checks", body={"domain": "Healthy.test."}, status=202)
        self.ask("post", "/api/v1/checks", body={"domain": "healthy.test"}, status=429)
        values = {"id": begun["id"]}
        until("it is checked", 60, lambda: self.ask("get", "/api/v1/checks/{id}", values)["state"] != "running")
        done = self.ask("get", "/api/v1/checks/{id}", values)
        self.assertEqual((done["state"], done["result"]["verdict"]), ("done", "authenticated"), done)
        self.ask("get", "/api/v1/checks/{id}", {"id": "99"}, status=404)
        self.ask("post", "/api/v1/domains", body={"domain": "healthy.test"}, status=409)
        self.ask("post", "/api/v1/lists/{name}/accept", {"name": "inventory"}, status=409)
        self.ask("post", "/api/v1/lists/{name}/accept", {"name": "nobody"}, status=404)
        self.ask("post", "/api/v1/notifiers/test", body={"notifier": "pigeon"}, status=404)

    def test_alerts_and_what_people_do_about_them(self):
        for state in ("pending", "firing", "resolved", "passed"):
            self.ask("get", "/api/v1/alerts", query=f"?state={state}")
        self.ask("get", "/api/v1/alerts", query="?state=loud", status=400)
        for alert in self.lab.alerts():
            self.ask("get", "/api/v1/alerts/{id}", {"id": alert["id"]})
        alert = {"id": self.lab.alerts(code="tlsa-mismatch", domains=[PARTNER])[0]["id"]}
        self.assertEqual(self.ask("get", "/api/v1/alerts/{id}/evidence", alert)["schema"], "danelaw.evidence/1")
        self.ask("get", "/api/v1/alerts/{id}/evidence", {"id": "nobody"}, status=404)
        self.assertTrue(self.ask("get", "/api/v1/alerts/{id}/explanation", alert)["is_proven"])
        self.ask("get", "/api/v1/alerts/{id}/explanation", {"id": "nobody"}, status=404)
        self.ask("post", "/api/v1/alerts/{id}/ack", alert, body={"by": "me", "comment": "on it"}, status=204)
        self.assertEqual(self.ask("get", "/api/v1/alerts/{id}", alert)["acknowledged"]["by"], "me")
        self.ask("delete", "/api/v1/alerts/{id}/ack", alert, status=204)
        self.ask("post", "/api/v1/alerts/{id}/ack", {"id": "nobody"}, body={}, status=404)

        wish = {
            "matchers": [{"name": "domain", "value": PARTNER}],
            "comment": "known",
            "ends_at": (datetime.now(timezone.utc) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        self.assertTrue(self.ask("post", "/api/v1/silences/preview", body=wish)["items"])
        self.ask("post", "/api/v1/silences/preview", body={}, status=400)
        made = self.ask("post", "/api/v1/silences", body=wish, status=201)
        self.ask("post", "/api/v1/silences", body={**wish, "colour": "red"}, status=400)
        self.assertEqual(len(self.ask("get", "/api/v1/silences")["items"]), 1)
        self.ask("delete", "/api/v1/silences/{id}", {"id": made["id"]}, status=204)
        self.ask("delete", "/api/v1/silences/{id}", {"id": "nobody"}, status=404)

        values = {"name": PARTNER}
        self.ask("post", "/api/v1/domains/{name}/exception", values, body={}, status=201)
        whole = self.ask("get", "/api/v1/domains/{name}", values)
        self.assertIsNotNone(whole["partner"]["exception"])
        self.assertEqual([one["domain"] for one in self.ask("get", "/api/v1/exceptions")["items"]], [PARTNER])
        self.ask("delete", "/api/v1/domains/{name}/exception", values, status=204)
        self.ask("post", "/api/v1/domains/{name}/exception", {"name": "healthy.test"}, body={}, status=409)

        with open(f"{self.lab.facts()['run']}/pki/live/mx.healthy.test.ecdsa.pem") as file:
            certificate = re.search("-----BEGIN CERT.*?-----END CERTIFICATE-----\n", file.read(), re.S)[0]
        fitting = self.ask("post", "/api/v1/tlsa", body={"pem": certificate})["items"][0]
        self.assertEqual(fitting["data"], self.lab.lab("tlsa", "mx.healthy.test").split()[3].lower())
        self.ask("post", "/api/v1/tlsa", body={"pem": "no certificate"}, status=400)
        at_home = self.ask("post", "/api/v1/mx/{host}/gate", {"host": "mx.healthy.test"}, body={"pem": certificate})
        self.assertEqual(at_home["answer"], "yes")
        elsewhere = self.ask("post", "/api/v1/mx/{host}/gate", {"host": "mx.mismatch.test"}, body={"pem": certificate})
        self.assertEqual((elsewhere["answer"], elsewhere["missing"]["data"]), ("never", fitting["data"]))

    def test_certificates_to_come(self):
        with open(f"{self.lab.facts()['run']}/pki/live/mx.healthy.test.ecdsa.pem") as file:
            certificate = re.search("-----BEGIN CERT.*?-----END CERTIFICATE-----\n", file.read(), re.S)[0]
        path, key_path = "/api/v1/certificates", "/api/v1/certificates/{key}/not-for-mail"
        told = self.ask("post", path, body={"pem": certificate}, status=200)
        self.assertEqual([(one["host"], one["is_covered"]) for one in told["hosts"]], [("mx.healthy.test", True)])
        self.ask("post", path, body={"pem": "no certificate"}, status=400)
        self.ask("get", path)
        self.ask("get", path, query="?limit=0", status=400)
        key = {"key": told["key"]}
        self.ask("post", key_path, key, body={"colour": "red"}, status=400)
        self.ask("post", key_path, key, body={"comment": "the web's"}, status=204)
        self.ask("delete", key_path, key, status=204)
        self.ask("delete", key_path, {"key": "nobody"}, status=404)

    @classmethod
    def tearDownClass(cls):
        described = {(path, method) for path, operations in cls.document["paths"].items() for method in operations}
        missed = described - {(path, method) for path, method, _ in cls.tried}
        if missed:
            raise AssertionError(f"described and never tried: {sorted(missed)}")

    def test_no_route_of_the_program_is_missing(self):
        routes = set()
        for file in pathlib.Path(ROOT, "web").rglob("*.cc"):
            routes |= set(re.findall(r'"(/api/v1/[^"]*[^"/])"', file.read_text()))
        self.assertEqual(routes - set(self.document["paths"]), set())


if __name__ == "__main__":
    unittest.main()
