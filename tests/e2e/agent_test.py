#!/usr/bin/python3
"""The real agent on the real lab: verdicts, a late rollover, kill -9, our own outage, shutdown."""

import contextlib
import signal
import sqlite3
import subprocess
import unittest

from living_lab import DANELAW, LivingLab, until

PROVIDER = {"kind": "host", "name": "mx.provider.test"}
MAIL_SERVERS = ("postfix", "smtp")


class Agent(unittest.TestCase):
    def setUp(self):
        self.lab = LivingLab()
        self.addCleanup(self.lab.close)
        self.lab.start_agent()

    def wait_for_all_verdicts(self):
        def missing():
            items = self.lab.get("/api/v1/domains?limit=500")["items"]
            seen = {item["domain"]: item["verdict"] for item in items}
            self.wrong = {n: (seen.get(n), w["verdict"]) for n, w in self.lab.expected.items()
                          if seen.get(n) != w["verdict"]}
            return not self.wrong
        try:
            until("every domain has its verdict", 60, missing)
        except AssertionError as error:
            raise AssertionError(f"{error}: seen, wanted: {self.wrong}") from None

    def mismatches(self, state="firing"):
        return self.lab.alerts(state, code="tlsa-mismatch", subject=PROVIDER)

    def test_late_rollover_with_kill_9_in_the_middle(self):
        self.wait_for_all_verdicts()
        self.assertEqual(self.mismatches(), [])

        self.lab.lab("story", "late-rollover", "--step", "1")
        opened = until("the mismatch fires", 60, self.mismatches)
        self.assertEqual(len(opened), 1)
        self.assertEqual(opened[0]["severity"], "critical")
        self.assertLessEqual({"shared-a.test", "shared-b.test"}, set(opened[0]["domains"]))
        self.assertEqual(self.lab.domain("shared-a.test")["verdict"], "deferred")
        metrics = self.lab.text("/metrics")
        self.assertIn('danelaw_mx_dane_state{mx="mx.provider.test"} 4', metrics)
        self.assertRegex(metrics, r'danelaw_finding\{[^}]*domain="shared-b.test"[^}]*code="tlsa-mismatch"')

        self.lab.stop_agent(signal.SIGKILL)
        self.lab.start_agent()
        again = self.mismatches()
        self.assertEqual([a["id"] for a in again], [opened[0]["id"]], "the same alert, at once after the start")

        copy = f"{self.lab.dir}/copy.db"
        self.lab.inside(DANELAW, "backup", "--config", f"{self.lab.dir}/danelaw.yaml", copy, check=True)
        with contextlib.closing(sqlite3.connect(copy)) as kept:
            firing = kept.execute("SELECT id FROM alert WHERE state = 'firing'").fetchall()
        self.assertIn((opened[0]["id"],), firing, "the backup of a running agent has its alerts")

        self.lab.lab("story", "late-rollover", "--step", "2")
        # The records are right again, but caches may hold those before them for their TTL of 60 s.
        def recovering():
            rollover = self.lab.host("mx.provider.test").get("rollover")
            return rollover if rollover and rollover["state"] == "stale-risk" else None
        rollover = until("caches are waited for", 40, recovering)
        self.assertEqual([a["id"] for a in self.mismatches()], [opened[0]["id"]], "not over before the last cache")
        self.assertIsNotNone(rollover["window"]["until"])
        self.assertEqual(rollover["rollovers"][-1]["grade"], "late")
        until("the mismatch is over", 150, lambda: not self.mismatches())
        ended = [a for a in self.mismatches("resolved") if a["id"] == opened[0]["id"]]
        self.assertEqual(len(ended), 1)
        self.assertEqual(self.lab.domain("shared-a.test")["verdict"], "authenticated")

    def gate(self, certificate):
        """First line, all of it, exit status of `danelaw gate` for the provider's host."""
        done = self.lab.inside(DANELAW, "gate", "--config", f"{self.lab.dir}/danelaw.yaml",
                               "--host", "mx.provider.test", certificate)
        return done.stdout.split("\n")[0], done.stdout + done.stderr, done.returncode

    def test_clean_rollover_through_the_gate(self):
        self.wait_for_all_verdicts()
        run = self.lab.facts()["run"]
        next_one = f"{run}/pki/next/mx.provider.test.ecdsa.pem"
        self.lab.lab("prepare", "mx.provider.test")
        first, text, status = self.gate(next_one)
        self.assertEqual((first.split(":")[0], status), ("never", 2), text)
        self.assertRegex(text, r"_25\._tcp\.mx\.provider\.test\. 60 IN TLSA 3 1 1 [0-9a-f]{64}")

        self.lab.lab("story", "clean-rollover", "--step", "1")
        first, text, status = self.gate(next_one)
        self.assertEqual((first.split(" ")[0], status), ("not-before", 1), text)
        until("the gate opens", 90, lambda: self.gate(next_one)[2] == 0)
        self.assertTrue(self.gate(next_one)[0].startswith("yes"), self.gate(next_one))
        self.lab.lab("story", "clean-rollover", "--step", "2")
        self.lab.lab("story", "clean-rollover", "--step", "3")

        def graded():
            rollovers = self.lab.get("/api/v1/mx/mx.provider.test")["rollover"]["rollovers"]
            return rollovers[-1]["grade"] if rollovers else None
        self.assertIn(until("the rollover is graded", 90, graded), ("tight", "safe", "indeterminate"))
        self.assertEqual(self.mismatches(), [])
        self.assertEqual(self.mismatches("pending"), [])

    def stand_still(self):
        """Wait until the world does; returns the ids of the alerts. What passes by itself takes three looks to open."""
        def settled():
            return {a["id"] for a in self.lab.alerts()} if not self.lab.alerts("pending") else None
        self.wait_for_all_verdicts()
        return until("nothing is pending", 120, settled)

    def is_our_fault(self, what, before):
        """We see nothing: that is one alert, about us, and no other came or went."""
        until("the fault fires", 60, lambda: self.lab.alerts(code="monitor-fault"))
        until("targets are unknown", 60, lambda: self.lab.domain("healthy.test")["verdict"] == "unknown")
        open_now = self.lab.alerts()
        self.assertEqual([a["subject"]["name"] for a in open_now if a["code"] == "monitor-fault"], [what])
        others = {a["id"] for a in open_now if a["code"] != "monitor-fault"}
        self.assertEqual(others, before, "no alert about a target came or went")

    def is_over(self, before):
        """We see again: the fault ends, and all is as it was."""
        until("the fault is over", 60, lambda: not self.lab.alerts(code="monitor-fault"))
        self.wait_for_all_verdicts()
        self.assertEqual({a["id"] for a in self.lab.alerts()}, before)
        ended = {a["code"] for a in self.lab.alerts("resolved")}
        self.assertEqual(ended, {"monitor-fault"}, "nothing else opened and ended meanwhile")

    def test_our_own_outage_is_one_fault_and_nothing_about_targets(self):
        before = self.stand_still()

        with self.subTest("S-04: the resolver is gone"):
            self.lab.lab("kill", "unbound")
            self.is_our_fault("dns", before)
            self.lab.lab("start", "unbound")
            self.is_over(before)

        with self.subTest("the SMTP port is blocked"):
            # A firewall that rejects looks like this: nobody answers, at any host.
            for server in MAIL_SERVERS:
                self.lab.lab("kill", server)
            self.is_our_fault("smtp", before)
            # As many looks as would do to call every host down.
            rounds = self.rounds()
            looks = 3 * len(self.lab.get("/api/v1/domains?limit=500")["items"])
            until("everybody was looked at", 90, lambda: self.rounds() > rounds + looks)
            self.is_our_fault("smtp", before)
            self.assertIn('danelaw_vantage_up{check="smtp_ipv4"} 0', self.lab.text("/metrics"))
            for server in MAIL_SERVERS:
                self.lab.lab("start", server)
            self.is_over(before)

        with self.subTest("S-05: the clock is wrong"):
            self.lab.stop_agent(signal.SIGTERM)
            self.lab.start_agent(clock="+40d")
            self.is_our_fault("clock", before)
            self.assertIn("expired", str(self.lab.alerts(code="monitor-fault")[0]["evidence"]))
            self.lab.stop_agent(signal.SIGTERM)
            self.lab.start_agent()
            self.is_over(before)

    def rounds(self):
        return self.lab.get("/api/v1/status")["scheduler"]["rounds"]

    def test_reload_keeps_the_old_configuration_on_errors_and_sigterm_ends_in_time(self):
        self.wait_for_all_verdicts()
        path = f"{self.lab.dir}/danelaw.yaml"
        with open(path) as file:
            good = file.read()
        with open(path, "w") as file:
            file.write(good.replace("domains:", "domians:"))
        subprocess.run(["kill", "-HUP", str(self.lab.agent_pid())], check=True)
        until("the error is in the log", 10, lambda: "domians" in self.lab.agent_log())
        until("the metrics say so, too", 10,
              lambda: "danelaw_config_last_reload_successful 0" in self.lab.text("/metrics"))
        self.assertEqual(self.lab.get("/api/v1/domains")["total"], len(self.lab.expected))
        with open(path, "w") as file:
            file.write("\n".join(line for line in good.splitlines() if "gone.test" not in line) + "\n")
        subprocess.run(["kill", "-HUP", str(self.lab.agent_pid())], check=True)
        until("the domain is gone", 10,
              lambda: self.lab.get("/api/v1/domains")["total"] == len(self.lab.expected) - 1)
        self.assertIn("danelaw_config_last_reload_successful 1", self.lab.text("/metrics"))
        code, seconds = self.lab.stop_agent(signal.SIGTERM)
        self.assertEqual(code, 0)
        self.assertLess(seconds, 5)


if __name__ == "__main__":
    unittest.main()
