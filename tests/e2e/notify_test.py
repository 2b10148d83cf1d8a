#!/usr/bin/python3
"""People and the agent: silences, a planned change of key, acknowledgements, an exception for a partner,
and what arrives by webhook, mail (a real Postfix), at Grafana's API and the heartbeat. One lab, one story.
"""

import json
import signal
import unittest
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

import sink
from living_lab import LivingLab, until

HOST = "mx.provider.test"
SCHEDULE = {"interval": "20s", "fastest": "2s", "confirm_after": "2s", "retry_after": "2s", "workers": 8}


def in_an_hour():
    return (datetime.now(timezone.utc) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


class People(unittest.TestCase):
    def setUp(self):
        self.lab = LivingLab()
        self.addCleanup(self.lab.close)
        self.sink = self.lab.start_sink()
        for name in ("secret", "token"):
            with open(f"{self.lab.dir}/{name}", "w") as file:
                file.write(f"the {name}\n")
        with open(f"{self.lab.dir}/template", "w") as file:
            file.write('{"text":"{{event}}: {{title}}"}\n')
        notify = {
            "webhooks": [
                {"name": "chat", "url": "http://127.0.0.1:9099/chat", "secret_file": f"{self.lab.dir}/secret"},
                {
                    "name": "short",
                    "url": "http://127.0.0.1:9099/short",
                    "template_file": f"{self.lab.dir}/template",
                    "token_file": f"{self.lab.dir}/token",
                    "least_severity": "critical",
                },
            ],
            # Submission to the lab's own Postfix: STARTTLS, a certificate of the lab's CA.
            "mail": [
                {
                    "name": "mail",
                    "server": "smtp://mx.healthy.test:25",
                    "from": "danelaw@healthy.test",
                    "to": ["postmaster@healthy.test"],
                    "ca_file": f"{self.lab.dir}/ca.pem",
                }
            ],
            "grafana": [{"name": "graphs", "url": "http://127.0.0.1:9099", "token_file": f"{self.lab.dir}/token"}],
            "heartbeat": {"url": "http://127.0.0.1:9099/alive", "every": "10s"},
        }
        with open(f"{self.lab.dir}/partners.txt", "w") as file:
            file.write("# partners\nmismatch.test\n")
        self.lab.configure_agent(
            ["shared-a.test", "healthy.test"],
            schedule=SCHEDULE,
            notify=notify,
            domain_lists=[{"file": "partners.txt", "group": "partners"}],
        )
        self.lab.start_agent()
        until("the host is steady", 60, lambda: (self.lab.host(HOST).get("rollover") or {}).get("state") == "steady")

    def ask(self, method, path, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.lab.port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=5) as reply:
            text = reply.read()
            return json.loads(text) if text else None

    def heard(self, path="/chat"):
        return [one for one in sink.received(self.sink, path) if one["answer"] == "200"]

    def events(self):
        return [
            (one["json"]["event"], one["json"]["alert"]["code"])
            for one in self.heard()
            if one["json"]["alert"]["subject"]["name"] == HOST
        ]

    def firing(self):
        return self.lab.alerts("firing", code="tlsa-mismatch", subject={"kind": "host", "name": HOST})

    def test_a_planned_change_is_silent_any_other_key_is_not_and_everybody_hears(self):
        # A planned change of key, made too early: silent, because it is the key that was expected.
        self.lab.lab("prepare", HOST)
        key = self.lab.lab("tlsa", HOST, "--next").split()[3].lower()
        silence = self.ask(
            "POST",
            "/api/v1/silences",
            {
                "matchers": [{"name": "mx", "value": HOST}],
                "ends_at": in_an_hour(),
                "created_by": "test",
                "comment": "the planned renewal",
                "expected_key": key,
            },
        )
        self.assertEqual(silence["state"], "active")
        self.lab.lab("swap", HOST)
        alert = until("the mismatch fires", 40, self.firing)[0]
        self.assertEqual(alert["hits"][0]["refused_keys"], [key])
        self.assertEqual(self.events(), [])

        # Another key than planned goes live while the receiver is in trouble.
        sink.order(self.sink, "/chat", 500)
        self.lab.lab("prepare", HOST)
        self.lab.lab("swap", HOST)
        until(
            "the other key is told",
            40,
            lambda: [one for one in sink.received(self.sink, "/chat") if one["json"]["alert"]["id"] == alert["id"]],
        )
        self.lab.stop_agent(signal.SIGKILL)
        self.lab.start_agent()
        sink.order(self.sink)
        until("it arrives after all", 60, lambda: self.events() == [("opened", "tlsa-mismatch")])
        ids = {
            one["json"]["id"] for one in sink.received(self.sink, "/chat") if one["json"]["alert"]["id"] == alert["id"]
        }
        self.assertEqual(len(ids), 1, "every try had the same id")

        # By mail, which a real Postfix took; by a template of ours; with the token.
        def notices():
            told = self.ask("GET", f"/api/v1/alerts/{alert['id']}")["notices"]
            return {one["notifier"]: one["delivered_at"] for one in told}

        until(
            "chat, short and mail have it",
            60,
            lambda: set(notices()) == {"chat", "short", "mail"} and all(notices().values()),
        )
        short = [one for one in self.heard("/short") if HOST in one["body"]]
        self.assertEqual(short[0]["json"]["text"], f"opened: {HOST}: the certificate matches no TLSA record")
        self.assertEqual(short[0]["headers"]["authorization"], "Bearer the token")
        until("there are signs of life", 30, lambda: self.heard("/alive"))
        region = until("Grafana has the region", 70, lambda: self.heard("/api/annotations"))
        self.assertIn(HOST, region[0]["json"]["tags"])

        # Acknowledged: who, why, until when; told events go on.
        self.ask("POST", f"/api/v1/alerts/{alert['id']}/ack", {"by": "me", "comment": "on it"})
        self.assertEqual(self.firing()[0]["acknowledged"]["by"], "me")
        self.assertEqual(self.firing()[0]["acknowledged"]["comment"], "on it")
        self.ask("DELETE", f"/api/v1/silences/{silence['id']}")
        self.assertEqual(self.ask("GET", "/api/v1/silences")["items"][0]["state"], "ended")

        # Repaired; over when the last cache has let go.
        self.lab.lab("story", "late-rollover", "--step", "2")
        until("it is over", 150, lambda: self.events()[-1] == ("resolved", "tlsa-mismatch"))
        self.assertEqual(len(self.events()), 2)
        until("the region has its end", 150, lambda: self.heard("/api/annotations/7"))

    def test_a_partner_gets_a_letter_and_an_exception_with_an_end(self):
        def partner():
            return self.lab.domain("mismatch.test")

        seen = until("the partner is judged", 40, lambda: partner()["verdict"] == "deferred" and partner())
        self.assertEqual(seen["role"], "outbound")
        self.assertEqual(seen["severity"], "high", "calmer than our own would be")
        self.assertIn("To: postmaster@mismatch.test", seen["partner"]["postmaster_text"])
        letter = until(
            "the letter carries the evidence",
            60,
            lambda: "step by step" in partner()["partner"]["postmaster_text"] and partner(),
        )["partner"]["postmaster_text"]
        self.assertRegex(letter, r"proven\s+.*DNSKEY")
        self.assertIn("mx.mismatch.test", letter)
        self.assertEqual(seen["partner"]["proposed_exception"]["line"], "mismatch.test encrypt")
        self.assertIsNone(seen["partner"]["exception"])
        self.ask("POST", "/api/v1/domains/mismatch.test/exception")
        self.assertEqual(partner()["partner"]["exception"]["line"], "mismatch.test encrypt")
        # The partner mends it: the line has to go.
        fits = self.lab.lab("tlsa", "mx.mismatch.test").strip()
        self.lab.lab("set", "_25._tcp.mx.mismatch.test", "TLSA", fits, "--flush")
        until(
            "danelaw asks for its removal",
            60,
            lambda: [one for one in self.heard() if one["json"]["alert"]["code"] == "policy-override"],
        )
        self.ask("DELETE", "/api/v1/domains/mismatch.test/exception")
        until("and is content", 60, lambda: not self.lab.alerts(code="policy-override"))

    def test_wishes_that_cannot_be_are_refused_with_a_reason(self):
        for path, body, status in (
            ("/api/v1/alerts/nobody/ack", {}, 404),
            ("/api/v1/silences", {"matchers": []}, 400),
            ("/api/v1/domains/healthy.test/exception", None, 409),
        ):
            with self.subTest(path=path), self.assertRaises(urllib.error.HTTPError) as refused:
                self.ask("POST", path, body)
            with refused.exception as reply:
                self.assertEqual(reply.status, status)
                self.assertTrue(json.load(reply)["detail"])


if __name__ == "__main__":
    unittest.main()
