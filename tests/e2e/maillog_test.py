#!/usr/bin/python3
"""`danelaw partners` and `danelaw maillog` on logs as a real Postfix writes them."""

import gzip
import json
import lzma
import os
import shutil
import subprocess
import tempfile
import unittest

from living_lab import DANELAW

SMTP = "2026-11-{day:02}T19:19:20+00:00 out postfix/smtp[{pid}]: "
TLS = SMTP + "{level} TLS connection established to {host}[192.0.2.1]:25: TLSv1.3 with cipher X (256/256 bits)\n"
TO = SMTP + "{id}: to=<{to}>, relay={host}[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn={dsn}, status={status}\n"


def sent(queue_id, to, host, level="Verified", day=28, pid=7):
    return TLS.format(day=day, pid=pid, level=level, host=host) + TO.format(
        day=day, pid=pid, id=queue_id, to=to, host=host, dsn="2.0.0", status="sent (250 ok)"
    )


def deferred(queue_id, to, host, why, day=28, pid=7):
    return TO.format(day=day, pid=pid, id=queue_id, to=to, host=host, dsn="4.7.5", status=f"deferred ({why})")


LOG = (
    sent("AAAAAA", "alice.secret@big.test", "mx.big.test")
    + sent("BBBBBB", "bob.secret@big.test", "mx.big.test", level="Untrusted")
    + sent("CCCCCC", "carol.secret@small.test", "mx.small.test")
    + sent("EEEEEE", "old.secret@old.test", "mx.old.test", day=1)
    + deferred("DDDDDD", "dave.secret@held.test", "mx.held.test", "Server certificate not verified")
    + deferred("FFFFFF", "fred.secret@typo.test", "mx.typo.test", "451 try again later")
)


class Maillog(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="danelaw-e2e-")
        self.addCleanup(shutil.rmtree, self.dir)

    def write(self, name, octets):
        with open(os.path.join(self.dir, name), "wb") as file:
            file.write(octets)
        return file.name

    def run_it(self, *words, stdin=b""):
        done = subprocess.run([DANELAW, *words], capture_output=True, input=stdin, timeout=30)
        self.assertNotIn(b"secret", done.stdout + done.stderr, "people are never told of")
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def test_partners_are_those_whose_mail_arrived_most_first(self):
        log = self.write("mail.log", LOG.encode())
        self.assertEqual(self.run_it("partners", log), (0, "big.test\nheld.test\nold.test\nsmall.test\n", ""))
        self.assertEqual(self.run_it("partners", "--least", "2", log)[1], "big.test\n")
        self.assertEqual(self.run_it("partners", "--least", "-1", log)[0], 3)
        self.assertEqual(
            self.run_it("partners", "--since", "2026-11-15T00:00:00Z", log)[1], "big.test\nheld.test\nsmall.test\n"
        )
        self.assertEqual(
            self.run_it("partners", "-", stdin=LOG.encode())[1], "big.test\nheld.test\nold.test\nsmall.test\n"
        )
        self.assertEqual(self.run_it("partners", "--since", "yesterday", log)[0], 3)

    def test_a_message_to_many_counts_once(self):
        many = sent("AAAAAA", "a@a.test", "mx.a.test") + TO.format(
            day=28, pid=7, id="AAAAAA", to="b@a.test", host="mx.a.test", dsn="2.0.0", status="sent (ok)"
        )
        log = self.write("mail.log", many.encode())
        self.assertEqual(self.run_it("partners", "--least", "2", log)[1], "")

    def test_compressed_logs(self):
        log = self.write("mail.log.2.gz", gzip.compress(LOG.encode()))
        self.assertEqual(self.run_it("partners", log)[1], "big.test\nheld.test\nold.test\nsmall.test\n")
        cut = self.write("cut.gz", gzip.compress(os.urandom(100_000))[:50_000])
        status, _, errors = self.run_it("partners", cut)
        self.assertEqual(status, 1)
        self.assertIn("ends too soon", errors)
        other = self.write("mail.log.xz", lzma.compress(LOG.encode()))
        status, _, errors = self.run_it("partners", other)
        self.assertEqual(status, 1)
        self.assertIn("xz -dc", errors)
        self.assertEqual(self.run_it("partners", os.path.join(self.dir, "none"))[0], 1)

    def test_what_the_log_says_of_protection(self):
        log = self.write("mail.log", LOG.encode())
        config = self.write("danelaw.yaml", b"domains: [big.test]\n")
        lines = self.run_it("maillog", "--config", config, log)[1].splitlines()
        self.assertEqual(lines[0], "big.test: 1 sent untrusted, 1 sent verified")
        self.assertEqual(lines[1], "  mx.big.test: 1 sent untrusted, 1 sent verified")
        since = next(line for line in lines if line.startswith("held.test: "))
        self.assertRegex(
            since, r"^held\.test: 1 held up \(certificate\); 1 waiting, the oldest since 2\S+Z; not watched$"
        )
        objects = [json.loads(line) for line in self.run_it("maillog", "--format", "json", log)[1].splitlines()]
        held = next(one for one in objects if one["domain"] == "held.test")
        self.assertEqual(held["held_up"], {"certificate": 1})
        self.assertEqual(held["hosts"][0]["host"], "mx.held.test")
        self.assertEqual((held["waiting"], held["last_sent"]), (1, {}))
        self.assertIsNotNone(held["deferred_since"])
        self.assertIsNone(held["watched"])


if __name__ == "__main__":
    unittest.main()
