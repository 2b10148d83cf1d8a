#!/usr/bin/python3
"""The real agent on the real lab: verdicts, a late rollover, kill -9, shutdown."""

import contextlib
import signal
import sqlite3
import subprocess
import unittest

import sink
from living_lab import DANELAW, LivingLab, until

PROVIDER = {"kind": "host", "name": "mx.provider.test"}


class Agent(unittest.TestCase):
    def setUp(self):
        self.lab = LivingLab()
        self.addCleanup(self.lab.close)
        self.lab.start_agent()

    def mismatches(self, state="firing"):
        return self.lab.alerts(state, code="tlsa-mismatch", subject=PROVIDER)

    def test_a_second_agent_keeps_off_the_database(self):
        done = self.lab.inside(DANELAW, "run", "--config", f"{self.lab.dir}/danelaw.yaml")
        self.assertEqual(done.returncode, 2, "it may help to try again")
        self.assertRegex(done.stderr, r"danelaw\.db is in use by another agent \(process \d+\)")
        self.assertTrue(self.lab.is_ready())
        self.assertEqual(
            self.lab.inside(
                DANELAW, "backup", "--config", f"{self.lab.dir}/danelaw.yaml", f"{self.lab.dir}/copy.db"
            ).returncode,
            0,
            "a backup is no second agent",
        )

    def test_late_rollover_with_kill_9_in_the_middle(self):
        self.lab.wait_for_all_verdicts()
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
        # While only one of the two name servers has them, no end is in sight yet.
        def recovering():
            rollover = self.lab.host("mx.provider.test").get("rollover")
            is_ending = rollover and rollover["state"] == "stale-risk" and rollover["window"]["until"]
            return rollover if is_ending else None

        rollover = until("caches are waited for", 40, recovering)
        self.assertEqual([a["id"] for a in self.mismatches()], [opened[0]["id"]], "not over before the last cache")
        self.assertEqual(rollover["rollovers"][-1]["grade"], "late")
        until("the mismatch is over", 150, lambda: not self.mismatches())
        ended = [a for a in self.mismatches("resolved") if a["id"] == opened[0]["id"]]
        self.assertEqual(len(ended), 1)
        self.assertEqual(self.lab.domain("shared-a.test")["verdict"], "authenticated")

    def gate(self, certificate):
        """First line, all of it, exit status of `danelaw gate` for the provider's host."""
        done = self.lab.inside(
            DANELAW, "gate", "--config", f"{self.lab.dir}/danelaw.yaml", "--host", "mx.provider.test", certificate
        )
        return done.stdout.split("\n")[0], done.stdout + done.stderr, done.returncode

    def test_clean_rollover_through_the_gate(self):
        self.lab.wait_for_all_verdicts()
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

    def test_reload_keeps_the_old_configuration_on_errors_and_sigterm_ends_in_time(self):
        self.lab.wait_for_all_verdicts()
        path = f"{self.lab.dir}/danelaw.yaml"
        with open(path) as file:
            good = file.read()
        with open(path, "w") as file:
            file.write(good.replace("domains:", "domians:"))
        subprocess.run(["kill", "-HUP", str(self.lab.agent_pid())], check=True)
        until("the error is in the log", 10, lambda: "domians" in self.lab.agent_log())
        until(
            "the metrics say so, too",
            10,
            lambda: "danelaw_config_last_reload_successful 0" in self.lab.text("/metrics"),
        )
        self.assertEqual(self.lab.get("/api/v1/domains")["total"], len(self.lab.expected))
        with open(path, "w") as file:
            file.write("\n".join(line for line in good.splitlines() if "gone.test" not in line) + "\n")
        subprocess.run(["kill", "-HUP", str(self.lab.agent_pid())], check=True)
        until("the domain is gone", 10, lambda: self.lab.get("/api/v1/domains")["total"] == len(self.lab.expected) - 1)
        self.assertIn("danelaw_config_last_reload_successful 1", self.lab.text("/metrics"))
        code, _ = self.lab.stop_agent(signal.SIGTERM)  # which waits for the end, but not without bound
        self.assertEqual(code, 0)
        self.assertRegex(self.lab.agent_log(), r"(?m)^.*stopped.*drained")


class HangingReceiver(unittest.TestCase):
    """A receiver that takes requests and never answers holds up neither reloads nor the end."""

    def setUp(self):
        self.lab = LivingLab()
        self.addCleanup(self.lab.close)
        self.sink = self.lab.start_sink()
        sink.order(self.sink, "/chat", "hang")
        self.lab.configure_agent(
            ["shared-a.test"], notify={"webhooks": [{"name": "chat", "url": "http://127.0.0.1:9099/chat"}]}
        )
        self.lab.start_agent()

    def test_four_reloads_and_the_end_wait_for_nobody(self):
        until("the host is well", 60, lambda: self.lab.domain("shared-a.test")["verdict"] == "authenticated")
        self.lab.lab("prepare", "mx.provider.test")
        self.lab.lab("swap", "mx.provider.test")
        first = until("somebody is told", 90, lambda: sink.received(self.sink, "/chat"))[0]["json"]
        for count in range(1, 5):
            subprocess.run(["kill", "-HUP", str(self.lab.agent_pid())], check=True)
            until("the configuration is read", 10, lambda: self.lab.agent_log().count("reloaded") == count)
        until("whoever comes next tries at once", 20, lambda: len(sink.received(self.sink, "/chat")) >= 2)
        code, seconds = self.lab.stop_agent(signal.SIGTERM)
        self.assertEqual(code, 0)
        self.assertLess(seconds, 5)  # the contract's
        sink.order(self.sink)
        self.lab.start_agent()
        taken = until(
            "it arrives after all",
            60,
            lambda: [one["json"] for one in sink.received(self.sink, "/chat") if one["answer"] == "200"],
        )
        self.assertEqual(taken[0]["id"], first["id"])


if __name__ == "__main__":
    unittest.main()
