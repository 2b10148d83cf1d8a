#!/usr/bin/python3
"""Two agents with one database of PostgreSQL: one leads, the other looks for it, is asked in its stead, and takes over
when it is killed or sleeps. No alert is lost, none is told twice. One lab, a PostgreSQL of the test's own.
"""

import json
import os
import signal
import subprocess
import sys
import unittest
import urllib.error
import urllib.request

import sink
import yaml
from living_lab import DANELAW, FAKETIME, LAB, LivingLab, until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from postgresql import Postgresql  # noqa: E402
from wire import Wire  # noqa: E402

SCHEDULE = {"interval": "10s", "fastest": "2s", "confirm_after": "2s", "retry_after": "2s", "workers": 8}
HOST = "mx.provider.test"
INSIDE = {"one": 9672, "two": 9673}


class Fleet(unittest.TestCase):
    quorum = 1
    helo = {"one": "one.lab.test", "two": "two.lab.test"}
    clocks = {}  # by how much they are wrong

    def database_of(self, name):
        return self.server.uri("danelaw")

    def setUp(self):
        try:
            self.server = Postgresql()
        except FileNotFoundError as missing:
            self.skipTest(str(missing))
        self.addCleanup(self.server.close)
        self.server.query("CREATE DATABASE danelaw")
        second = 17000 + os.getpid() % 3000  # below those of the other tests
        self.lab = LivingLab("--publish", f"{second}:{INSIDE['two']}")
        self.addCleanup(self.lab.close)
        self.sink = self.lab.start_sink()
        self.ports = {"one": self.lab.port, "two": second}
        self.agents = {}
        with open(f"{self.lab.dir}/danelaw.yaml") as file:
            config = yaml.safe_load(file)
        for name, port in INSIDE.items():
            mine = {
                **config,
                "domains": ["shared-a.test", "healthy.test"],
                "schedule": SCHEDULE,
                "storage": {"postgresql": self.database_of(name)},
                "agent": {"name": name, "vantage": f"at-{name}"},
                "smtp": {**config.get("smtp", {}), "helo": self.helo[name]},
                "fleet": {"takeover": "5s", "quorum": self.quorum, "cross_check": "1m"},
                "web": {**config["web"], "port": port},
                "notify": {"webhooks": [{"name": "chat", "url": "http://127.0.0.1:9099/chat"}]},
            }
            with open(f"{self.lab.dir}/{name}.yaml", "w") as file:
                yaml.safe_dump(mine, file)
        self.addCleanup(lambda: [self.end(name, signal.SIGKILL) for name in list(self.agents)])
        self.start("one")
        until("both domains were looked at", 60, lambda: self.get("one", "/api/v1/status")["counts"]["ok"] == 2)
        self.start("two")

    def start(self, name):
        log = open(f"{self.lab.dir}/{name}.log", "a")
        self.addCleanup(log.close)
        self.agents[name] = subprocess.Popen(
            [LAB, "exec", "--dir", self.lab.dir, *self.wrong_clock(name)]
            + [DANELAW, "run", "--config", f"{self.lab.dir}/{name}.yaml"],
            stdout=log,
            stderr=log,
        )
        try:
            until(f"{name} is ready", 90, lambda: self.ask(name, "/-/ready")[0] == 200)
        except AssertionError as late:
            raise AssertionError(f"{late}: {self.ask(name, '/-/ready')}: {self.log(name)[-2000:]}") from None

    def wrong_clock(self, name):
        if name not in self.clocks:
            return []
        return ["env", "FAKETIME_DONT_FAKE_MONOTONIC=1", f"FAKETIME={self.clocks[name]}", f"LD_PRELOAD={FAKETIME}"]

    def pid(self, name):
        found = subprocess.run(
            ["pgrep", "-n", "-f", f"^{DANELAW} run --config {self.lab.dir}/{name}.yaml"], text=True, capture_output=True
        ).stdout.split()
        return int(found[0]) if found else None  # none: it has ended

    def end(self, name, number):
        process = self.pid(name)
        if process is not None:
            os.kill(process, number)
        code = self.agents.pop(name).wait(30)
        return code

    def log(self, name):
        with open(f"{self.lab.dir}/{name}.log") as file:
            return file.read()

    def ask(self, name, path, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports[name]}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Accept": "application/json", **({} if body is None else {"Content-Type": "application/json"})},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def get(self, name, path):
        status, text = self.ask(name, path)
        self.assertEqual(status, 200, text)
        return json.loads(text)

    def leads(self, name):
        return "danelaw_agent_leads 1" in self.ask(name, "/metrics")[1]

    def firing(self, name):
        return self.get(name, "/api/v1/alerts?state=firing")["items"]

    def told(self, code, event):
        return [
            one["json"]
            for one in sink.received(self.sink, "/chat")
            if one["json"]["alert"]["code"] == code and one["json"]["event"] == event
        ]

    def mismatch(self, name):
        self.lab.lab("swap", HOST)
        (alert,) = until("the mismatch is told", 60, lambda: self.firing(name))
        until("people hear of it", 30, lambda: self.told("tlsa-mismatch", "opened"))
        return alert

    def acts_at_two_while_none_leads(self, alert):
        status, text = self.ask("two", f"/api/v1/alerts/{alert['id']}/ack", {"by": "ada", "comment": "at two"})
        self.assertIn(status, (200, 204), text)
        until("two leads", 20, lambda: self.leads("two"))
        (still,) = self.firing("two")
        self.assertEqual((still["id"], still["acknowledged"]["by"]), (alert["id"], "ada"))

    def is_told_once(self, alert):
        self.lab.lab("set", f"_25._tcp.{HOST}", "TLSA", self.lab.lab("tlsa", HOST).strip(), "--flush")
        until("its end is told", 150, lambda: self.told("tlsa-mismatch", "resolved"))
        for event in ("opened", "resolved"):
            self.assertEqual([one["alert"]["id"] for one in self.told("tlsa-mismatch", event)], [alert["id"]], event)

    def places(self, name):
        return {one["vantage"]: one for one in self.get(name, f"/api/v1/mx/{HOST}")["vantages"]}

    def found(self, name, code):
        return [one for one in self.get(name, "/api/v1/findings")["items"] if one["code"] == code]


class TwoAgents(Fleet):
    def test_one_is_asked_and_the_other_answers(self):
        self.assertTrue(self.leads("one"))
        self.assertFalse(self.leads("two"))
        self.assertNotIn("danelaw_domain", self.ask("two", "/metrics")[1], "or Prometheus would alert twice")
        self.assertIn("<title>danelaw", self.ask("two", "/")[1])
        members = {one["name"]: one for one in self.get("two", "/api/v1/agents")["items"]}
        self.assertEqual(
            {name: (one["vantage"], one["is_leader"]) for name, one in members.items()},
            {"one": ("at-one", True), "two": ("at-two", False)},
        )
        until("both looked at the host", 90, lambda: set(self.places("two")) == {"at-one", "at-two"})
        for place in self.places("one").values():
            self.assertEqual(place["verdict"], "authenticated")
            self.assertTrue(all(one["starttls"] and one["spki_sha256"] for one in place["endpoints"]), place)
        until(
            "its looks count", 30, lambda: min(one["looks"] for one in self.get("one", "/api/v1/agents")["items"]) > 0
        )
        told = self.lab.inside(DANELAW, "fleet", "--url", "http://127.0.0.1:9673")
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertRegex(told.stdout, r"one\s[^\n]*leads[^]*two\s[^\n]*follows".replace("[^]", "[\\s\\S]"))

        alert = self.mismatch("two")
        status, text = self.ask("two", f"/api/v1/alerts/{alert['id']}/ack", {"by": "ada", "comment": "at two"})
        self.assertIn(status, (200, 204), text)
        self.assertEqual(self.firing("one")[0]["acknowledged"]["by"], "ada")
        self.assertEqual(self.ask("two", "/api/v1/domains/nobody.test")[0], 404)
        self.assertEqual(self.ask("two", "/api/v1/domains?nonsense=1")[0], 400)
        self.assertEqual(self.ask("two", "/api/v1/events")[0], 503)

        # It ends in good order: the other one goes on at once.
        self.assertEqual(self.end("one", signal.SIGTERM), 0)
        until("two leads", 20, lambda: self.leads("two"))
        (still,) = self.firing("two")
        self.assertEqual((still["id"], still["acknowledged"]["by"]), (alert["id"], "ada"))
        self.start("one")
        self.assertFalse(self.leads("one"))
        self.is_told_once(alert)

    def test_the_leader_is_killed(self):
        alert = self.mismatch("one")
        self.end("one", signal.SIGKILL)
        self.acts_at_two_while_none_leads(alert)
        self.is_told_once(alert)
        looks = self.get("two", "/api/v1/domains/healthy.test")["observed_at"]
        until("it looks", 60, lambda: self.get("two", "/api/v1/domains/healthy.test")["observed_at"] > looks)

    def test_the_leader_sleeps_and_wakes(self):
        alert = self.mismatch("one")
        asleep = self.pid("one")
        os.kill(asleep, signal.SIGSTOP)
        self.addCleanup(lambda: os.path.exists(f"/proc/{asleep}") and os.kill(asleep, signal.SIGCONT))
        self.acts_at_two_while_none_leads(alert)
        os.kill(asleep, signal.SIGCONT)
        self.assertEqual(self.agents.pop("one").wait(30), 2, "it ends, to be started again")
        self.assertIn("leadership-lost", self.log("one"))
        self.start("one")
        self.assertFalse(self.leads("one"))
        self.is_told_once(alert)

    def test_a_namesake_is_none_of_the_fleet(self):
        done = self.lab.inside(DANELAW, "run", "--config", f"{self.lab.dir}/one.yaml")
        self.assertEqual(done.returncode, 2)
        self.assertIn("a name of its own", done.stdout + done.stderr)

    def test_the_database_goes_while_one_stands_by(self):
        self.server.stop("immediate")
        until("two cannot tell who leads", 40, lambda: self.ask("two", "/-/ready")[0] == 503)
        self.server.start()
        until("it can again", 60, lambda: self.ask("two", "/-/ready")[0] == 200)
        self.assertTrue(self.leads("one"))
        self.assertFalse(self.leads("two"))

    def test_a_newer_danelaw_has_come(self):
        """As its first start leaves the database; it is not there in this test."""
        self.server.query("UPDATE schema_version SET version = version + 1", "danelaw")
        self.assertEqual(self.agents.pop("one").wait(30), 2)
        self.assertIn("a newer danelaw", self.log("one"))
        until("two says why it does not lead", 40, lambda: "a newer danelaw" in self.log("two"))
        until("nobody can be asked", 40, lambda: self.ask("two", "/-/ready")[0] == 503)
        self.assertIn("a newer danelaw", self.ask("two", "/api/v1/status")[1])
        self.server.query("UPDATE schema_version SET version = version - 1", "danelaw")
        until("two leads", 40, lambda: self.leads("two"))


class CutOff(Fleet):
    """The one that leads reaches its database no more, and everything else."""

    def database_of(self, name):
        if name != "one":
            return super().database_of(name)
        self.wire = Wire(self.server.dir, ".s.PGSQL.5432")
        self.addCleanup(self.wire.close)
        return f"postgresql://danelaw@/danelaw?host={self.wire.dir}"

    def test_tells_of_itself_only(self):
        until("one knows of two", 20, lambda: len(self.get("one", "/api/v1/agents")["items"]) == 2)
        self.wire.cut()
        until("two leads", 40, lambda: self.leads("two"))
        alert = self.mismatch("two")
        until("one sees it, too", 60, lambda: [a for a in self.firing("one") if a["code"] == "tlsa-mismatch"])
        until(
            "one says that it records nothing",
            90,
            lambda: [told for told in self.told("monitor-fault", "opened") if "storage" in told["alert"]["id"]],
        )
        self.wire.mend()
        self.assertEqual(self.agents.pop("one").wait(60), 2)
        self.start("one")
        self.is_told_once(alert)


class ClocksApart(Fleet):
    clocks = {"two": "+30s"}

    def test_by_half_a_minute(self):
        until("both looked at the host", 90, lambda: len(self.places("one")) == 2)
        alert = self.mismatch("one")
        self.end("one", signal.SIGKILL)
        until("two leads", 20, lambda: self.leads("two"))
        self.assertEqual([one["id"] for one in self.firing("two")], [alert["id"]])
        self.start("one")
        self.end("two", signal.SIGKILL)  # and back in time
        until("one leads", 20, lambda: self.leads("one"))
        self.assertEqual([one["id"] for one in self.firing("one")], [alert["id"]])
        self.start("two")
        self.is_told_once(alert)
        self.assertFalse(self.found("one", "monitor-fault"))


class ManInTheMiddle(Fleet):
    """STARTTLS is missing for one of the two only: it calls itself as the lab's server does not like it."""

    quorum = 2
    helo = {"one": "near.lab.test", "two": "far.lab.test"}

    def test_who_sees_what_is_told_and_is_no_trouble_of_the_host(self):
        until("both looked at the host", 90, lambda: len(self.places("one")) == 2)
        self.lab.lab("mode", HOST, "selective")
        (finding,) = until("places differ", 120, lambda: self.found("one", "selective-starttls"))
        self.assertEqual((finding["severity"], finding["subject"]["name"]), ("high", HOST))
        self.assertEqual(finding["evidence"]["seen-from"], "at-two")
        places = self.places("one")
        self.assertEqual({one["starttls"] for one in places["at-two"]["endpoints"]}, {False})
        self.assertEqual({one["starttls"] for one in places["at-one"]["endpoints"]}, {True})
        (alert,) = until("an alert names it", 60, lambda: self.firing("one"))
        self.assertEqual(alert["code"], "selective-starttls")
        evidence = f"/api/v1/alerts/{alert['id']}/evidence"
        until("what it rests on is on disk", 30, lambda: self.ask("one", evidence)[0] == 200)
        kept = self.get("one", evidence)
        self.assertEqual({one["vantage"] for one in kept["observations"]}, {"at-one", "at-two"})
        self.assertEqual(self.get("one", "/api/v1/domains/shared-a.test")["verdict"], "authenticated")
        self.assertRegex(
            self.ask("one", "/metrics")[1], rf'danelaw_mx_vantage_deliverable{{mx="{HOST}",vantage="at-two"}} 0'
        )

        # What both see is the host's.
        self.lab.lab("mode", HOST, "nostarttls")
        until("both see it", 120, lambda: [one for one in self.firing("one") if one["code"] == "starttls-missing"])
        self.lab.lab("mode", HOST, "normal")
        until("all is well", 150, lambda: not self.firing("one"))

    def test_one_that_looks_goes_with_tasks_in_hand(self):
        until("both looked at the host", 90, lambda: len(self.places("one")) == 2)
        self.end("two", signal.SIGKILL)
        self.lab.lab("swap", HOST)
        until("one is enough where there is but one", 200, lambda: self.firing("one"))


if __name__ == "__main__":
    unittest.main()
