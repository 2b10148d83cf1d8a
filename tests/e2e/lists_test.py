#!/usr/bin/python3
"""Domains from elsewhere: a scripted web server and a real Knot with a catalog zone, and an agent that follows both."""

import json
import os
import signal
import subprocess
import sys
import unittest

from living_lab import DANELAW, ROOT, LivingLab, until

PORT, DNS_PORT = 14080, 14053
SECRET = "bm90IGEgc2VjcmV0IGF0IGFsbCwganVzdCBhIHRlc3Q="


class Lists(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = LivingLab()
        cls.addClassCleanup(cls.lab.close)
        cls.names = sorted(cls.lab.expected)[:7]
        cls.state = f"{cls.lab.dir}/inventory.json"

    def tearDown(self):
        if self.lab.agent:
            self.lab.stop_agent(signal.SIGKILL)

    def configure(self, database, *lists):
        self.lab.configure_agent(
            self.names[:1],
            domain_lists=list(lists),
            schedule={"interval": "1m", "confirm_after": "2s", "retry_after": "2s", "fastest": "5s"},
            storage={"path": f"{self.lab.dir}/{database}.db"},
        )

    def watched(self):
        return {one["domain"]: one for one in self.lab.get("/api/v1/domains?limit=500")["items"]}

    def list(self):
        return self.lab.get("/api/v1/status")["domain_lists"][0]

    def check(self):
        found = [one for one in self.lab.get("/api/v1/status")["vantage"] if one["check"].startswith("domain_list:")]
        return found[0] if found else None

    def client(self, *words):
        return subprocess.run(
            [DANELAW, *words, "--url", f"http://127.0.0.1:{self.lab.port}"], text=True, capture_output=True
        )

    # ---- a URL

    def say(self, names, status=200):
        """From now on the inventory names these."""
        body = json.dumps([{"targets": names, "labels": {"group": "ours", "role": "inbound"}}])
        with open(f"{self.state}.new", "w") as file:
            json.dump({"status": status, "body": body if status == 200 else "<html>"}, file)
        os.rename(f"{self.state}.new", self.state)

    def start_inventory(self):
        server = os.path.join(ROOT, "tests/e2e/list_server.py")
        guest = self.lab.start_inside("inventory", sys.executable, server, self.state, str(PORT))
        until("the inventory answers", 20, lambda: self.lab.answers(f"http://127.0.0.1:{PORT}/"))
        return guest

    def test_1_an_inventory_is_followed(self):
        own, *others = self.names
        with open(f"{self.lab.dir}/inventory.token", "w") as file:
            file.write("a-token\n")
        source = {"url": f"http://127.0.0.1:{PORT}/targets?kind=mail", "name": "inventory", "refresh": "10s"}
        self.configure("inventory", {**source, "token_file": "inventory.token"})
        self.say(others[:5])
        self.start_inventory()
        self.lab.start_agent()
        until("the list is watched", 30, lambda: len(self.watched()) == 6)
        found = self.watched()
        self.assertEqual({found[name]["group"] for name in others[:5]}, {"ours"})
        self.assertEqual(found[others[0]]["role"], "inbound")
        self.assertEqual(self.list()["source"], f"http://127.0.0.1:{PORT}/targets")
        self.assertTrue(self.check()["up"])
        with open(f"{self.state}.log") as file:
            asked = [json.loads(line) for line in file]
        self.assertIn({"path": "/targets?kind=mail", "token": "Bearer a-token"}, asked)
        self.assertIn('danelaw_domain_list_domains{list="inventory"} 5', self.lab.text("/metrics"))

        self.say(others)
        until("a new name is watched", 30, lambda: len(self.watched()) == 7)
        self.say(others[1:])
        until("a name is missing", 30, lambda: self.list()["missing"] == 1)
        self.assertEqual(len(self.watched()), 7, "for a day")
        self.assertIsNone(self.list()["refused"])

        # A restart of the source, and of the agent while it is away.
        self.say([], status=503)
        until("it fails", 30, lambda: self.list()["fault"])
        self.assertEqual(self.list()["fault"], "the server answers with status 503")
        self.lab.stop_agent(signal.SIGKILL)
        self.lab.start_agent()
        self.assertEqual(len(self.watched()), 7, "from the first moment")
        until("it is told", 60, lambda: self.check() and not self.check()["up"])
        self.assertIn("status 503", self.check()["detail"])
        self.say(others[1:])
        until("it is well again", 30, lambda: self.check()["up"])

    def test_2_what_loses_much_waits_for_somebody(self):
        own, *others = self.names
        self.configure("inventory", {"url": f"http://127.0.0.1:{PORT}/", "name": "inventory", "refresh": "10s"})
        self.lab.start_agent()
        until("the list was read", 30, lambda: self.list()["domains"] == 5)
        self.say(others[1:3])
        until("it is refused", 30, lambda: self.list()["refused"])
        self.assertEqual((self.list()["refused"]["lost"], self.list()["refused"]["of"]), (3, 5))
        self.assertEqual(len(self.watched()), 7)
        (alert,) = until("people are told", 60, lambda: self.lab.alerts(code="monitor-fault"))
        self.assertEqual(alert["subject"]["name"], "domain_list:inventory")
        self.assertIn("danelaw accept-list inventory", json.dumps(alert))
        self.assertIsNone(self.lab.get("/api/v1/status")["blind"])
        lists = self.client("lists")
        self.assertIn("lost 3 of 5 names", lists.stdout)

        self.assertEqual(self.client("accept-list", "nothing").returncode, 1)
        done = self.client("accept-list", "inventory", "--by", "somebody")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        until("it is gone by", 30, lambda: self.list()["missing"] == 4)
        self.assertEqual(self.list()["domains"], 2)
        self.assertEqual(len(self.watched()), 7, "for a day")
        self.assertEqual(self.client("accept-list", "inventory").returncode, 1)
        acts = self.lab.get("/api/v1/acts?act=accept-list")["items"]
        self.assertEqual([(one["by"], one["fault"] is None) for one in acts[1:2]], [("somebody", True)])
        until("it is over", 60, lambda: not self.lab.alerts(code="monitor-fault"))

        # A day later.
        self.lab.stop_agent(signal.SIGTERM)
        self.lab.start_agent(clock="+25h")
        until("they are let go of", 30, lambda: set(self.watched()) == {own, *others[1:3]})

    # ---- a catalog zone

    def start_knot(self, zones):
        """A Knot of its own with a catalog of these zones: name -> group."""
        home = f"{self.lab.dir}/catalog"
        os.makedirs(home, exist_ok=True)
        lines = [
            "server:",
            f"  rundir: {home}",
            f"  listen: 127.0.0.1@{DNS_PORT}",
            "  user: root",
            "key:",
            "  - id: transfer.key",
            "    algorithm: hmac-sha256",
            f"    secret: {SECRET}",
            "acl:",
            "  - id: transfer",
            "    key: transfer.key",
            "    action: transfer",
            "log:",
            "  - target: stderr",
            "    any: info",
            "control:",
            f"  listen: {home}/knot.sock",
            "database:",
            f"  storage: {home}",
            "template:",
            "  - id: default",
            f"    storage: {home}",
            "    semantic-checks: off",
            "    zonefile-sync: -1",
            "    journal-content: none",
            "    zonefile-load: whole",
            "zone:",
            "  - domain: catalog.lab.",
            "    acl: transfer",
            "    catalog-role: generate",
            "    journal-content: changes",
            "    zonefile-load: none",
        ]
        for name, group in zones.items():
            lines += [
                f"  - domain: {name}.",
                "    file: member.zone",
                "    catalog-role: member",
                "    catalog-zone: catalog.lab.",
                *([f"    catalog-group: {group}"] if group else []),
            ]
        with open(f"{home}/member.zone", "w") as file:
            file.write("@ 60 SOA ns.invalid. nobody.invalid. 1 3600 600 86400 60\n@ 60 NS ns.invalid.\n")
        with open(f"{home}/knot.conf", "w") as file:
            file.write("\n".join(lines) + "\n")
        return home

    def knotc(self, home, *words):
        return self.lab.inside("knotc", "-c", f"{home}/knot.conf", *words)

    def test_3_a_catalog_zone_is_followed(self):
        own, *others = self.names
        home = self.start_knot({others[0]: "ours", others[1]: None, "2.0.192.in-addr.arpa": None})
        self.lab.start_inside("knot-catalog", "knotd", "-c", f"{home}/knot.conf")
        until("Knot is there", 20, lambda: self.knotc(home, "status").returncode == 0)
        with open(f"{self.lab.dir}/transfer.key", "w") as file:
            file.write(f"transfer.key:{SECRET}\n")
        catalog = {"catalog_zone": "catalog.lab", "primary": f"127.0.0.1@{DNS_PORT}", "refresh": "10s"}
        self.configure("catalog", {**catalog, "tsig_key_file": "transfer.key", "group": "rest"})
        self.lab.start_agent()
        until("the catalog is watched", 30, lambda: len(self.watched()) == 3)
        found = self.watched()
        self.assertEqual((found[others[0]]["group"], found[others[1]]["group"]), ("ours", "rest"))
        self.assertEqual(found[others[0]]["role"], "outbound")
        self.assertEqual(self.list()["name"], "catalog.lab")

        self.start_knot({others[0]: "ours", others[1]: None, others[2]: None})
        self.assertEqual(self.knotc(home, "reload").returncode, 0)
        until("a member joins", 40, lambda: len(self.watched()) == 4)

        # Without the key Knot gives nothing, and what it named stays.
        self.configure("catalog", catalog)
        os.kill(self.lab.agent_pid(), signal.SIGHUP)
        until("it is refused", 30, lambda: self.list()["fault"])
        self.assertRegex(self.list()["fault"], "^the server answers with (NOTAUTH|REFUSED)$")
        self.assertEqual(len(self.watched()), 4)
        # With another key neither.
        with open(f"{self.lab.dir}/transfer.key", "w") as file:
            file.write("transfer.key:AAAA\n")
        self.configure("catalog", {**catalog, "tsig_key_file": "transfer.key"})
        os.kill(self.lab.agent_pid(), signal.SIGHUP)
        until("the key is refused", 30, lambda: "BADSIG" in (self.list()["fault"] or ""))

    # ---- what is wrong from the start

    def test_4_a_source_that_was_never_there_stops_nobody(self):
        self.configure("nothing", {"url": "http://127.0.0.1:1/", "name": "nobody", "token_file": "missing.token"})
        config = f"{self.lab.dir}/danelaw.yaml"
        checked = subprocess.run([DANELAW, "check-config", config], text=True, capture_output=True)
        self.assertEqual(checked.returncode, 1)
        self.assertIn("missing.token", checked.stderr)
        self.configure("nothing", {"url": "http://127.0.0.1:1/", "name": "nobody"})
        checked = self.lab.inside(DANELAW, "check-config", config)
        self.assertIn("the list nobody is from elsewhere, and was not read", checked.stdout)
        self.lab.start_agent()
        self.assertEqual(set(self.watched()), {self.names[0]})
        (alert,) = until("people are told", 60, lambda: self.lab.alerts(code="monitor-fault"))
        self.assertIn("nothing of it is watched", json.dumps(alert))
        # Nor a reload; and once nobody asks for the list any more, it is over.
        with open(f"{self.lab.dir}/none.txt", "w"):
            pass
        self.configure("nothing", {"file": "none.txt"})
        os.kill(self.lab.agent_pid(), signal.SIGHUP)
        until("it is over", 60, lambda: not self.lab.alerts(code="monitor-fault"))
        until("its check is gone", 20, lambda: self.check() is None)


if __name__ == "__main__":
    unittest.main()
