#!/usr/bin/python3
"""A certificate that was issued is known before any host shows it: handed in by the hook of certspotter, called as
certspotter calls it, by an ACME client's hook, and over HTTP.
"""

import hashlib
import json
import os
import re
import signal
import subprocess
import unittest
import urllib.error
import urllib.request
from datetime import datetime, timedelta

from living_lab import DANELAW, ROOT, LivingLab, until

DOMAIN = "story-clean.test"
HOST = f"mx.{DOMAIN}"  # 3 1 1 only
ANCHORED = "mx.story-safe-via-ta.test"  # 3 1 1 and 2 1 1
OWNER = f"_25._tcp.{HOST}"
HOOKS = os.path.join(ROOT, "docs/hooks")
POISON = "1.3.6.1.4.1.11129.2.4.3=critical,ASN1:NULL"  # RFC 6962 §3.1


def at(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


class Foresight(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = LivingLab("--stories")
        cls.addClassCleanup(cls.lab.close)
        # As operators have it: a host is looked at now and then, and a finding is confirmed after a while.
        schedule = {"interval": "1h", "fastest": "1h", "confirm_after": "60s"}
        cls.lab.configure_agent([DOMAIN, "story-safe-via-ta.test"], schedule=schedule)
        # Caches hold the set without the next key for longer than this test takes.
        cls.lab.lab("set", OWNER, "TLSA", cls.lab.lab("tlsa", HOST).strip(), "--ttl", "3600", "--flush")
        os.symlink(DANELAW, f"{cls.lab.dir}/danelaw")
        cls.lab.start_agent()
        until("both hosts were looked at", 60, lambda: all(cls.lab.host(h).get("rollover") for h in (HOST, ANCHORED)))
        until("both domains are judged", 60, lambda: cls.lab.domain(DOMAIN).get("verdict") == "authenticated")

    def hook(self, name, *arguments, **variables):
        """A hook of docs/hooks, with these variables and little else, as a daemon calls it."""
        settings = {
            "PATH": f"{self.lab.dir}:/usr/bin:/bin",
            "DANELAW_URL": "http://127.0.0.1:9672",
            "DANELAW_TRIES": "1",
            **variables,
        }
        words = [f"{key}={value}" for key, value in settings.items()]
        return self.lab.inside("env", "-i", *words, os.path.join(HOOKS, name), *arguments)

    def certspotter(self, certificate):
        """As certspotter-script(8) says; the digests as it would have them are not what the hook goes by."""
        return self.hook(
            "certspotter",
            EVENT="discovered_cert",
            SUMMARY="certificate discovered for .story-clean.test",
            WATCH_ITEM=".story-clean.test",
            LOG_URI="https://log.test/2026/",
            ENTRY_INDEX="6464843",
            CERT_SHA256="00" * 32,
            PUBKEY_SHA256="00" * 32,
            CERT_FILENAME=certificate,
        )

    def issue(self, name, names, *extensions, key=None, serial=None):
        """A certificate of the lab's intermediate, and its key; returns the file."""
        pki = f"{self.lab.facts()['run']}/pki"
        out = f"{self.lab.dir}/{name}"
        new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", f"{out}.key"]
        command = [
            "openssl",
            "req",
            "-x509",
            "-config",
            f"{pki}/openssl.cnf",
            "-nodes",
            "-days",
            "90",
            "-subj",
            "/CN=x",
        ]
        command += ["-key", key] if key else new
        command += ["-set_serial", serial] if serial else []
        command += ["-CA", f"{pki}/inter.pem", "-CAkey", f"{pki}/inter.key", "-out", f"{out}.pem"]
        command += ["-addext", "subjectAltName=" + ",".join(f"DNS:{one}" for one in names)]
        for extension in extensions:
            command += ["-addext", extension]
        subprocess.run(command, check=True, capture_output=True)
        return f"{out}.pem"

    def record_of(self, certificate):
        done = subprocess.run([DANELAW, "tlsa", certificate], check=True, capture_output=True, text=True)
        return done.stdout.split(" ;")[0].splitlines()[0].strip()

    def shown(self, record):
        """The certificates of that key that the agent lists."""
        return [c for c in self.lab.get("/api/v1/certificates")["items"] if record.endswith(c["key"])]

    def announced(self, host):
        return self.lab.alerts(code="next-key-unpublished", subject={"kind": "host", "name": host})

    def post(self, body, content_type="application/pem-certificate-chain"):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.lab.port}/api/v1/certificates", body, {"Content-Type": content_type}
        )
        with urllib.request.urlopen(request, timeout=5) as reply:
            return json.load(reply)

    def check_now(self, domain=DOMAIN):
        url = f"http://127.0.0.1:{self.lab.port}/api/v1/domains/{domain}/check"
        request = urllib.request.Request(url, b"{}", {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=5).close()

    # In the order of their names: each goes on where the one before it ended.

    def test_1_from_the_log_to_the_alert_no_look_is_waited_for(self):
        certificate = self.issue("next", [HOST])
        self.assertEqual(self.lab.alerts(), [])
        self.lab.lab("mode", HOST, "tarpit")  # sessions take longer than people are to wait
        self.addCleanup(self.lab.lab, "mode", HOST, "normal")
        done = self.certspotter(certificate)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"{HOST}: not covered", done.stdout)
        # A finding of a look would be confirmed by another, 60 s later at the soonest.
        (alert,) = until("it is told", 45, lambda: self.announced(HOST))
        record = self.record_of(certificate)
        (shown,) = self.shown(record)
        self.assertLess(at(alert["opened_at"]) - at(shown["shown_at"]), timedelta(seconds=5))
        self.assertEqual(alert["severity"], "high")
        told = json.dumps(self.lab.get(f"/api/v1/alerts/{alert['id']}"))
        self.assertIn(record, told, "the record to publish is in it")
        self.assertIn("certspotter", told)

    def test_2_once_however_often_and_in_whatever_form_it_is_shown(self):
        certificate = self.issue("twice", [HOST], serial="0x8123456789")
        key = f"{self.lab.dir}/twice.key"
        poisoned = self.issue("poisoned", [HOST], POISON, key=key, serial="0x8123456789")
        record = self.record_of(certificate)
        for one in (poisoned, certificate, certificate):
            self.assertEqual(self.certspotter(one).returncode, 0)
        (shown,) = self.shown(record)
        self.assertFalse(shown["precertificate"], "the certificate itself came after it")

    def test_3_it_outlives_a_kill(self):
        before = self.lab.get("/api/v1/certificates")["items"]
        self.lab.stop_agent(signal.SIGKILL)
        self.lab.start_agent()
        self.assertEqual(self.lab.get("/api/v1/certificates")["items"], before)
        self.assertTrue(self.announced(HOST), "the alert is as it was")
        # Whatever it says so soon after its start: never that no host is meant.
        told = self.lab.inside(DANELAW, "foresee", f"{self.lab.dir}/next.pem")
        self.assertIn(told.returncode, (2, 3), told.stdout)
        self.assertNotIn("no watched MX host", told.stdout)
        for host in (HOST, ANCHORED):  # after a start domains take their turns
            self.check_now(host.removeprefix("mx."))
        until("both hosts were looked at", 30, lambda: all(self.lab.host(h).get("rollover") for h in (HOST, ANCHORED)))

    def test_4_a_key_is_said_not_to_be_for_mail(self):
        certificate = f"{self.lab.dir}/twice.pem"
        record = self.record_of(certificate)
        done = self.lab.inside(DANELAW, "foresee", "--not-for-mail", "--comment", "the web's", certificate)
        self.assertEqual(done.returncode, 0, done.stderr)
        (shown,) = self.shown(record)
        self.assertEqual(shown["not_for_mail"]["comment"], "the web's")

        def is_left_out():
            findings = self.lab.domain(DOMAIN)["findings"]
            told = json.dumps([f for f in findings if f["code"] == "next-key-unpublished"])
            return "next-key-unpublished" in told and record.split()[-1] not in told

        until("only the other key is told of", 20, is_left_out)

    def test_5_it_ends_when_the_record_is_published(self):
        certificate = f"{self.lab.dir}/next.pem"
        live = self.lab.lab("tlsa", HOST).strip()
        self.lab.lab("set", OWNER, "TLSA", live, self.record_of(certificate), "--flush")

        def looked_at():
            return self.lab.host(HOST)["observed_at"]

        asked_after = None

        def is_over():
            nonlocal asked_after
            if looked_at() != asked_after:
                asked_after = looked_at()
                self.check_now()
            return not self.announced(HOST)

        until("it is over", 120, is_over)  # two looks, confirm_after between them
        told = self.lab.inside(DANELAW, "foresee", certificate)
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertRegex(told.stdout, rf"{re.escape(HOST)}: covered; not before \d{{4}}-")

    def test_6_an_acme_clients_hook_and_an_anchor_that_covers(self):
        certificate = self.issue("anchored", [ANCHORED])  # without its issuer: that is known from the host
        for variables, arguments in (
            ({}, (certificate,)),
            ({"CERT_FULLCHAIN_PATH": certificate}, ()),
            ({"LEGO_CERT_PATH": certificate}, ()),
            ({}, ("deploy_cert", ANCHORED, "key", "cert", certificate, "chain")),
        ):
            with self.subTest(variables, arguments=arguments):
                done = self.hook("acme-foresee.sh", *arguments, **variables)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn(f"{ANCHORED}: covered", done.stdout)
        poisoned = self.issue("anchored-poisoned", [ANCHORED], POISON)
        done = self.certspotter(poisoned)
        self.assertIn(f"{ANCHORED}: covered", done.stdout, "the poison is nobody's to understand")
        done = self.hook("acme-foresee.sh", "startup_hook")
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_7_over_http(self):
        with open(self.issue("posted", [ANCHORED, "www.example.org"]), "rb") as file:
            pem = file.read()
        (host,) = self.post(pem)["hosts"]
        self.assertEqual((host["host"], host["is_covered"], host["records"]), (ANCHORED, True, []))
        with open(self.issue("strangers", ["mx.example.org"]), "rb") as file:
            self.assertEqual(self.post(file.read())["hosts"], [])
        for body, kind, status in (
            (b"no certificate", "text/plain", 400),
            (pem + b"-----BEGIN PRIVATE KEY-----\n", "text/plain", 400),
            (pem, "application/x-www-form-urlencoded", 415),
        ):
            with self.subTest(kind, status=status), self.assertRaises(urllib.error.HTTPError) as refused:
                self.post(body, kind)
            self.assertEqual(refused.exception.code, status)
            refused.exception.close()

    def test_8_certspotters_other_events_and_an_agent_that_is_away(self):
        self.assertEqual(self.hook("certspotter", EVENT="error", SUMMARY="a log is down").returncode, 0)
        done = self.hook("certspotter", EVENT="discovered_cert")
        self.assertEqual(done.returncode, 1)
        self.assertIn("-no_save", done.stderr)
        away = self.hook(
            "certspotter",
            EVENT="discovered_cert",
            CERT_FILENAME=f"{self.lab.dir}/next.pem",
            DANELAW_URL="http://127.0.0.1:9",
        )
        self.assertEqual(away.returncode, 1)
        self.assertIn("is the agent running there?", away.stderr)

    def test_9_what_it_says_to_publish_is_enough_beside_sha512(self):
        live = self.lab.lab("tlsa", HOST).strip()
        with open(f"{self.lab.facts()['run']}/pki/live/{HOST}.ecdsa.pem") as file:
            pem = file.read()
        key = subprocess.run(
            ["openssl", "x509", "-noout", "-pubkey"], input=pem.encode(), check=True, capture_output=True
        )
        spki = subprocess.run(
            ["openssl", "pkey", "-pubin", "-outform", "DER"], input=key.stdout, check=True, capture_output=True
        ).stdout
        published = [live, f"3 1 2 {hashlib.sha512(spki).hexdigest()}"]
        self.lab.lab("set", OWNER, "TLSA", *published, "--flush")

        def sees(records):
            self.check_now()
            (seen,) = self.lab.domain(DOMAIN)["hosts"]
            there = {
                f"{one['usage']} {one['selector']} {one['matching_type']} {one['data']}"
                for one in seen["tlsa"]["records"]
            }
            return there == {one.lower() for one in records}

        until("both digests are seen", 60, lambda: sees(published))
        certificate = self.issue("next512", [HOST])
        told = self.lab.inside(DANELAW, "foresee", certificate)
        self.assertEqual(told.returncode, 2, told.stderr)
        wanted = re.findall("publish beside the present records: (.*)", told.stdout)
        self.assertEqual([one.split()[:3] for one in wanted], [["3", "1", "1"], ["3", "1", "2"]])
        published += wanted
        self.lab.lab("set", OWNER, "TLSA", *published, "--flush")
        until("all are seen", 60, lambda: sees(published))
        told = self.lab.inside(DANELAW, "foresee", certificate)
        self.assertEqual(told.returncode, 0, told.stdout)


if __name__ == "__main__":
    unittest.main()
