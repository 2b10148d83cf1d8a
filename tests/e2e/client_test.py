#!/usr/bin/python3
"""The commands that talk to a running agent: what they say of a lab, what they do to it, and what they make of servers
that are no agent at all.
"""

import http.server
import json
import os
import pty
import re
import subprocess
import tempfile
import threading
import unittest

import yaml

from living_lab import DANELAW, LivingLab, until

BROKEN = "mismatch.test"  # no record fits its key
SOUND = "healthy.test"
TOKEN = "a-token-of-many-letters"


def run_it(*arguments, url=None, **environment):
    """`danelaw ARGUMENTS` as from a pipe; nothing of this machine's environment says where the agent is."""
    env = {"PATH": os.environ["PATH"], "USER": "alice", **environment}
    if url:
        env["DANELAW_URL"] = url
    return subprocess.run([DANELAW, *arguments], text=True, capture_output=True, env=env, timeout=60)


class Client(unittest.TestCase):
    """Against an agent that watches two domains and wants to know who operates it."""

    @classmethod
    def setUpClass(cls):
        cls.lab = LivingLab()
        cls.addClassCleanup(cls.lab.close)
        cls.url = f"http://127.0.0.1:{cls.lab.port}"
        cls.sink = cls.lab.start_sink()
        with open(f"{cls.lab.dir}/danelaw.yaml") as file:
            web = yaml.safe_load(file).get("web", {})
        notify = {"webhooks": [{"name": "chat", "url": "http://127.0.0.1:9099/chat"}]}
        cls.lab.configure_agent([SOUND, {"name": BROKEN, "group": "shop"}], web=web, notify=notify)
        cls.lab.start_agent()
        until("both were looked at and an alert is open", 60, cls.has_seen_all)

    @classmethod
    def has_seen_all(cls):
        rows = cls.lab.get("/api/v1/domains")["items"]
        return all(row["verdict"] for row in rows) and cls.lab.alerts(code="tlsa-mismatch")

    def ask(self, *arguments, status=0, **environment):
        done = run_it(*arguments, url=self.url, **environment)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def alert(self):
        return self.lab.alerts(code="tlsa-mismatch")[0]["id"]

    def test_status_says_what_was_seen_and_exits_as_check_does(self):
        self.assertIn(f"{SOUND}\tok\tfine\tauthenticated\t", self.ask("status", SOUND))
        told = self.ask("status", status=2)
        rows = [line.split("\t")[:3] for line in told.splitlines()[1:]]
        self.assertEqual(rows, [["NAME", "STATUS", "DELIVERY"], [BROKEN, "critical", "held-up"], [SOUND, "ok", "fine"]])
        self.assertIn("self-checks OK", told)
        self.assertNotIn("\x1b", told)

    def test_status_knows_hosts_and_says_what_it_does_not_know(self):
        host = self.lab.domain(SOUND)["hosts"][0]["host"]
        self.assertIn(f"{host}\tok\tfine", self.ask("status", host))
        self.assertIn("other.test: not watched", self.ask("status", SOUND, "other.test", status=3))
        self.assertIn("only letters", self.ask_badly("status", "no name"))

    def ask_badly(self, *arguments):
        done = run_it(*arguments, url=self.url)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def test_status_in_json_and_for_nagios(self):
        told = json.loads(self.ask("status", "--format", "json", status=2))
        self.assertEqual(told["schema"], "danelaw.status/1")
        self.assertEqual((told["status"], told["blind"]), ("critical", None))
        self.assertEqual({row["domain"]: row["status"] for row in told["items"]}, {BROKEN: "critical", SOUND: "ok"})
        line = self.ask("status", "--format", "nagios", status=2)
        # As the plug-in guidelines have it: one line, then 'label'=value[unit] after a bar.
        words, bar, performance = line.partition(" | ")
        self.assertEqual((words[:15], bar, line.count("\n"), line.count("|")), ("DANE CRITICAL: ", " | ", 1, 1))
        for part in performance.split():
            self.assertRegex(part, r"^[a-z_]+=\d+s?$")
        self.assertIn("domains=2 ok=1 warning=0 critical=1 unknown=0 held_up=1", performance)

    def test_on_a_terminal_there_are_columns_and_colours(self):
        primary, secondary = pty.openpty()
        env = {"PATH": os.environ["PATH"], "TERM": "xterm", "DANELAW_URL": self.url}
        for more, is_coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
            subprocess.run([DANELAW, "status"], stdout=secondary, env={**env, **more}, timeout=60)
            told = os.read(primary, 65536).decode()
            self.assertEqual("\x1b[31mcritical\x1b[0m" in told, is_coloured, told)
            self.assertNotIn("\t", told)
            self.assertRegex(told, r"NAME +STATUS +DELIVERY")
        os.close(primary)
        os.close(secondary)

    def test_an_alert_is_acknowledged_and_that_is_taken_back(self):
        alert = self.alert()
        self.assertIn(f"{alert}\tfiring\tcritical\t", self.ask("alerts"))
        self.ask("ack", alert, "--comment", "on it", "--until", "2h")
        told = json.loads(self.ask("alerts", "--format", "json"))["items"]
        acknowledged = next(one for one in told if one["id"] == alert)["acknowledged"]
        self.assertEqual((acknowledged["by"], acknowledged["comment"]), ("alice", "on it"))
        self.assertIsNotNone(acknowledged["until"])
        self.assertIn("\tacknowledged by alice\t", self.ask("alerts"))
        self.ask("unack", alert)
        self.assertNotIn("acknowledged by", self.ask("alerts", "--all"))
        done = run_it("ack", "no/such?alert", url=self.url)
        self.assertEqual(done.returncode, 1)
        self.assertIn("not found", done.stderr)
        self.assertIn("--until soon: write a time", self.ask_badly("ack", alert, "--until", "soon"))

    def test_a_silence_is_made_listed_and_ended(self):
        key = "ab" * 32
        made = json.loads(
            self.ask(
                *("silence", f"domain={BROKEN}", "code!~tlsa-malformed|no-dane", "--for", "2h"),
                *("--comment", "new key", "--expected-key", key, "--format", "json"),
            )
        )
        self.assertEqual((made["created_by"], made["expected_key"]), ("alice", key))
        name, vantage, role, _, looks, _ = self.ask("fleet").splitlines()[1].split("\t")
        self.assertEqual((vantage, role), (name, "leads"))
        self.assertGreater(int(looks), 0)
        listed = self.ask("silences")
        self.assertIn(f"{made['id']}\tactive\t", listed)
        self.assertIn(f"\tdomain={BROKEN} code!~tlsa-malformed|no-dane\tnew key", listed)
        self.ask("unsilence", made["id"])
        until("it has ended", 10, lambda: f"{made['id']}\tended\t" in self.ask("silences"))
        self.assertIn("name=value", self.ask_badly("silence", "domain", "--for", "2h", "--comment", "x"))
        self.assertIn("--for 2:", self.ask_badly("silence", "domain=x", "--for", "2", "--comment", "x"))
        done = run_it("silence", "domain=~(", "--for", "2h", "--comment", "x", url=self.url)
        self.assertEqual(done.returncode, 1, "the agent does not take the pattern")
        self.assertIn("cannot be read", done.stderr)

    def test_a_domain_is_checked_again(self):
        before = self.lab.domain(SOUND)["observed_at"]
        self.assertIn("as soon as possible", self.ask("recheck", SOUND.upper()))
        until("it was looked at again", 60, lambda: self.lab.domain(SOUND)["observed_at"] > before)
        self.assertEqual(run_it("recheck", "other.test", url=self.url).returncode, 1)

    def test_a_notifier_is_tested(self):
        self.assertEqual(self.ask("notify-test", "chat"), "chat: delivered\n")
        self.assertEqual(json.loads(self.ask("notify-test", "--format", "json"))["items"][0]["ok"], True)
        self.assertEqual(run_it("notify-test", "pager", url=self.url).returncode, 1)


class Rights(unittest.TestCase):
    """An agent that wants logins: it watches nothing that answers, which does not matter here."""

    def setUp(self):
        self.dir = tempfile.TemporaryDirectory(prefix="danelaw-e2e-")
        self.addCleanup(self.dir.cleanup)
        self.port = 26000 + os.getpid() % 3000
        self.url = f"http://127.0.0.1:{self.port}"
        for name, token in (("operate", TOKEN), ("read", TOKEN + "-that-reads")):
            self.write(name, token)
        config = self.write(
            "danelaw.yaml",
            "domains: [a.test]\nstorage: {path: %s/danelaw.db}\ndns: {resolvers: [127.0.0.1@9]}\n"
            "web: {port: %d, tokens: [{name: o, file: operate, role: operate}, {name: r, file: read}]}\n"
            % (self.dir.name, self.port),
        )
        log = open(f"{self.dir.name}/log", "w")
        self.addCleanup(log.close)
        agent = subprocess.Popen([DANELAW, "run", "--config", config], stdout=log, stderr=log)
        self.addCleanup(agent.wait)
        self.addCleanup(agent.terminate)
        until(
            "it answers",
            30,
            lambda: run_it("alerts", url=self.url, DANELAW_TOKEN_FILE=self.path("read")).returncode == 0,
        )

    def path(self, name):
        return os.path.join(self.dir.name, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def test_who_asks_decides(self):
        without = run_it("status", url=self.url)
        self.assertEqual(without.returncode, 3)
        self.assertIn("--token-file", without.stderr)
        self.assertEqual(run_it("recheck", "a.test", "--token-file", self.path("operate"), url=self.url).returncode, 0)
        refused = run_it("recheck", "a.test", "--token-file", self.path("read"), url=self.url)
        self.assertEqual(refused.returncode, 1, refused.stderr)
        missing = run_it("status", "--token-file", self.path("missing"), url=self.url)
        self.assertEqual(missing.returncode, 3)
        self.assertIn("missing", missing.stderr)
        # An agent that could not look yet knows nothing: that is not well.
        unseen = run_it("status", "--format", "nagios", "--token-file", self.path("read"), url=self.url)
        self.assertEqual(unseen.returncode, 3, unseen.stdout)
        self.assertTrue(unseen.stdout.startswith("DANE UNKNOWN: "), unseen.stdout)
        for done in (without, refused, missing, unseen):
            self.assertNotIn(TOKEN, done.stdout + done.stderr)


class Strangers(unittest.TestCase):
    """Servers that mean no good."""

    def serve(self, answer):
        """answer(path) -> (status, body, content type) or a body."""

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                told = answer(self.path)
                status, body = told if isinstance(told, tuple) else (200, told)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                if status == 302:
                    self.send_header("Location", "http://127.0.0.1:9/")
                self.end_headers()
                try:
                    for part in [body] if isinstance(body, bytes) else body:
                        self.wfile.write(part)
                except OSError:
                    pass  # it had enough

            do_POST = do_DELETE = do_GET

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}"

    def fails(self, answer, *command, status=3):
        done = run_it(*command, url=self.serve(answer))
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertTrue(done.stderr.startswith(f"danelaw {command[0]}: "), done.stderr)
        self.assertFalse(re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.stdout + done.stderr))
        self.assertLess(len(done.stderr), 2000)
        return done

    def test_none_is_there(self):
        done = run_it("status", "--format", "nagios", url="http://127.0.0.1:9")
        self.assertEqual(done.returncode, 3)
        self.assertTrue(done.stdout.startswith("DANE UNKNOWN: http://127.0.0.1:9: "), done.stdout)
        self.assertIn("is the agent running", done.stderr)
        self.assertEqual(run_it("alerts", "--url", "ftp://x.test").returncode, 3)

    def test_flags_win_over_the_environment(self):
        with tempfile.NamedTemporaryFile("w") as token:
            token.write(TOKEN)
            token.flush()
            flags = ["--url", "http://127.0.0.1:1", "--token-file", token.name]
            for command in (
                *(["status"], ["alerts"], ["silences"], ["fleet"], ["lists"], ["notify-test"]),
                *(["ack", "x"], ["unack", "x"], ["unsilence", "x"], ["recheck", "a.test"], ["accept-list", "x"]),
                ["silence", "code=x", "--for", "2h", "--comment", "x"],
            ):
                with self.subTest(command[0]):
                    done = run_it(*command, *flags, url="http://127.0.0.1:9", DANELAW_TOKEN_FILE="/no/such/file")
                    self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
                    self.assertIn("http://127.0.0.1:1: ", done.stderr)

    def test_replies_without_end_or_sense(self):
        def endless(_):
            return (b"[" + b" " * 65536 for _ in range(4096))

        self.assertIn("longer", self.fails(endless, "alerts").stderr)
        for body in (b"", b"no", b"[]", b"{}", b'{"items": {}}', b'{"items": [\xff]}', b"[" * 100000, b'{"a":' * 5000):
            with self.subTest(body[:20]):
                self.fails(lambda _, body=body: body, "alerts")

    def test_lists_without_end(self):
        self.assertIn("does not end", self.fails(lambda _: b'{"items": [], "next": "again"}', "alerts").stderr)

    def test_redirects_are_not_followed_and_problems_are_told(self):
        self.fails(lambda _: (302, b""), "alerts")
        problem = json.dumps({"title": "no\x1b[31m", "detail": "x" * 5000, "status": 404}).encode()
        done = self.fails(lambda _: (404, problem), "unack", "x", status=1)
        self.assertIn("no\\x1b[31m: xxx", done.stderr)
        self.assertIn("status 500", self.fails(lambda _: (500, b"<html>"), "alerts").stderr)

    def test_what_they_say_moves_no_cursor(self):
        nasty = "\x1b]0;x\x07\x1b[2J\r\n\u202e"
        alert = {"id": nasty, "state": nasty, "severity": [nasty], "title": nasty, "domains_count": -5}
        page = json.dumps({"items": [alert, 7, None], "next": None}).encode()
        done = run_it("alerts", url=self.serve(lambda _: page))
        self.assertEqual(done.returncode, 0)
        self.assertFalse(re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e]", done.stdout), done.stdout)
        self.assertEqual(len(done.stdout.splitlines()), 4)
        as_json = run_it("alerts", "--format", "json", url=self.serve(lambda _: page))
        self.assertFalse(re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e]", as_json.stdout), as_json.stdout)
        self.assertEqual(json.loads(as_json.stdout)["items"][0]["id"], nasty)

    def test_another_server_is_not_well(self):
        self.assertEqual(run_it("status", url=self.serve(lambda _: b'{"items": [], "next": null}')).returncode, 3)


if __name__ == "__main__":
    unittest.main()
