#!/usr/bin/python3
"""When the agent itself cannot see: its resolver, its way out to SMTP, its clock. One lab, one agent, one after
the other.
"""

import signal
import unittest

from living_lab import LivingLab, until

MAIL_SERVERS = ("postfix", "smtp")


class Outage(unittest.TestCase):
    def setUp(self):
        self.lab = LivingLab()
        self.addCleanup(self.lab.close)
        self.lab.start_agent()

    def stand_still(self):
        """Wait until the world does; returns the ids of the alerts. What passes by itself takes three looks to open."""

        def settled():
            return {a["id"] for a in self.lab.alerts()} if not self.lab.alerts("pending") else None

        self.lab.wait_for_all_verdicts()
        return until("nothing is pending", 120, settled)

    def is_our_fault(self, what, before):
        """We see nothing: that is one alert, about us, and no other came or went."""
        until("the fault fires", 60, lambda: self.lab.alerts(code="monitor-fault"))
        until("targets are unknown", 60, lambda: self.lab.domain("healthy.test")["verdict"] == "unknown")
        open_now = self.lab.alerts()
        self.assertEqual([a["subject"]["name"] for a in open_now if a["code"] == "monitor-fault"], [what])
        self.assertRegex(
            self.lab.agent_log(), rf'(?m)monitor-fault.* subject="{what}".* detail="[^"]', "with its reason"
        )
        others = {a["id"] for a in open_now if a["code"] != "monitor-fault"}
        self.assertEqual(others, before, "no alert about a target came or went")
        status = self.lab.get("/api/v1/status")
        causes = {cause["check"].partition("_")[0] for cause in status["blind"]["causes"]}
        self.assertEqual(causes, {what}, "since when and why nothing is seen")
        self.assertGreater(status["last_known"]["delivery"]["fine"]["inbound"], 0)
        known = until("what was seen last is recorded", 30, lambda: self.lab.domain("healthy.test")["last_known"])
        self.assertEqual((known["stale"], known["delivery"], known["verdict"]), (True, "fine", "authenticated"))

    def is_over(self, before):
        """We see again: the fault ends, and all is as it was."""
        until("the fault is over", 60, lambda: not self.lab.alerts(code="monitor-fault"))
        self.lab.wait_for_all_verdicts()
        until("nothing blinds", 30, lambda: self.lab.get("/api/v1/status")["blind"] is None)
        self.assertIsNone(self.lab.domain("healthy.test")["last_known"])
        self.assertEqual({a["id"] for a in self.lab.alerts()}, before)
        ended = {a["code"] for a in self.lab.alerts("resolved")}
        self.assertEqual(ended, {"monitor-fault"}, "nothing else opened and ended meanwhile")

    def test_our_own_outage_is_one_fault_and_nothing_about_targets(self):
        before = self.stand_still()

        with self.subTest("S-04: the resolver is gone"):
            self.lab.lab("kill", "unbound")
            self.is_our_fault("dns", before)
            self.lab.stop_agent(signal.SIGTERM)
            self.lab.start_agent()
            until("it knows that it cannot see", 60, lambda: self.lab.get("/api/v1/status")["blind"])
            self.is_our_fault("dns", before)
            host = self.lab.get("/api/v1/mx/mx.healthy.test")
            self.assertEqual((host["delivery"], host["last_known"]["delivery"]), ("unknown", "fine"))
            self.assertIn("healthy.test", host["domains"])
            for what in ("domains", "mx"):
                self.assertGreater(self.lab.get(f"/api/v1/{what}?delivery=fine")["total"], 0, "as known last")
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


if __name__ == "__main__":
    unittest.main()
