#!/usr/bin/python3
"""A fleet whose members die at random: agents are killed and stopped, PostgreSQL crashes and comes back, while a host
breaks and is mended. No alert is lost, none is told under two ids, and somebody goes on looking.

DANELAW_KILLS says how many (default 4); DANELAW_SEED which, the same ones by default.
"""

import json
import os
import random
import signal
import unittest

from fleet_test import HOST, Fleet
from living_lab import until

KILLS = int(os.environ.get("DANELAW_KILLS", "4"))
SEED = int(os.environ.get("DANELAW_SEED", "7"))
# The third within hours is one that comes and goes, and ends only after half an hour of calm.
MOST_INCIDENTS = 2
# takeover, a lease, an interval, and what a start takes on a busy machine
LONGEST = 5 + 60 + 10 + 45


class RandomKills(Fleet):
    def looked_at(self):
        """When the domains were looked at last, as the first of the fleet says that can be asked."""
        for name in self.ports:
            status, text = self.ask(name, "/api/v1/domains")
            if status == 200:
                return [one["observed_at"] or "" for one in json.loads(text)["items"]]
        return [""]

    def revive(self):
        for name in self.ports:
            agent = self.agents.get(name)
            if agent is not None and agent.poll() is not None:
                del self.agents[name]  # one that lost its leadership ends by itself
            if name not in self.agents:
                self.start(name)

    def does_another_lead(self, name):
        self.revive()  # as their supervisors would: one that lost its leadership may just have ended
        return any(self.leads(one) for one in self.ports if one != name)

    def strike(self, chance):
        what = chance.choice(("kill", "kill", "stop", "crash"))
        if what == "crash":
            self.server.stop("immediate")
            self.server.start()
            return "PostgreSQL crashed"
        name = chance.choice(sorted(self.agents))
        if what == "kill":
            self.end(name, signal.SIGKILL)
            return f"{name} was killed"
        led = self.leads(name)
        asleep = self.pid(name)
        if asleep is None:
            return f"{name} had ended by itself"
        os.kill(asleep, signal.SIGSTOP)
        if led:
            until(f"seed {SEED}: another leads", 60, lambda: self.does_another_lead(name))
        os.kill(asleep, signal.SIGCONT)
        return f"{name} slept"

    def test_loses_nothing_and_tells_nothing_twice(self):
        chance = random.Random(SEED)
        is_broken, incidents = False, 0
        for number in range(KILLS):
            if not is_broken and incidents < MOST_INCIDENTS:
                self.lab.lab("swap", HOST)
                is_broken, incidents = True, incidents + 1
            story = f"seed {SEED}, strike {number}: {self.strike(chance)}"
            self.revive()
            before = max(self.looked_at())
            until(f"{story}: all are looked at again", LONGEST, lambda seen=before: min(self.looked_at()) > seen)
            if is_broken and chance.random() < 0.5:
                until(f"{story}: incident {incidents} is told", LONGEST, lambda: len(self.ids("opened")) == incidents)
                good = self.lab.lab("tlsa", HOST).strip()
                self.lab.lab("set", f"_25._tcp.{HOST}", "TLSA", good, "--flush")
                until(f"{story}: its end is told", 240, lambda: len(self.ids("resolved")) == incidents)
                is_broken = False
        if is_broken:
            until(f"seed {SEED}: the last one is told", LONGEST, lambda: len(self.ids("opened")) == incidents)
        self.assertEqual(len(self.ids("opened")), incidents, f"seed {SEED}")

    def ids(self, event):
        return {one["alert"]["id"] for one in self.told("tlsa-mismatch", event)}


if __name__ == "__main__":
    unittest.main()
