#!/usr/bin/python3
"""A real Postfix sends mail out while danelaw reads its log and answers its policy lookups: mail waits, a person
approves an exception, mail goes, the partner is repaired, the exception is gone, mail goes authenticated. Meanwhile
senders report the same; API, metrics and alerts tell one story.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import time
import unittest
import urllib.error
import urllib.request
import uuid

from living_lab import DANELAW, ROOT, LivingLab, until
from sender_reports import mail, pipe, report
from sending_postfix import SendingPostfix

SCHEDULE = {"interval": "20s", "fastest": "2s", "confirm_after": "2s", "retry_after": "2s", "workers": 8}
DOMAINS = [{"name": name, "role": "outbound"} for name in ("healthy.test", "mismatch.test", "stripped.test")]


class OwnPostfix(unittest.TestCase):
    def setUp(self):
        self.lab = LivingLab()
        self.addCleanup(self.lab.close)
        self.socket = f"{self.lab.dir}/policy"
        with open(f"{self.lab.dir}/partners.txt", "w") as file:
            file.write("# partners\n")
        self.lab.configure_agent(
            DOMAINS,
            schedule=SCHEDULE,
            domain_lists=[{"file": f"{self.lab.dir}/partners.txt", "appendable": True}],
            postfix={"log": f"{self.lab.dir}/out/mail.log", "policy_socket": self.socket},
        )

    def start_postfix(self):
        """By way of the relay, which Postfix itself starts: as a user who may not read root's folders."""
        program = f"{self.lab.dir}/danelaw"
        shutil.copy(DANELAW, program)
        os.chmod(program, 0o755)
        return SendingPostfix(
            self.lab,
            "smtp_tls_policy_maps = socketmap:unix:private/danelaw:danelaw\n",
            f"danelaw unix - n n - 0 spawn user=nobody argv={program} policy --socket {self.socket}\n",
        )

    def post(self, path, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.lab.port}{path}",
            data=json.dumps(body or {}).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.status

    def deliveries(self, domain):
        try:
            return self.lab.get(f"/api/v1/domains/{domain}/deliveries")
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return {"last_sent": {}, "waiting": 0, "deferred_since": None, "setback": None, "messages_a_month": 0}

    def verdict(self, domain):
        return self.lab.domain(domain)["verdict"]

    def exceptions(self):
        return self.lab.get("/api/v1/exceptions")["items"]

    def hand_in_reports(self):
        """About the same hours: one by POST, one by mail, each given twice and taken once."""
        google = report("Google", "mismatch.test", "mx.mismatch.test", 1000)
        self.assertEqual([self.lab.post_report(google, packed=True)[1]["is_new"] for _ in range(2)], [True, False])
        microsoft = report("Microsoft", "mismatch.test", "mx.mismatch.test", 204)
        for domain, well, failed in (("stripped.test", 0, 30), ("healthy.test", 500, 0)):
            more = report("", domain, f"mx.{domain}", failed, "starttls-not-supported")["policies"][0]
            more["summary"]["total-successful-session-count"] = well
            if failed == 0:
                more["failure-details"] = []
            microsoft["policies"].append(more)
        done = [pipe(self.lab, mail(microsoft)) for _ in range(2)]
        self.assertEqual([one.returncode for one in done], [0, 0], done)
        self.assertIn("3 policies", done[0].stdout)
        self.assertIn("taken before", done[1].stdout)

    def reported(self, host):
        """(organization, sessions, agrees) of what failed there, and how many sessions did not."""
        items = self.lab.get(f"/api/v1/mx/{host}/senders")["items"]
        failed = {(one["organization"], one["sessions"], one["agrees"]) for one in items if one["result_type"]}
        return failed, sum(one["sessions"] for one in items if not one["result_type"])

    def compare_stories(self):
        """What our log, senders and danelaw say of the three hosts, wherever it is told."""
        failed, well = self.reported("mx.mismatch.test")
        self.assertEqual((failed, well), ({("Google", 1000, "yes"), ("Microsoft", 204, "yes")}, 0))
        self.assertEqual(self.reported("mx.stripped.test"), ({("Microsoft", 30, "yes")}, 0))
        self.assertEqual(self.reported("mx.healthy.test"), (set(), 500))
        for code, host, words, sessions in (
            ("tlsa-mismatch", "mx.mismatch.test", "Google and Microsoft refused 1 204 sessions since", 1204),
            ("starttls-stripped", "mx.stripped.test", "Microsoft refused 30 sessions since", 30),
        ):
            says = rf"^{words} \d{{4}}-\d\d-\d\d 00:00 UTC$"
            until(
                f"the alert {code} says who confirms it",
                60,
                lambda code=code, host=host, says=says: [
                    one
                    for one in self.lab.alerts(code=code)
                    if one["subject"]["name"] == host and re.match(says, str(one["evidence"].get("sender-reports")))
                ],
            )
            metrics = self.lab.text("/metrics")
            self.assertIn(f'danelaw_senders_refused_sessions{{domain="",mx="{host}",agrees="yes"}} {sessions}', metrics)
            self.assertRegex(metrics, rf'danelaw_alert_firing\{{code="{code}"[^\n]*{host}[^\n]* 1\n')
            [through] = self.lab.get(f"/api/v1/mx/{host}/deliveries")["items"]
            self.assertEqual(through["waiting"], 1)
            self.assertEqual(self.lab.get(f"/api/v1/mx/{host}/days?days=1")["days"][0]["delivery"], "held-up")
        self.assertIn("danelaw_own_messages_waiting 2\n", metrics)
        self.assertEqual(self.lab.get("/api/v1/deliveries")["waiting"], 2)
        self.assertEqual(self.lab.get("/api/v1/mx/mx.healthy.test/days?days=1")["days"][0]["delivery"], "fine")
        for code in ("senders-refuse", "senders-disagree"):
            self.assertEqual(self.lab.alerts(code=code), [], "danelaw saw all that senders saw")

    def test_one_story(self):
        self.lab.start_agent()
        until("all are judged", 60, lambda: self.verdict("healthy.test") == "authenticated")
        until(
            "the others too", 60, lambda: {self.verdict("mismatch.test"), self.verdict("stripped.test")} == {"deferred"}
        )
        postfix = self.start_postfix()
        postfix.send("a@healthy.test", "b@mismatch.test", "c@stripped.test", "d@nodane.test")

        until("mail goes authenticated", 30, lambda: "verified" in self.deliveries("healthy.test")["last_sent"])
        waits = until("mail waits", 30, lambda: (d := self.deliveries("mismatch.test"))["waiting"] == 1 and d)
        self.assertEqual(waits["setback"], "certificate")
        self.assertIsNotNone(waits["deferred_since"])
        until("there, too", 30, lambda: self.deliveries("stripped.test")["setback"] == "starttls-missing")
        self.assertEqual(self.exceptions(), [], "nobody approved anything")
        until(
            "Postfix asked and was told nothing",
            30,
            lambda: self.lab.get("/api/v1/deliveries")["policy"]["answered_not_found"] > 0,
        )
        self.assertEqual(self.lab.get("/api/v1/deliveries")["policy"]["answered_ok"], 0)
        through = self.lab.get("/api/v1/mx/mx.healthy.test/deliveries")["items"]
        self.assertEqual([one["domain"] for one in through], ["healthy.test"])

        # Senders saw the same.
        self.hand_in_reports()
        self.compare_stories()

        # A person approves.
        self.assertEqual(self.post("/api/v1/domains/mismatch.test/exception"), 201)
        postfix.flush()
        until("mail goes", 30, lambda: "untrusted" in self.deliveries("mismatch.test")["last_sent"])
        until("nothing waits there", 30, lambda: self.deliveries("mismatch.test")["waiting"] == 0)
        (made,) = self.exceptions()
        self.assertEqual((made["domain"], made["answer"]), ("mismatch.test", "OK encrypt"))
        self.assertGreater(made["asked"], 0)
        # Where not even STARTTLS works an exception is only noted: nobody is ever told to go in the clear.
        self.assertEqual(self.post("/api/v1/domains/stripped.test/exception"), 201)
        answers = {one["domain"]: one["answer"] for one in self.exceptions()}
        self.assertEqual(answers["stripped.test"], "NOTFOUND ")
        self.assertEqual(self.deliveries("stripped.test")["waiting"], 1)

        # The partner repairs.
        fits = self.lab.lab("tlsa", "mx.mismatch.test").strip()
        self.lab.lab("set", "_25._tcp.mx.mismatch.test", "TLSA", fits, "--flush")
        until("danelaw sees it", 90, lambda: self.verdict("mismatch.test") == "authenticated")
        until("the exception is gone", 90, lambda: "mismatch.test" not in [one["domain"] for one in self.exceptions()])
        self.assertIn("exception-ended", self.lab.agent_log())
        # Its processes remember records for their TTL.
        postfix.run("postfix", "-c", postfix.config, "reload")
        postfix.send("e@mismatch.test")
        until("mail goes authenticated", 30, lambda: "verified" in self.deliveries("mismatch.test")["last_sent"])
        until("the alert is over", 60, lambda: not self.lab.alerts(code="tlsa-mismatch"))
        self.assertEqual(self.reported("mx.mismatch.test")[0], {("Google", 1000, "yes"), ("Microsoft", 204, "yes")})
        for code in ("senders-refuse", "senders-disagree"):
            self.assertEqual(self.lab.alerts(code=code), [], "that report was of before")

        agreement = self.lab.get("/api/v1/deliveries")["agreement"]
        self.assertGreater(agreement["compared"], 3)
        self.assertEqual(agreement["ratio"], 1, self.lab.get("/api/v1/deliveries/disagreements"))
        metrics = self.lab.text("/metrics")
        self.assertIn("danelaw_agreement_ratio 1", metrics)
        self.assertRegex(metrics, r'danelaw_own_deliveries_total\{status="sent",tls="verified"\} [1-9]')
        self.assertRegex(metrics, r'danelaw_policy_lookups_total\{answer="encrypt"\} [1-9]')

        # Whom mail goes to and nobody watches.
        proposed = [one["domain"] for one in self.lab.get("/api/v1/partners")["items"]]
        self.assertEqual(proposed, ["nodane.test"])
        self.assertEqual(self.post("/api/v1/domains", {"domain": "nodane.test"}), 201)
        until("it is watched", 30, lambda: self.lab.get("/api/v1/partners")["items"] == [])
        with open(f"{self.lab.dir}/partners.txt") as file:
            self.assertIn("nodane.test", file.read())

        # People are in no answer and in no file of ours.
        for name in ("danelaw.db", "danelaw.db-wal", "agent.log"):
            with open(f"{self.lab.dir}/{name}", "rb") as file:
                kept = file.read()
            for person in (b"a@healthy", b"b@mismatch", b"c@stripped", b"d@nodane", b"someone@out"):
                self.assertNotIn(person, kept, name)

        # A restart counts nothing twice.
        before = self.deliveries("healthy.test")["messages_a_month"]
        self.lab.stop_agent(signal.SIGKILL)
        postfix.send("f@healthy.test")  # while nobody reads
        until(
            "mail goes on without danelaw", 30, lambda: sum("status=sent" in x and "f@" in x for x in postfix.lines())
        )
        self.lab.start_agent()
        until("it catches up", 30, lambda: self.deliveries("healthy.test")["messages_a_month"] > before)
        self.assertEqual(self.deliveries("healthy.test")["messages_a_month"], before + 1)

    def test_postfix_without_danelaw(self):
        postfix = self.start_postfix()
        postfix.send("a@healthy.test")
        until(
            "mail goes, authenticated: the relay answers for danelaw",
            30,
            lambda: [x for x in postfix.lines() if "Verified TLS connection established to mx.healthy.test" in x],
        )
        # Asked directly, a socket that is missing holds up all mail: why docs/postfix.md has the relay.
        postfix.configure(f"smtp_tls_policy_maps = socketmap:unix:{self.socket}:danelaw\n")
        postfix.run("postfix", "-c", postfix.config, "reload")
        postfix.send("b@healthy.test")
        until(
            "mail waits",
            30,
            lambda: [x for x in postfix.lines() if "b@healthy.test" in x and "client TLS configuration problem" in x],
        )

    def journal(self, name, *lines):
        """A file of a journal, as journald would have it."""
        folder = f"{self.lab.dir}/journal"
        os.makedirs(folder, exist_ok=True)
        now = time.time_ns() // 1000
        text = "".join(
            f"__REALTIME_TIMESTAMP={now + i}\n__MONOTONIC_TIMESTAMP={now + i}\n_BOOT_ID={uuid.uuid4().hex}\n"
            f"SYSLOG_FACILITY=2\nSYSLOG_IDENTIFIER=postfix/smtp\nSYSLOG_PID=7\n_HOSTNAME=out\nMESSAGE={line}\n\n"
            for i, line in enumerate(lines)
        )
        path = f"{os.environ['PATH']}:/lib/systemd:{ROOT}/build/tools/test/bin"
        subprocess.run(
            [shutil.which("systemd-journal-remote", path=path), f"--output={folder}/{name}.journal", "-"],
            input=text,
            text=True,
            capture_output=True,
            check=True,
        )

    def test_reads_the_journal(self):
        self.lab.configure_agent(DOMAINS, postfix={"log": f"journald:{self.lab.dir}/journal"})
        self.lab.start_agent()
        until(
            "it says that there is none",
            30,
            lambda: "journald" in (self.lab.get("/api/v1/deliveries")["log_fault"] or ""),
        )
        tls = (
            "Verified TLS connection established to mx.healthy.test[127.0.2.1]:25: TLSv1.3 with cipher X (256/256 bits)"
        )
        sent = "to=<a@healthy.test>, relay=mx.healthy.test[127.0.2.1]:25, delay=1, dsn=2.0.0, status=sent (250 ok)"
        self.journal("one", tls, f"4jcKpc4yXSz1bsL3: {sent}")
        until("it is read", 30, lambda: "verified" in self.deliveries("healthy.test")["last_sent"])
        self.lab.stop_agent(signal.SIGTERM)
        self.journal("two", f"4jcKpc4yXSz1bsL4: {sent}")
        self.lab.start_agent()
        until("it goes on", 30, lambda: self.deliveries("healthy.test")["messages_a_month"] == 2)
        self.assertIsNone(self.lab.get("/api/v1/deliveries")["log_fault"])


if __name__ == "__main__":
    unittest.main()
