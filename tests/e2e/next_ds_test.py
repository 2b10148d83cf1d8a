#!/usr/bin/python3
"""Which DS records a zone asks its parent for (RFC 7344, RFC 8078), and what becomes of it then."""

import json
import re
import signal
import unittest
import urllib.request

from living_lab import LivingLab, until

DOMAIN = "story-clean.test"
LEAVING = "story-safe-via-ta.test"


class NextDs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = LivingLab("--stories")
        cls.addClassCleanup(cls.lab.close)
        cls.lab.configure_agent(
            [DOMAIN, LEAVING], schedule={"interval": "10s", "fastest": "10s", "confirm_after": "5s"}
        )
        cls.lab.start_agent()
        cls.wait_until_judged()

    @classmethod
    def wait_until_judged(cls):
        until("the domain is judged", 60, lambda: cls.lab.domain(DOMAIN).get("verdict") == "authenticated")

    def findings(self, domain=DOMAIN):
        return [f for f in self.lab.domain(domain)["findings"] if f["code"].startswith("ds-change")]

    def told(self):
        return {(f["code"], f["severity"]) for f in self.findings()}

    def check_now(self, domain=DOMAIN):
        url = f"http://127.0.0.1:{self.lab.port}/api/v1/domains/{domain}/check"
        request = urllib.request.Request(url, b"{}", {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=5).close()

    def wait_for(self, what, wanted):
        self.check_now()
        until(f"{what}, not {self.told()}", 120, lambda: self.told() == wanted)

    def ask_for(self, kind, *data):
        self.lab.lab("set", DOMAIN, kind, *data, "--ttl", "5", "--flush")

    def keymgr(self, server, *words, zone=f"{DOMAIN}."):
        home = f"{self.lab.facts()['run']}/{server}"
        return self.lab.inside("keymgr", "-c", f"{home}/knot.conf", zone, *words, check=True).stdout

    def ds_of(self, key="", zone=f"{DOMAIN}.", server="ns1"):
        """The SHA-256 one of the zone's key, as that server has it."""
        told = self.keymgr(server, "ds", *([key] if key else []), zone=zone).splitlines()
        return next(" ".join(line.split()[2:]) for line in told if line.split()[4] == "2")

    def add_key(self, zone=f"{DOMAIN}."):
        """Another key that signs, at both name servers."""
        form = ["algorithm=ecdsap256sha256", "ksk=yes", "zsk=yes", "publish=+0", "ready=+0", "active=+0"]
        key = self.keymgr("ns1", "generate", *form, zone=zone).split()[-1]
        run = self.lab.facts()["run"]
        self.keymgr("ns2", "import-pem", f"{run}/ns1/kasp/keys/{key}.pem", *form, zone=zone)
        for server in ("ns1", "ns2"):
            home = f"{run}/{server}"
            self.lab.inside("knotc", "-c", f"{home}/knot.conf", "-b", "zone-keys-load", zone, check=True)
        self.lab.lab("flush", zone)
        return key

    def let_knot_ask(self, when):
        """Knot asks for each key that signs; it takes away what we ask for such a key."""
        for server in ("ns1", "ns2"):
            path = f"{self.lab.facts()['run']}/{server}/knot.conf"
            with open(path) as file:
                text = re.sub(r"\n +cds-cdnskey-publish: .*", "", file.read())
            head = "dnskey-management: incremental"
            self.assertIn(head, text)
            with open(path, "w") as file:
                file.write(text.replace(head, f"{head}\n    cds-cdnskey-publish: {when}"))
            for words in (["reload"], ["zone-sign", f"{DOMAIN}."]):
                self.lab.inside("knotc", "-c", path, "-b", *words, check=True)

    # In the order of their names: each goes on where the one before it ended.

    def test_1_a_key_that_rolls_over_alarms_nobody(self):
        self.assertEqual(self.told(), set(), "it asks for nothing")
        old = self.ds_of()
        self.let_knot_ask("always")
        self.addCleanup(self.lab.lab, "flush", DOMAIN)
        self.addCleanup(self.let_knot_ask, "rollover")
        new = self.ds_of(self.add_key())
        self.wait_for("the new key is ready", {("ds-change", "info")})
        (finding, *_) = self.findings()
        evidence = json.dumps(finding["evidence"])
        self.assertIn(new.lower(), evidence, "which DS record will come")
        self.assertIn("the zone is ready", evidence)
        self.lab.lab("set", DOMAIN, "DS", old, new, "--flush")
        # What it holds of the old DS records goes with it.
        self.lab.stop_agent(signal.SIGTERM)
        self.lab.start_agent()
        self.wait_until_judged()
        self.wait_for("the parent has followed", set())
        self.assertEqual(self.lab.alerts(), [])

    def test_2_a_ds_that_would_strand_the_zone_is_told_before_it_is_there(self):
        tag, algorithm, _, digest = self.ds_of().split()
        for what, wanted in (
            ("a key that is not there", f"12345 {algorithm} 2 {'ab' * 32}"),
            ("the key that is there, with another digest", f"{tag} {algorithm} 2 {digest[::-1]}"),
        ):
            with self.subTest(what):
                self.ask_for("CDS", wanted)
                self.wait_for(what, {("ds-change-breaks", "medium")})
                (alert,) = until("people are notified", 60, lambda: self.lab.alerts(code="ds-change-breaks"))
                until(
                    "the alert has the record",
                    60,
                    lambda: wanted.lower() in json.dumps(self.lab.get(f"/api/v1/alerts/{alert['id']}")),
                )
        self.assertIn(f"ds-change-breaks.{DOMAIN}.", alert["id"], "of the zone, whatever depends on it")

    def test_3_the_delete_sentinel_and_records_that_contradict_each_other(self):
        self.ask_for("CDS", "0 0 0 00")
        self.wait_for("none is to be left", {("ds-change", "high")})
        until("people are notified", 60, lambda: self.lab.alerts(code="ds-change"))
        until("that it would be stranded is over", 60, lambda: not self.lab.alerts(code="ds-change-breaks"))
        self.ask_for("CDNSKEY", "257 3 13 " + "A" * 86 + "==")
        self.wait_for("they contradict each other", {("ds-change", "medium")})

    def test_4_it_ends_with_what_was_asked_for(self):
        for kind in ("CDS", "CDNSKEY"):
            self.lab.lab("set", DOMAIN, kind, "--flush")
        self.wait_for("it asks for nothing any more", set())
        until("all is over", 60, lambda: not self.lab.alerts())

    def test_5_a_zone_that_has_given_up_the_key_of_its_ds_is_told_with_a_deadline(self):
        tag = self.ds_of(zone=f"{LEAVING}.", server="signer").split()[0]
        past = ["created=-90d", "publish=-90d", "ready=-90d", "active=-90d"]
        form = ["algorithm=ecdsap256sha256", "ksk=yes", "zsk=yes", *past]
        self.keymgr("signer", "generate", *form, zone=f"{LEAVING}.")
        self.lab.lab("break", LEAVING, "--fault", f"leaving:{tag}", "--flush")
        self.check_now(LEAVING)
        (alert,) = until("people are notified", 120, lambda: self.lab.alerts(code="ds-change-breaks"))
        self.assertEqual(alert["severity"], "medium", "four days are left")
        (end, *_) = [f["evidence"]["ds-key-signed-until"] for f in self.findings(LEAVING)]
        due = [d for d in self.lab.get("/api/v1/deadlines")["items"] if d["kind"] == "publish-by"]
        self.assertEqual({d["source"] for d in due}, {"rrsig"}, "of the domain, and of its MX host")
        self.assertLess(due[0]["at"], end, "caches must have forgotten the DS records by then")
        self.assertEqual(self.lab.domain(LEAVING)["verdict"], "authenticated")

    def test_6_a_key_of_the_root_that_the_trust_anchor_lacks_is_told_while_all_is_well(self):
        def anchor():
            return next((c for c in self.lab.get("/api/v1/status")["vantage"] if c["check"] == "trust_anchor"), {})

        until("the trust anchor is complete", 90, lambda: anchor().get("up") is True)
        self.add_key(".")
        until("it is told", 120, lambda: "further key signing key" in json.dumps(anchor()))
        (alert,) = until("people are notified", 60, lambda: self.lab.alerts(code="monitor-fault"))
        self.assertIn("dns-root-data", json.dumps(self.lab.get(f"/api/v1/alerts/{alert['id']}")))
        self.assertEqual(self.lab.domain(DOMAIN)["verdict"], "authenticated")
        told = anchor()["detail"]
        self.assertRegex(told, r"the trust anchor file, written \d{4}-")
        self.assertRegex(told, r"AddPend by RFC 5011: it may sign alone from \d{4}-\d\d-\d\d at the earliest")
        self.lab.stop_agent(signal.SIGKILL)
        self.lab.start_agent()
        until("it is told again", 90, lambda: anchor().get("up") is False)
        self.assertEqual(anchor()["detail"], told, "what was seen before is remembered")


if __name__ == "__main__":
    unittest.main()
