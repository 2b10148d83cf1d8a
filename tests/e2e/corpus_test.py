#!/usr/bin/python3
"""The cases of tests/conformance that the lab can play, end to end: see tests/lab/corpus.py."""

import json
import re
import signal
import subprocess
import unittest

from living_lab import DANELAW, LAB, LivingLab, until

UDP_RELAY = """
import socket
us = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
us.bind(("127.0.0.54", 53))
print("ready", flush=True)
while True:
    question, client = us.recvfrom(65535)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver:
        resolver.settimeout(3)
        resolver.sendto(question, ("127.0.0.53", 53))
        try:
            us.sendto(resolver.recv(65535), client)
        except TimeoutError:
            pass
"""


class Corpus(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = LivingLab("--corpus")
        cls.cases = {name: want for name, want in cls.lab.expected.items() if "findings" in want}
        cls.seen, _ = cls.lab.check(*cls.cases, arguments=("--timeout", "5s"))

    @classmethod
    def tearDownClass(cls):
        cls.lab.close()

    def each(self, check):
        for name, want in self.cases.items():
            with self.subTest(domain=name, says=want["says"]):
                check(self.seen[name], want)

    def test_every_case_reaches_its_verdict(self):
        def check(seen, want):
            told = json.dumps([seen["findings"], [h["endpoints"] for h in seen["hosts"]]])[:3000]
            self.assertEqual(seen["verdict"], want["verdict"], told)
            self.assertEqual({host["host"]: host["verdict"] for host in seen["hosts"]}, want["hosts"], told)

        self.assertGreater(len(self.cases), 70)
        self.each(check)

    def test_every_case_has_its_findings(self):
        def check(seen, want):
            codes = {finding["code"] for finding in seen["findings"]}
            self.assertLessEqual(set(want["findings"]), codes)
            self.assertFalse(codes & set(want["absent"]), codes)

        self.each(check)

    def test_every_case_has_its_splits(self):
        def check(seen, want):
            where = [seen, *seen["hosts"][:1]]
            splits = {one["sender"]: one["verdict"] for place in where for one in place["splits"]}
            self.assertEqual(splits, splits | want["splits"])

        self.each(check)

    def test_a_resolver_that_answers_over_udp_alone_is_no_fault_of_the_domain(self):
        # A-34, at our own resolver: the zone's servers, which do answer over TCP, are asked instead.
        relay = subprocess.Popen(
            [LAB, "exec", "--dir", self.lab.dir, "/usr/bin/python3", "-c", UDP_RELAY], stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(relay.stdout.close)
        self.addCleanup(relay.wait)
        self.addCleanup(relay.kill)
        self.assertEqual(relay.stdout.readline(), "ready\n")
        seen, _ = self.lab.check("a35.corpus.test", arguments=("--resolver", "127.0.0.54"))
        self.assertEqual(seen["a35.corpus.test"]["hosts"][0]["verdict"], "authenticated")
        told = [f for f in seen["a35.corpus.test"]["findings"] if f["code"] == "monitor-fault"]
        self.assertEqual([f["severity"] for f in told], ["low"])
        self.assertIn("127.0.0.54", json.dumps(told[0]["evidence"]))

    def test_what_came_over_tcp_is_counted_apart(self):
        #
        self.lab.configure_agent(["a35.corpus.test"])
        self.lab.start_agent()
        self.addCleanup(self.lab.stop_agent, signal.SIGTERM)
        until(
            "a truncated answer has come over TCP",
            20,
            lambda: re.search(
                r'danelaw_dns_queries_total\{rcode="NOERROR",proto="tcp"\} [1-9]', self.lab.text("/metrics")
            ),
        )

    def test_a_name_server_that_is_down_is_named(self):
        # H-04.
        self.lab.lab("kill", "ns2")
        self.addCleanup(self.lab.lab, "start", "ns2")
        seen, _ = self.lab.check("f26.corpus.test")
        self.assertEqual(seen["f26.corpus.test"]["verdict"], "authenticated")
        found = [f for f in seen["f26.corpus.test"]["findings"] if f["code"] == "nameserver-failing"]
        self.assertIn("ns2.dns.test (127.0.1.2)", json.dumps(found))

    def test_text_from_outside_cannot_steer_the_terminal(self):
        # S-07: what the banner holds is shown escaped.
        said = self.lab.inside(DANELAW, "check", "--config", f"{self.lab.dir}/danelaw.yaml", "s07.corpus.test").stdout
        self.assertFalse([c for c in said if c != "\n" and not c.isprintable()])
        for case in ("s07", "f09"):
            session = self.seen[f"{case}.corpus.test"]["hosts"][0]["endpoints"][0]["smtp"]["transcript"]
            self.assertTrue(session[0].startswith("S: "))
            self.assertFalse([c for c in "".join(session) if not c.isprintable()])

    def test_what_a_server_says_without_end_is_cut(self):
        cut = set()
        for name, seen in self.seen.items():
            for session in (one["smtp"]["transcript"] for host in seen["hosts"] for one in host["endpoints"]):
                self.assertLess(sum(map(len, session)), 4 * 4096, name)  # octets that are shown in four characters
                if session and session[-1].endswith("…"):
                    cut.add(name)
        self.assertIn("f14.corpus.test", cut)


if __name__ == "__main__":
    unittest.main()
