#!/usr/bin/python3
"""`danelaw check` against the lab's real servers, and against Postfix's own opinion."""

import re
import json
import unittest

from living_lab import DANELAW, LivingLab


class Check(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = LivingLab()

    @classmethod
    def tearDownClass(cls):
        cls.lab.close()

    def test_every_domain_reaches_its_verdict(self):
        seen, _ = self.lab.check()
        for name, want in self.lab.expected.items():
            with self.subTest(domain=name, says=want["says"]):
                self.assertEqual(seen[name]["verdict"], want["verdict"], seen[name]["findings"])
                hosts = {host["host"]: host["verdict"] for host in seen[name]["hosts"]}
                self.assertEqual(hosts, want["hosts"])

    def test_agrees_with_postfix_on_who_is_authenticated(self):
        seen, _ = self.lab.check()
        for name in self.lab.expected:
            with self.subTest(domain=name):
                said = self.lab.inside("posttls-finger", "-c", "-l", "dane", "-t", "10", "-Lsummary", name)
                text = said.stdout + said.stderr
                # Postfix calls a host that DANE authenticates behind an insecure MX "Trusted", and says why.
                postfix = (
                    "authenticated"
                    if re.search(r"Verified TLS connection established", text)
                    else "host-authenticated"
                    if "log verified as trusted" in text
                    else None
                )
                ours = seen[name]["verdict"]
                self.assertEqual(ours if ours in ("authenticated", "host-authenticated") else None, postfix, text)

    def test_findings_say_why_and_what_to_do(self):
        for name, code in {
            "mismatch.test": "tlsa-mismatch",
            "nostarttls.test": "starttls-missing",
            "stripped.test": "starttls-stripped",
            "tempfail.test": "starttls-rejected",
            "injected.test": "plaintext-injection",
            "dual.test": "key-type-partial",
            "expired.test": "dnssec-expired",
            "tlsaexpired.test": "dnssec-expired",
            "dsbroken.test": "ds-broken",
            "bogus.test": "mx-lookup-failed",
            "downgrade.test": "downgrade",
            "unusable.test": "all-unusable",
            "insecuremx.test": "mx-insecure",
            "gone.test": "domain-gone",
        }.items():
            with self.subTest(domain=name):
                seen, _ = self.lab.check(name)
                found = {f["code"]: f for f in seen[name]["findings"]}
                self.assertIn(code, found)
                self.assertTrue(found[code]["fix"] and found[code]["explanation"])

    def test_exit_status_is_that_of_a_nagios_plugin(self):
        for name, status in {"healthy.test": 0, "unusable.test": 1, "mismatch.test": 2}.items():
            with self.subTest(domain=name):
                self.assertEqual(self.lab.check(name)[1], status)

    def test_nagios_gets_one_line_the_worst_first(self):
        def said(*domains):
            done = self.lab.inside(
                DANELAW, "check", "--config", f"{self.lab.dir}/danelaw.yaml", "--format", "nagios", *domains
            )
            return done.stdout, done.returncode

        line, status = said("healthy.test", "unusable.test", "mismatch.test", "rsa.test")
        self.assertRegex(
            line,
            r"\ADANE CRITICAL: mismatch\.test deferred, tlsa-mismatch; WARNING unusable\.test [^;\n]+; "
            r"and 2 more \| domains=4 bad=2 findings=\d+ hosts=4\n\Z",
        )
        self.assertEqual(status, 2)
        line, status = said("healthy.test", "rsa.test")
        self.assertRegex(line, r"\ADANE OK: 2 domains \| domains=2 bad=0 findings=0 hosts=2\n\Z")
        self.assertEqual(status, 0)
        self.assertRegex(said("healthy.test")[0], r"\ADANE OK: healthy\.test authenticated[^|\n]* \| [^\n]+\n\Z")

    def test_a_sound_domain_alarms_nobody_with_rare_senders(self):
        """Its certificate has an ECDSA key only: senders without ECDSA are in JSON, and a quiet word below."""
        seen, status = self.lab.check("healthy.test")
        self.assertIn("rsa-only", [split["sender"] for split in seen["healthy.test"]["splits"]])
        self.assertEqual(status, 0)
        text = self.lab.inside(DANELAW, "check", "--config", f"{self.lab.dir}/danelaw.yaml", "healthy.test").stdout
        self.assertNotIn("rsa-only", text.partition("  MX (")[0])
        self.assertIn("senders that offer no ECDSA, which are rare (rsa-only)", text)

    def test_text_leads_with_the_verdict_and_fits_a_terminal(self):
        said = self.lab.inside(DANELAW, "check", "--config", f"{self.lab.dir}/danelaw.yaml", "mismatch.test").stdout
        self.assertTrue(said.startswith("mismatch.test: mail waits in senders' queues"), said)
        self.assertIn("tlsa-mismatch", said)
        self.assertLessEqual(max(map(len, said.splitlines())), 120, said)

    def test_a_wrong_trust_anchor_is_our_own_fault(self):
        wrong = f"{self.lab.dir}/wrong.key"
        with open(wrong, "w") as file:
            file.write(". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n")
        seen, status = self.lab.check("healthy.test", arguments=("--trust-anchor", wrong))
        self.assertEqual((seen["healthy.test"]["verdict"], status), ("unknown", 3))
        self.assertEqual(seen["healthy.test"]["findings"][0]["code"], "monitor-fault")

    # S-05
    def test_a_wrong_clock_is_our_own_fault(self):
        for shift, said in (("+40d", "expired"), ("-40d", "not valid yet")):
            with self.subTest(clock=shift):
                done = self.lab.inside(
                    "env",
                    "FAKETIME_DONT_FAKE_MONOTONIC=1",
                    "faketime",
                    "-f",
                    shift,
                    DANELAW,
                    "check",
                    "--config",
                    f"{self.lab.dir}/danelaw.yaml",
                    "--format",
                    "json",
                    "mismatch.test",
                )
                seen = json.loads(done.stdout)
                self.assertEqual((seen["verdict"], done.returncode), ("unknown", 3))
                self.assertEqual([f["code"] for f in seen["findings"]], ["monitor-fault"])
                self.assertIn(said, json.dumps(seen["findings"][0]["evidence"]))

    # S-04
    def test_an_unreachable_resolver_is_our_own_fault(self):
        seen, status = self.lab.check("mismatch.test", arguments=("--resolver", "127.0.0.99"))
        self.assertEqual((seen["mismatch.test"]["verdict"], status), ("unknown", 3))
        self.assertEqual([f["code"] for f in seen["mismatch.test"]["findings"]], ["monitor-fault"])

    def test_a_session_is_told_word_for_word(self):
        seen, _ = self.lab.check("healthy.test", "nostarttls.test", "injected.test")

        def said(domain):
            return "\n".join(seen[domain]["hosts"][0]["endpoints"][0]["smtp"]["transcript"])

        tls = r"\* TLSv1\.3 TLS_\w+\n"
        self.assertRegex(
            said("healthy.test"),
            r"(?s)\AS: 220 mx\.healthy\.test.*\nC: EHLO .*\nS: 250-STARTTLS\n.*"
            r"\nC: STARTTLS\nS: 220 .*\n" + tls + r"C: EHLO .*\nS: 250 .*\nC: QUIT\nS: 221 .*\Z",
        )
        self.assertRegex(said("nostarttls.test"), r"(?s)C: EHLO .*\nC: QUIT\nS: 221 .*\Z")
        self.assertNotIn("C: STARTTLS", said("nostarttls.test"))
        self.assertRegex(said("injected.test"), r"C: STARTTLS\nS: 220 .*\n\* \d+ octets in clear behind it\n")

    def test_a_name_server_that_lags_behind_is_named(self):
        self.lab.lab("story", "drift", "--step", "1")
        self.addCleanup(self.lab.lab, "story", "drift", "--step", "2")
        seen, _ = self.lab.check("drift.test")
        split = [f for f in seen["drift.test"]["findings"] if f["code"] == "nameserver-split"]
        self.assertEqual(len(split), 1)
        self.assertIn("ns2.dns.test (127.0.1.2): 3 1 1", json.dumps(split[0]["evidence"]))
        # Whichever of them the resolver asked.
        self.assertEqual(seen["drift.test"]["verdict"], "authenticated")
        self.assertIn(
            ("other-nameserver", "deferred"), [(s["sender"], s["verdict"]) for s in seen["drift.test"]["splits"]]
        )

    def test_special_addresses_are_not_contacted_unless_allowed(self):
        done = self.lab.inside(
            DANELAW,
            "check",
            "--resolver",
            "127.0.0.53",
            "--trust-anchor",
            f"{self.lab.dir}/root.key",
            "--format",
            "json",
            "healthy.test",
        )
        self.assertIn('"special-address"', done.stdout)
        self.assertNotIn('"banner":"220', done.stdout)


if __name__ == "__main__":
    unittest.main()
