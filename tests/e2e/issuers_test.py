#!/usr/bin/python3
"""A CA moves on to another intermediate, as Let's Encrypt did with Generation Y: whoever publishes `2 1 1` of the old
one alone is told before its own renewal, because another watched host had a certificate from the new one.
"""

import json
import unittest
import urllib.request

from living_lab import LivingLab, until

RELIANT = "story-safe-via-ta.test"  # publishes the old intermediate
EARLY = "story-clean.test"  # renews first, and publishes both


class Issuers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = LivingLab("--stories")
        cls.addClassCleanup(cls.lab.close)
        cls.old = cls.lab.lab("intermediate", "R12").strip()
        cls.new = cls.lab.lab("intermediate", "YR1").strip()
        cls.publish(RELIANT, cls.old)
        cls.publish(EARLY, cls.old, cls.new)
        for domain in (RELIANT, EARLY):
            cls.renew(domain, "R12")
        schedule = {"interval": "10s", "fastest": "10s", "confirm_after": "5s"}
        cls.lab.configure_agent([RELIANT, EARLY], schedule=schedule)
        cls.lab.start_agent()
        for domain in (RELIANT, EARLY):
            until(f"{domain} is judged", 60, lambda d=domain: cls.lab.domain(d).get("verdict") == "authenticated")

    @classmethod
    def publish(cls, domain, *records):
        cls.lab.lab("set", f"_25._tcp.mx.{domain}", "TLSA", *records, "--flush")

    @classmethod
    def renew(cls, domain, issuer):
        """A certificate of 30 days, which its ACME client renews after 20."""
        cls.lab.lab("prepare", f"mx.{domain}", "--issuer", issuer, "--days", "30")
        cls.lab.lab("swap", f"mx.{domain}")

    def check_now(self, domain):
        url = f"http://127.0.0.1:{self.lab.port}/api/v1/domains/{domain}/check"
        request = urllib.request.Request(url, b"{}", {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=5).close()

    def shows_new(self, domain):
        return "CN=YR1" in json.dumps(self.lab.domain(domain)["hosts"])

    def uncovered(self):
        return self.lab.alerts(code="issuer-uncovered")

    # In the order of their names: each goes on where the one before it ended.

    def test_1_while_all_are_of_the_old_one_nobody_is_told(self):
        self.assertEqual(self.lab.alerts(), [])
        for domain in (RELIANT, EARLY):
            codes = [f["code"] for f in self.lab.domain(domain)["findings"]]
            self.assertNotIn("issuer-uncovered", codes)

    def test_2_another_hosts_new_certificate_warns_the_one_that_relies_on_the_old(self):
        self.renew(EARLY, "YR1")
        self.check_now(EARLY)
        until("its new issuer is seen", 60, lambda: self.shows_new(EARLY))
        self.check_now(RELIANT)
        (alert,) = until("the other is told", 90, self.uncovered)
        self.assertEqual(alert["subject"], {"kind": "host", "name": f"mx.{RELIANT}"})
        self.assertEqual(alert["severity"], "medium", "20 days are left")
        told = json.dumps(self.lab.get(f"/api/v1/alerts/{alert['id']}"))
        self.assertIn(self.new, told, "the record to publish")
        self.assertIn(f"mx.{EARLY} has had a certificate from it since", told)
        self.assertEqual(self.lab.domain(RELIANT)["verdict"], "authenticated", "it is told before anything fails")
        due = [d for d in self.lab.get("/api/v1/deadlines")["items"] if d["kind"] == "publish-by"]
        self.assertEqual([(d["subject"]["name"], d["source"]) for d in due], [(f"mx.{RELIANT}", "lifetime")])

    def test_3_a_set_that_names_both_is_quiet(self):
        self.publish(RELIANT, self.old, self.new)

        def is_over():
            self.check_now(RELIANT)
            return not self.uncovered()

        until("it is over", 120, is_over)
        self.renew(RELIANT, "YR1")
        self.check_now(RELIANT)
        until("its renewal is seen", 60, lambda: self.shows_new(RELIANT))
        self.assertEqual(self.lab.domain(RELIANT)["verdict"], "authenticated")
        self.assertEqual(self.lab.alerts(), [])


if __name__ == "__main__":
    unittest.main()
