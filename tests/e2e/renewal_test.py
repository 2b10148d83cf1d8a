#!/usr/bin/python3
"""When certificates are to be renewed, as their CA says it (RFC 9773): a scripted CA in the lab, asked by the agent
about what the hosts present.
"""

import datetime
import json
import os
import signal
import subprocess
import sys
import unittest

from living_lab import DANELAW, ROOT, LivingLab, until

DOMAIN = "story-clean.test"
HOST = f"mx.{DOMAIN}"  # 3 1 1 only
CA = "danelaw lab intermediate"
DIRECTORY = "https://127.0.0.1:14000/directory"


def moment(**ahead):
    """That much from now, in RFC 3339."""
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**ahead)
    return then.strftime("%Y-%m-%dT%H:%M:%SZ")


class Renewal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = LivingLab("--stories")
        cls.addClassCleanup(cls.lab.close)
        cls.state = f"{cls.lab.dir}/acme.json"
        cls.requests = f"{cls.lab.dir}/acme.log"
        cls.pki = f"{cls.lab.facts()['run']}/pki"
        cls.say(window=[moment(days=120), moment(days=122)])
        server = [sys.executable, os.path.join(ROOT, "tests/e2e/acme_server.py"), cls.issue_server()]
        cls.lab.start_inside("acme", *server, cls.state, cls.requests)

    @classmethod
    def issue_server(cls):
        out = f"{cls.lab.dir}/acme-server"
        command = ["openssl", "req", "-x509", "-config", f"{cls.pki}/openssl.cnf", "-nodes", "-days", "90"]
        command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=acme"]
        command += ["-CA", f"{cls.pki}/inter.pem", "-CAkey", f"{cls.pki}/inter.key", "-keyout", f"{out}.key"]
        command += ["-out", f"{out}.pem", "-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run(command, check=True, capture_output=True)
        with open(f"{out}.chain", "w") as chain:
            for part in (f"{out}.key", f"{out}.pem", f"{cls.pki}/inter.pem"):
                with open(part) as file:
                    chain.write(file.read())
        return f"{out}.chain"

    @classmethod
    def say(cls, **state):
        """From now on the CA says this."""
        with open(f"{cls.state}.new", "w") as file:
            json.dump(state, file)
        os.rename(f"{cls.state}.new", cls.state)

    def asked(self):
        """The paths that were asked for, and the fields that went with them."""
        if not os.path.exists(self.requests):
            return [], ""
        with open(self.requests) as file:
            lines = file.read().splitlines()
        return [line for line in lines if line.startswith("/")], " ".join(s for s in lines if s.startswith(" "))

    def start(self, database, role="inbound", acme=None):
        """An agent that knows nothing yet, and nobody was asked anything."""
        if os.path.exists(self.requests):
            os.unlink(self.requests)
        self.lab.configure_agent(
            [{"name": DOMAIN, "role": role}],
            schedule={"interval": "1h", "fastest": "1h", "confirm_after": "5s"},
            acme={"directories": {CA: DIRECTORY}, **(acme or {})},
            storage={"path": f"{self.lab.dir}/{database}.db"},
        )
        self.lab.start_agent()
        until("the host was looked at", 60, lambda: self.lab.host(HOST).get("rollover"))

    def stop(self):
        if self.lab.agent:
            self.lab.stop_agent(signal.SIGKILL)

    def renewals(self):
        return self.lab.host(HOST).get("renewals", [])

    def urgent(self):
        return self.lab.alerts(code="renewal-urgent", subject={"kind": "host", "name": HOST})

    def deadlines(self, kind):
        return [one for one in self.lab.get("/api/v1/deadlines")["items"] if one["kind"] == kind]

    def test_1_the_window_is_asked_for_shown_and_then_jumps(self):
        self.addCleanup(self.stop)
        start, end = moment(days=120), moment(days=122)
        self.say(window=[start, end], retry_after="1")
        self.start("jump")
        (told,) = until("the CA was asked", 30, self.renewals)
        self.assertEqual((told["from"], told["until"], told["urgent"], told["fault"]), (start, end, False, None))
        (deadline,) = self.deadlines("renewal-suggested")
        self.assertEqual((deadline["at"], deadline["source"]), (start, "ari"))
        self.assertEqual({one["source"] for one in self.deadlines("certificate-end")}, {"not-after"})
        self.assertIn("DESCRIPTION:Known as the CA suggests (ARI)", self.lab.text("/feeds/deadlines.ics"))
        paths, fields = self.asked()
        self.assertEqual(paths[0], "/directory")
        self.assertRegex(paths[1], r"^/ari/[\w-]+\.[\w-]+$")
        self.assertEqual(len(paths), 2, "once, however short Retry-After is")
        self.assertNotIn("authorization", fields)
        self.assertNotIn("cookie", fields)
        self.assertEqual(self.urgent(), [])
        # The gate says it, too.
        gate = self.lab.inside(
            DANELAW, "gate", "--config", f"{self.lab.dir}/danelaw.yaml", "--host", HOST, self.certificate()
        )
        self.assertIn("the CA suggests to renew the certificate in use", gate.stdout)
        self.assertIn(f"between {start} and {end}", gate.stdout)

        self.say(window=[moment(hours=-1), moment(minutes=-30)])
        (alert,) = until("it jumps, and is told within two minutes", 120, self.urgent)
        self.assertEqual(alert["severity"], "medium", "nobody knows whether the key will change")
        whole = json.dumps(self.lab.get(f"/api/v1/alerts/{alert['id']}"))
        self.assertIn("https://acme.test/why", whole)
        self.assertIn(start, whole, "what it suggested before")
        self.assertEqual(len(self.asked()[0]), 3, "a minute passed before it was asked again")
        self.assertTrue(self.renewals()[0]["urgent"])

        self.stop()  # as by kill -9
        self.lab.start_agent()
        self.assertTrue(self.urgent(), "it outlives a kill")
        until("the host was looked at", 60, lambda: self.lab.host(HOST).get("rollover"))
        self.assertEqual(self.renewals()[0]["moved_from"], start)
        self.assertEqual(len(self.asked()[0]), 3, "Retry-After outlives it, too")

    def certificate(self):
        """What the host serves, as a file."""
        out = f"{self.lab.dir}/served.pem"
        with open(f"{self.pki}/live/{HOST}.ecdsa.pem") as file:
            text = file.read()
        with open(out, "w") as file:
            file.write(text[text.index("-----BEGIN CERTIFICATE") :])
        return out

    def test_2_a_ca_that_does_not_answer_is_nobodys_trouble(self):
        window = [moment(days=120), moment(days=122)]
        for name, state, is_told in (
            ("unavailable", {"ari": {"status": 503}}, "HTTP status 503"),
            ("huge", {"ari": {"huge": True}}, "too large"),
            ("slow", {"ari": {"slow": True}}, "timed out"),
            ("directory-down", {"directory": {"status": 500}}, "HTTP status 500"),
            ("no-ari", {"directory": {"body": "{}"}}, "offers no renewalInfo"),
            ("no-json", {"directory": {"body": "<html>"}}, "no JSON object"),
        ):
            with self.subTest(name):
                self.say(window=window, **state)
                before = len(self.lab.agent_log()) if os.path.exists(f"{self.lab.dir}/agent.log") else 0
                self.start(name)
                try:
                    until("it is in the log", 40, lambda: "renewals-unknown" in self.lab.agent_log()[before:])
                    self.assertIn(is_told, self.lab.agent_log()[before:])
                    asked = len(self.asked()[0])
                    until("the domain is judged", 60, lambda: self.lab.domain(DOMAIN).get("verdict") == "authenticated")
                    self.assertEqual(self.lab.alerts(), [])
                    self.assertEqual(self.lab.alerts("pending"), [])
                    self.assertEqual(self.deadlines("renewal-suggested"), [])
                    self.assertTrue(self.lab.is_ready())
                    self.assertEqual(len(self.asked()[0]), asked, "it is left alone for a while")
                finally:
                    self.stop()

    def test_3_what_it_says_of_one_certificate_is_shown_there(self):
        for name, state, fault in (
            ("not-found", {"ari": {"status": 404}}, "HTTP status 404"),
            ("garbage", {"ari": {"body": "busy"}}, "no JSON object"),
            ("backwards", {"window": [moment(days=3), moment(days=2)]}, "ends before it starts"),
        ):
            with self.subTest(name):
                self.say(**{"window": ["", ""], **state})
                self.start(name)
                try:
                    (told,) = until("the CA was asked", 30, self.renewals)
                    self.assertIn(fault, told["fault"])
                    self.assertIsNone(told["from"])
                    self.assertEqual(self.lab.alerts(), [])
                finally:
                    self.stop()

    def test_4_partners_certificates_are_asked_about_only_when_wanted(self):
        self.say(window=[moment(days=120), moment(days=122)])
        self.start("partner", role="outbound")
        until("the domain is judged", 60, lambda: self.lab.domain(DOMAIN).get("verdict") == "authenticated")
        self.stop()
        self.assertEqual(self.asked()[0], [])
        self.start("partner-wanted", role="outbound", acme={"partners": True})
        self.addCleanup(self.stop)
        until("the CA was asked", 30, self.renewals)

    def test_5_switched_off_nobody_is_asked(self):
        self.start("off", acme={"enabled": False})
        until("the domain is judged", 60, lambda: self.lab.domain(DOMAIN).get("verdict") == "authenticated")
        self.stop()
        self.assertEqual(self.asked()[0], [])


if __name__ == "__main__":
    unittest.main()
