#!/usr/bin/python3
"""Logins for some groups, on the real lab: two owners at one provider, whose rollover comes too late."""

import json
import socket
import unittest
import urllib.error
import urllib.request

from living_lab import LivingLab, until

DOMAINS = [
    {"name": "shared-a.test", "group": "shop"},
    {"name": "shared-b.test", "group": "club"},
    {"name": "mismatch.test", "group": "club"},
]
SECRET = "-0123456789abcdef"
# Of the other owner: in no reply of a login of the shop.
THEIRS = ("shared-b.test", "mismatch.test", "club")


class Groups(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = LivingLab()
        cls.addClassCleanup(cls.lab.close)
        tokens = []
        for name, groups in (("all", None), ("shop", ["shop"]), ("club", ["club"])):
            cls.write(name, name + SECRET)
            token = {"name": name, "file": f"{cls.lab.dir}/{name}", "role": "operate"}
            tokens.append({**token, "groups": groups} if groups else token)
        cls.write("feed", "feed" + SECRET)
        tokens.append({"name": "feed", "file": f"{cls.lab.dir}/feed", "groups": ["shop"]})
        cls.write("more.txt", "")
        cls.lab.configure_agent(
            DOMAINS,
            domain_lists=[{"file": f"{cls.lab.dir}/more.txt", "group": "club", "appendable": True}],
            web={"tokens": tokens, "listen_address": "127.0.0.1"},
        )
        cls.lab.start_agent()
        until("every domain has been looked at", 60, cls.are_all_seen)
        cls.lab.lab("story", "late-rollover", "--step", "1")
        until("the mismatch at the provider fires", 90, cls.shared_alert)

    @classmethod
    def write(cls, name, text):
        with open(f"{cls.lab.dir}/{name}", "w") as file:
            file.write(text)

    @classmethod
    def ask(cls, who, path, body=None, method=None):
        """Status and text."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{cls.lab.port}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {who}{SECRET}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    @classmethod
    def get(cls, who, path):
        status, text = cls.ask(who, path)
        assert status == 200, (status, text)
        return json.loads(text)

    @classmethod
    def are_all_seen(cls):
        items = cls.get("all", "/api/v1/domains")["items"]
        return len(items) == len(DOMAINS) and all(item["verdict"] for item in items)

    @classmethod
    def shared_alert(cls, who="all"):
        items = cls.get(who, "/api/v1/alerts?state=firing&code=tlsa-mismatch")["items"]
        return next((one for one in items if one["subject"]["name"] == "mx.provider.test"), None)

    def test_each_owner_sees_theirs(self):
        self.assertEqual([one["domain"] for one in self.get("shop", "/api/v1/domains")["items"]], ["shared-a.test"])
        self.assertEqual(self.get("club", "/api/v1/domains")["total"], 2)
        self.assertEqual(self.get("all", "/api/v1/domains")["total"], 3)
        host = self.get("shop", "/api/v1/mx/mx.provider.test")
        self.assertEqual(host["domains"], ["shared-a.test"])
        mine, all_of_it = self.shared_alert("shop"), self.shared_alert()
        self.assertEqual(mine["id"], all_of_it["id"])
        self.assertEqual(mine["domains"], ["shared-a.test"])
        self.assertLessEqual({"shared-a.test", "shared-b.test"}, set(all_of_it["domains"]))
        for path in (
            *("/api/v1/status", "/api/v1/mx", "/api/v1/alerts", "/api/v1/findings", "/api/v1/findings?group_by=cause"),
            *("/api/v1/groups", "/api/v1/history", "/api/v1/deadlines", "/api/v1/days"),
            *("/api/v1/report?from=2020-01-01T00:00:00Z&until=2020-02-01T00:00:00Z", "/api/v1/silences"),
            *("/api/v1/domains/shared-a.test", "/api/v1/domains/shared-a.test/history"),
            *("/api/v1/mx/mx.provider.test", "/api/v1/mx/mx.provider.test/timeline"),
            *(f"/api/v1/alerts/{mine['id']}{more}" for more in ("", "/evidence", "/explanation")),
            *("/feeds/alerts.atom", "/feeds/changes.atom", "/feeds/deadlines.ics", "/api/v1/domains?format=csv"),
        ):
            status, text = self.ask("shop", path)
            self.assertEqual(status, 200, path)
            for name in THEIRS:
                self.assertNotIn(name, text, path)
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.lab.port}/feeds/alerts.atom?token=feed{SECRET}", timeout=10
        ) as reply:
            self.assertNotIn("mismatch.test", reply.read().decode())

    def test_each_owner_operates_theirs(self):
        shared = f"/api/v1/alerts/{self.shared_alert()['id']}/ack"
        self.assertEqual(self.ask("shop", shared, {})[0], 403)
        self.assertEqual(self.ask("shop", "/api/v1/domains/shared-a.test/check", {})[0], 202)
        self.assertEqual(self.ask("shop", "/api/v1/domains/shared-b.test/check", {})[0], 404)
        self.assertEqual(self.ask("shop", "/metrics")[0], 403)
        self.assertEqual(self.ask("shop", "/-/reload", {})[0], 403)
        self.assertEqual(self.ask("all", "/metrics")[0], 200)
        wanted = {
            "matchers": [{"name": "mx", "value": "mx.provider.test"}],
            "ends_at": "2100-01-01T00:00:00Z",
            "comment": "the provider knows",
        }
        status, text = self.ask("shop", "/api/v1/silences", wanted)
        self.assertEqual(status, 201, text)
        made = json.loads(text)
        self.assertIn({"name": "group", "value": "shop", "is_regex": False, "is_equal": True}, made["matchers"])
        until("it is silent for the shop", 10, lambda: self.shared_alert("shop")["silenced"])
        self.assertFalse(self.shared_alert("club")["silenced"])
        self.assertEqual(self.ask("club", f"/api/v1/silences/{made['id']}", method="DELETE")[0], 404)
        self.assertEqual(self.ask("shop", f"/api/v1/silences/{made['id']}", method="DELETE")[0], 204)

    def test_only_a_list_of_theirs_is_added_to(self):
        wish = {"domain": "healthy.test"}
        self.assertEqual(self.ask("shop", "/api/v1/domains", wish)[0], 409)
        self.assertEqual(self.ask("club", "/api/v1/domains", wish)[0], 201)
        self.addCleanup(self.forget_more)
        until("the club has it", 20, lambda: self.ask("club", "/api/v1/domains/healthy.test")[0] == 200)
        self.assertEqual(self.ask("shop", "/api/v1/domains/healthy.test")[0], 404)

    def forget_more(self):
        self.write("more.txt", "")
        self.assertEqual(self.ask("all", "/-/reload", {})[0], 200)

    def test_a_stream_tells_of_theirs(self):
        with socket.create_connection(("127.0.0.1", self.lab.port), timeout=30) as stream:
            stream.sendall(
                f"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer shop{SECRET}\r\n\r\n".encode()
            )
            said = b""
            while b"retry:" not in said:
                said += stream.recv(65536)
            for who, domain in (("club", "shared-b.test"), ("shop", "shared-a.test")):
                self.assertEqual(self.ask(who, f"/api/v1/domains/{domain}/check", {})[0], 202)
            while b'{"name":"shared-a.test"}' not in said:
                said += stream.recv(65536)
            self.assertNotIn(b"shared-b.test", said)


if __name__ == "__main__":
    unittest.main()
