#!/usr/bin/python3
"""What an alert rests on: kept when it opens, handed out, and verified again without danelaw's network or database."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

from living_lab import DANELAW, LivingLab, until


class Evidence(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = LivingLab()
        cls.addClassCleanup(cls.lab.close)
        cls.lab.configure_agent(
            ["mismatch.test", "healthy.test", "expired.test", "tlsaexpired.test", "dsbroken.test"],
            agent={"name": "mon1", "vantage": "fra"},
        )
        cls.lab.start_agent()
        until("the alert fires", 90, lambda: cls.lab.alerts(code="tlsa-mismatch"))
        cls.alert = cls.lab.alerts(code="tlsa-mismatch")[0]
        cls.dir = tempfile.mkdtemp(prefix="danelaw-evidence-")
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        cls.root = f"{cls.lab.dir}/root.key"

    def fetch(self, accept="application/json", alert=None):
        url = f"http://127.0.0.1:{self.lab.port}/api/v1/alerts/{alert or self.alert['id']}/evidence"
        request = urllib.request.Request(url, headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.headers["Content-Type"], reply.read()

    def explain(self, octets, *arguments, anchor=None):
        path = f"{self.dir}/evidence"
        with open(path, "wb") as file:
            file.write(octets if isinstance(octets, bytes) else json.dumps(octets).encode())
        return subprocess.run(
            [DANELAW, "explain", "--trust-anchor", anchor or self.root, "--format", "json", *arguments, path],
            text=True,
            capture_output=True,
            timeout=60,
        )

    def bundle(self):
        return json.loads(self.fetch()[1])

    def test_it_proves_what_the_alert_says(self):
        for accept, wanted in (("application/json", "application/json"), ("application/cbor", "application/cbor")):
            with self.subTest(accept=accept):
                kind, octets = self.fetch(accept)
                self.assertEqual(kind, wanted)
                done = self.explain(octets)
                said = json.loads(done.stdout)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertTrue(said["is_proven"])
                self.assertEqual(said["code"], "tlsa-mismatch")
                steps = said["observations"][-1]["steps"]
                self.assertIn("trust anchor", steps[0]["what"])
                self.assertEqual({step["standing"] for step in steps}, {"proven", "seen", "follows"})
                self.assertTrue(any(s["what"].startswith("TLSA of") and s["standing"] == "proven" for s in steps))
                self.assertTrue(all(one["agent"] == "mon1" and one["vantage"] == "fra" for one in said["observations"]))

    def test_the_trouble_of_a_zone_is_shown_with_the_links_above_it(self):
        for code, zone in (
            ("dnssec-expired", "expired.test"),
            ("dnssec-expired", "tlsaexpired.test"),
            ("ds-broken", "dsbroken.test"),
        ):
            with self.subTest(zone=zone):
                subject = {"kind": "zone", "name": zone}

                def alert():
                    return [one for one in self.lab.alerts(code=code) if one["subject"] == subject]

                until("the alert fires", 90, alert)
                done = self.explain(self.fetch(alert=alert()[0]["id"])[1])
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                said = json.loads(done.stdout)
                self.assertEqual((said["code"], said["subject"]), (code, subject))
                steps = [(one["standing"], one["what"]) for one in said["observations"][-1]["steps"]]
                for link in ("DNSKEY of the root: ", "DS of test, ", "DNSKEY of test, ", f"DS of {zone}, "):
                    self.assertTrue(any(how == "proven" and what.startswith(link) for how, what in steps), steps)

    def test_it_is_read_from_a_pipe(self):
        for what in ("-", "/dev/stdin"):
            command = [DANELAW, "explain", "--trust-anchor", self.root, what]
            done = subprocess.run(command, input=self.fetch()[1], capture_output=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_what_is_no_file_is_named(self):
        for what, why in (("/no/such/file", "no such file"), (self.dir, "is a directory")):
            done = subprocess.run([DANELAW, "explain", what], text=True, capture_output=True)
            self.assertEqual(done.returncode, 3)
            self.assertTrue(done.stderr.startswith(f"{what}: "), done.stderr)
            self.assertIn(why, done.stderr)

    def test_it_is_explained_from_the_database_too(self):
        config = f"{self.lab.dir}/danelaw.yaml"
        command = [DANELAW, "explain", "--config", config, self.alert["id"]]
        done = subprocess.run(command, text=True, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("What was said follows from the evidence: tlsa-mismatch of host mx.mismatch.test.", done.stdout)
        command[-1] = "no-such-alert"
        done = subprocess.run(command, text=True, capture_output=True)
        self.assertEqual(done.returncode, 3)
        self.assertIn("no alert of that id", done.stderr)

    def test_another_trust_anchor_refutes_it(self):
        other = f"{self.dir}/other.key"
        with open(self.root) as file, open(other, "w") as out:
            # Another digest or key: nothing below it can be proven.
            for line in file:
                words = line.split()
                if words and not line.startswith(";"):
                    words[-1] = words[-1][:-4] + ("AAA=" if words[-1].endswith("=") else "0000")
                out.write(" ".join(words) + "\n")
        done = self.explain(self.fetch()[1], anchor=other)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)

    def test_what_was_changed_is_refuted(self):
        def host(bundle):
            return bundle["observations"][-1]["host"]

        def other_record(bundle):
            one = host(bundle)
            one["records"][0]["data"]["hex"] = "00" * 32
            one["tlsa"]["data"] = [{"hex": "030101" + "00" * 32}]

        def no_record(bundle):
            one = host(bundle)
            one["records"] = []

        def other_status(bundle):
            host(bundle)["tlsa"]["dnssec"] = "insecure"

        def other_address(bundle):
            one = host(bundle)
            one["addresses"] = ["192.0.2.99"]

        def broken_reply(bundle):
            for reply in bundle["observations"][-1]["replies"]:
                wire = bytearray.fromhex(reply["wire"]["hex"])
                wire[-1] ^= 1  # of the last signature
                reply["wire"]["hex"] = wire.hex()

        def no_replies(bundle):
            bundle["observations"][-1]["replies"] = []

        def later(bundle):
            host(bundle)["observed_at"] += 10 * 365 * 86400  # when all signatures are over

        def sooner(bundle):
            host(bundle)["tlsa"]["signatures"]["expiration"] -= 86400

        def another_machine(bundle):
            for session in host(bundle)["sessions"]:
                session["address"] = "198.51.100.7"

        def another_alert(bundle):
            bundle["alert"]["code"] = "starttls-missing"

        def another_subject(bundle):
            bundle["alert"]["subject"]["name"] = "mx.bigbank.example"

        def nothing(bundle):
            bundle["observations"] = []

        for change in (
            other_record,
            no_record,
            other_status,
            other_address,
            broken_reply,
            no_replies,
            later,
            sooner,
            another_machine,
            another_alert,
            another_subject,
            nothing,
        ):
            with self.subTest(change=change.__name__):
                bundle = self.bundle()
                change(bundle)
                done = self.explain(bundle)
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertFalse(json.loads(done.stdout)["is_proven"])

    def test_what_cannot_be_read_is_told(self):
        for octets in (b"", b"{", b"\x9f" * 100, os.urandom(1000), b'{"schema":"danelaw.evidence/9"}'):
            done = self.explain(octets)
            self.assertEqual(done.returncode, 3, done.stdout)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_who_has_none_gets_none(self):
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.fetch(alert="no-such-alert")
        self.assertEqual(refused.exception.code, 404)
        refused.exception.close()


if __name__ == "__main__":
    unittest.main()
