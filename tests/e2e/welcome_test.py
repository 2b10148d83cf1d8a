#!/usr/bin/python3
"""Servers that refuse the monitor for the name it gives: theirs to say, and ours to mend."""

import json
import unittest

from living_lab import DANELAW, LivingLab, on_machine, until

REFUSED = "mon_1.example.org"  # Exim refuses an underscore; no configuration can name it, a machine can
STRICT = ("healthy.test", "rsa.test", "nsec3.test")


class Welcome(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = LivingLab()
        with open(f"{cls.lab.dir}/danelaw.yaml") as file:
            text = file.read()
        cls.config = f"{cls.lab.dir}/danelaw.yaml"
        with open(cls.config, "w") as file:
            file.write(text.replace("  helo: danelaw.test\n", ""))
        for domain in STRICT:
            cls.lab.lab("mode", f"mx.{domain}", "strict-helo")

    @classmethod
    def tearDownClass(cls):
        cls.lab.close()

    def check(self, host_name, *domains):
        done = self.lab.inside(
            *on_machine(host_name), DANELAW, "check", "--config", self.config, "--format", "json", *domains
        )
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def test_one_that_refuses_us_is_not_blamed_for_what_comes_after(self):
        (seen,), said = self.check(REFUSED, "healthy.test")
        codes = [f["code"] for f in seen["findings"]]
        self.assertIn("probe-refused", codes)
        self.assertFalse([code for code in codes if "starttls" in code or "tlsa" in code], codes)
        self.assertNotIn("monitor-fault", said)

    def test_three_that_do_are_our_fault(self):
        _, said = self.check(REFUSED, *STRICT)
        self.assertRegex(
            said,
            r"monitor-fault: mail servers in 3 domains refuse this monitor, which calls itself "
            r"mon_1\.example\.org; .*mx\.healthy\.test \([^)]*\) says: 501 Syntactically invalid EHLO",
        )
        seen, said = self.check("monitor.example.org", *STRICT)
        self.assertEqual({one["verdict"] for one in seen}, {"authenticated"})
        self.assertEqual(said, "")

    def test_a_name_that_servers_refuse_is_refused_before(self):
        done = self.lab.inside(DANELAW, "check", "--config", self.config, "--helo", REFUSED, "healthy.test")
        self.assertIn("underscore", done.stderr)
        self.assertEqual(done.returncode, 3)

    def test_a_name_of_the_machine_is_doubted(self):
        for name, doubt in (("monitor", "not fully qualified"), (REFUSED, "none that they accept")):
            done = self.lab.inside(*on_machine(name), DANELAW, "check-config", self.config)
            self.assertIn(doubt, done.stderr)
            self.assertEqual(done.returncode, 0)
        self.assertEqual(
            self.lab.inside(*on_machine("monitor.example.org"), DANELAW, "check-config", self.config).stderr, ""
        )

    def test_the_agent_says_so_once_until_they_talk_to_it(self):
        def faults(state="firing"):
            return self.lab.alerts(state, code="monitor-fault")

        self.lab.start_agent(host_name=REFUSED)
        self.addCleanup(self.lab.stop_agent, 15)
        until("the fault is told", 90, faults)
        (fault,) = faults()
        self.assertEqual(fault["subject"], {"kind": "monitor", "name": "greeting"})
        self.assertIn(REFUSED, json.dumps(fault))
        self.assertFalse(
            [
                one
                for one in self.lab.alerts("firing")
                if one["code"].startswith("starttls")
                and one["subject"]["name"] in [f"mx.{domain}" for domain in STRICT]
            ]
        )
        for domain in STRICT:
            self.lab.lab("mode", f"mx.{domain}", "normal")
        self.addCleanup(lambda: [self.lab.lab("mode", f"mx.{domain}", "strict-helo") for domain in STRICT])
        until("it is over", 120, lambda: not faults())


if __name__ == "__main__":
    unittest.main()
