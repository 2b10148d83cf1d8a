#!/usr/bin/python3
"""Resolvers that are good in everything but one thing: no domain is blamed for what they do."""

import json
import os
import shutil
import sys
import unittest

from living_lab import DANELAW, ROOT, LivingLab, until

FAULTY = "127.0.0.54"
FAULTS = (
    "nxdomain-as-servfail",
    "strips-alias-signatures",
    "strips-tlsa-signatures",
    "spoils-tlsa",
    "drops-tlsa",
    "refuses-tlsa",
    "denies-some",
    "servfail-to-a-third",
    "wrong-id",
    "empty-denials",
    "slow",
)
SURVIVED = ("servfail-to-a-third", "wrong-id")  # asking again may be enough: then there is nothing to tell


class HalfBroken(unittest.TestCase):
    def setUp(self):
        self.lab = LivingLab()
        self.proxy = None

    def tearDown(self):
        self.lab.close()

    def put_between(self, fault):
        """A resolver with that fault at FAULTY, in place of the one before."""
        if self.proxy:
            self.lab.inside("pkill", "-f", "faulty_resolver.py")
            self.proxy.wait(10)
        log = f"{self.lab.dir}/faulty.log"
        if os.path.exists(log):
            os.remove(log)
        self.proxy = self.lab.start_inside(
            "faulty", sys.executable, f"{ROOT}/tests/lab/faulty_resolver.py", FAULTY, "127.0.0.53", fault
        )
        until("the faulty resolver listens", 20, lambda: "ready" in self.said())

    def said(self):
        with open(f"{self.lab.dir}/faulty.log") as log:
            return log.read()

    def close_port_53(self):
        """Nobody but root reaches name servers: a firewall. Resolvers are elsewhere. Returns a command's prefix."""
        for rule in (
            "add pref 5 lookup local",
            "del pref 0",
            "add pref 1 uidrange 65534-65534 to 127.0.1.0/24 blackhole",
        ):
            self.lab.inside("ip", "rule", *rule.split(), check=True)
        os.chmod(self.lab.dir, 0o755)
        shutil.copy(DANELAW, f"{self.lab.dir}/danelaw")
        return ("setpriv", "--reuid", "65534", "--clear-groups", f"{self.lab.dir}/danelaw")

    @staticmethod
    def verdicts(seen):
        return {name: one["verdict"] for name, one in seen.items()}

    @staticmethod
    def faults(seen):
        return [f for one in seen.values() for f in one["findings"] if f["code"] == "monitor-fault"]

    def test_no_domain_is_judged_otherwise_for_what_a_resolver_does(self):
        right = self.verdicts(self.lab.check(*self.lab.expected)[0])
        self.assertEqual(right, {name: one["verdict"] for name, one in self.lab.expected.items()})
        for fault in FAULTS:
            with self.subTest(fault=fault):
                self.put_between(fault)
                seen, _ = self.lab.check(*self.lab.expected, arguments=("--resolver", FAULTY))
                self.assertEqual(self.verdicts(seen), right)
                told = self.faults(seen)
                self.assertTrue(told or fault in SURVIVED, "nobody names the resolver")
                self.assertEqual({f["severity"] for f in told} - {"low"}, set())
                for one in told:
                    self.assertIn(FAULTY, json.dumps(one["evidence"]))

    def test_where_name_servers_cannot_be_asked_the_resolver_is_compared_with_itself(self):
        unprivileged = self.close_port_53()

        def check(*domains):
            done = self.lab.inside(
                *unprivileged,
                "check",
                "--config",
                f"{self.lab.dir}/danelaw.yaml",
                "--resolver",
                FAULTY,
                "--format",
                "json",
                *domains,
            )
            return {one["domain"]: one for one in map(json.loads, done.stdout.splitlines())}

        self.put_between("none")
        seen = check("healthy.test", "nodane.test", "bogus.test", "tlsaexpired.test")
        self.assertEqual(
            self.verdicts(seen),
            {
                "healthy.test": "authenticated",
                "nodane.test": "opportunistic",
                "bogus.test": "lookup-failed",
                "tlsaexpired.test": "deferred",
            },
            "a zone's own fault stays its own",
        )
        self.assertEqual(self.faults(seen), [])
        for fault in ("spoils-tlsa", "denies-some"):
            with self.subTest(fault=fault):
                self.put_between(fault)
                seen = check(*self.lab.expected)
                wrong = {
                    name: one["verdict"]
                    for name, one in seen.items()
                    if one["verdict"] not in (self.lab.expected[name]["verdict"], "unknown")
                }
                self.assertEqual(wrong, {}, "blamed for what fails for others, too")
                self.assertTrue(self.faults(seen))
        self.put_between("nxdomain-as-servfail")
        seen = check("healthy.test", "nodane.test")
        self.assertEqual(self.verdicts(seen), {"healthy.test": "authenticated", "nodane.test": "unknown"})
        self.assertEqual([f["subject"]["name"] for f in self.faults(seen)], ["resolver"])

    def test_of_two_resolvers_the_good_one_is_believed(self):
        unprivileged = self.close_port_53()
        self.put_between("spoils-tlsa")
        done = self.lab.inside(
            *unprivileged,
            "check",
            "--config",
            f"{self.lab.dir}/danelaw.yaml",
            "--format",
            "json",
            "--resolver",
            FAULTY,
            "--resolver",
            "127.0.0.53",
            "healthy.test",
            "mismatch.test",
        )
        seen = {one["domain"]: one for one in map(json.loads, done.stdout.splitlines())}
        self.assertEqual(self.verdicts(seen), {"healthy.test": "authenticated", "mismatch.test": "deferred"})
        self.assertIn(FAULTY, json.dumps(self.faults(seen)))

    def test_a_silent_resolver_ahead_of_a_good_one_is_asked_once(self):
        self.put_between("silent")
        seen, _ = self.lab.check(*self.lab.expected, arguments=("--resolver", FAULTY, "--resolver", "127.0.0.53"))
        self.assertEqual(self.verdicts(seen), {name: one["verdict"] for name, one in self.lab.expected.items()})
        asked = self.said().count("asked")
        self.assertGreater(asked, 0)
        # Hundreds of questions were put; a share of the workers may find out at the same moment.
        self.assertLess(asked, 40)

    def test_the_agent_tells_of_one_fault_its_own(self):
        self.put_between("denies-some")
        self.lab.configure_agent(
            [{"name": name} for name in self.lab.expected],
            dns={"resolvers": [FAULTY], "trust_anchor_file": f"{self.lab.dir}/root.key"},
        )
        self.lab.start_agent()
        self.lab.wait_for_all_verdicts()
        ours = until("the fault is told", 120, lambda: self.lab.alerts(code="monitor-fault"))
        self.assertEqual([a["subject"]["name"] for a in ours], ["resolver"])
        self.assertIn(FAULTY, json.dumps(ours))
        vantage = {one["check"]: one for one in self.lab.get("/api/v1/status")["vantage"]}
        self.assertTrue(vantage["dns"]["up"])
        self.assertFalse(vantage["resolver"]["up"])
        self.assertIn(FAULTY, vantage["resolver"]["detail"])
        blamed = {a["subject"]["name"] for a in self.lab.alerts() + self.lab.alerts("pending")}
        for name in ("healthy.test", "nodane.test", "cname.test", "rsa.test", "nullmx.test", "unsigned.test"):
            self.assertNotIn(name, blamed)
            self.assertNotIn(f"mx.{name}", blamed)


if __name__ == "__main__":
    unittest.main()
