#!/usr/bin/python3
"""A registry whose signatures over the DS RRsets of its children do not verify: the children are innocent."""

import json
import unittest

from living_lab import LivingLab, until

CHILDREN = [f"{name}.reg.test" for name in ("alpha", "beta", "delta", "gamma")]


class Registry(unittest.TestCase):
    def setUp(self):
        self.lab = LivingLab()
        self.addCleanup(self.lab.close)

    def break_it(self):
        self.lab.lab("break", "reg.test", "--fault", "garbage:DS", "--flush")

    def is_innocent(self, text):
        """Neither is the child said to be wrong, nor is it to take its DNSSEC away."""
        for word in ("registrar", "remove the DS", "Remove the DS", "vouches for a key"):
            self.assertNotIn(word, text)

    def test_check_names_the_zone_that_broke(self):
        self.break_it()
        seen, _ = self.lab.check(*CHILDREN)
        for name in CHILDREN:
            with self.subTest(name):
                self.assertEqual(seen[name]["verdict"], "lookup-failed")
                found = [f for f in seen[name]["findings"] if f["severity"] == "critical"]
                self.assertEqual({f["code"] for f in found}, {"ds-broken", "mx-lookup-failed"})
                text = json.dumps(found)
                self.assertIn('"reg.test"', text)
                self.assertIn("signatures", text)
                self.is_innocent(text)

    def test_the_agent_has_one_alert_for_all_children(self):
        def alerts(state="firing"):
            return [one for one in self.lab.alerts(state) if "reg.test" in json.dumps(one)]

        self.lab.start_agent()
        self.lab.wait_for_all_verdicts()
        self.assertEqual(alerts(), [])
        self.break_it()
        until("an alert for all four", 120, lambda: any(sorted(one["domains"]) == CHILDREN for one in alerts()))
        until("nothing is pending", 120, lambda: not alerts("pending"))
        (alert,) = alerts()
        self.assertEqual((alert["code"], alert["subject"]), ("ds-broken", {"kind": "zone", "name": "reg.test"}))
        self.assertEqual(sorted(alert["domains"]), CHILDREN)
        self.assertIn("ds-signature", json.dumps(alert["evidence"]))
        self.is_innocent(json.dumps(alert))
        self.lab.lab("mend", "reg.test", "--flush")
        until("it is over", 120, lambda: not alerts())
        self.lab.wait_for_all_verdicts()


if __name__ == "__main__":
    unittest.main()
