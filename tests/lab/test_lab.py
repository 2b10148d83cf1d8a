#!/usr/bin/python3
"""What the lab promises: it comes up quickly, says what the table says, changes at once, leaves nothing.

Seen from inside with other people's programs: dig and delv for DNS, OpenSSL and smtplib for mail.
"""

import collections
import concurrent.futures
import glob
import hashlib
import json
import os
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.request

import cage
import stories
import world

LAB = os.path.join(os.path.dirname(os.path.realpath(__file__)), "lab")

# DNSSEC status of the MX lookup, where it is not secure.
MX_STATUS = {
    "unsigned.test": "insecure",
    "island.test": "insecure",
    "insecuremx.test": "insecure",
    "bogus.test": "bogus",
    "expired.test": "bogus",
    "dsbroken.test": "bogus",
}
# The same of the TLSA lookup at a domain's first host, where it differs from that of the MX lookup.
TLSA_STATUS = {"tlsaexpired.test": "bogus", "insecuremx.test": "secure", "bogus.test": "secure"}
# What delv, BIND's validator, calls these.
DELV = {
    "secure": "; fully validated",
    "absent": "; negative response, fully validated",
    "insecure": "; unsigned answer",
}

Answer = collections.namedtuple("Answer", "rcode flags records")


def until(condition, what, seconds=10):
    """Poll until condition() is true; fail when it never is."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)
    return value


def has_child(pid):
    """Whether a process has started another."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return bool(file.read())


class Running:
    """A lab that was started as users start it, and ways to look into it."""

    def __init__(self, *arguments, directory=None):
        self.dir = directory or tempfile.mkdtemp(prefix="danelaw-lab-test-")
        self.up = subprocess.Popen(
            [LAB, "up", "--dir", self.dir, *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        said = self.said = []
        for line in self.up.stdout:
            said.append(line)
            if line.startswith("  dir "):
                break
        else:
            self.up.wait()
            raise AssertionError("the lab did not start: " + "".join(said))
        with open(f"{self.dir}/lab.json") as file:
            self.facts = json.load(file)

    def close(self, number=signal.SIGTERM):
        """End it; returns its exit status."""
        self.up.send_signal(number)
        status = self.up.wait(30)
        self.up.stdout.close()
        shutil.rmtree(self.dir, ignore_errors=True)  # tests put nothing of their own there
        return status

    def lab(self, *words):
        """One of the lab's own commands; returns what it said."""
        done = subprocess.run([LAB, words[0], "--dir", self.dir, *words[1:]], text=True, capture_output=True)
        if done.returncode:
            raise AssertionError(f"lab {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout.strip()

    def inside(self, action):
        """The value of action(), called in a thread that has joined the lab's network."""

        def enter():
            cage.setns(self.facts["netns"], cage.CLONE_NEWNET)
            return action()

        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            return pool.submit(enter).result()

    def run(self, *command, text=""):
        """A program in the lab's network; what it printed, errors included."""
        return self.inside(
            lambda: subprocess.run(
                command, input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30
            ).stdout
        )

    def dig(self, name, kind, *flags, server=world.RESOLVER):
        """One answer; records as (owner, type, data) in order. rcode "none": no answer at all."""
        text = self.run(
            "dig",
            f"@{server}",
            "+noall",
            "+comments",
            "+answer",
            "+time=2",
            "+tries=1",
            "+dnssec",
            *flags,
            name + ".",
            kind,
        )
        if "status: " not in text:
            return Answer("none", [], [])
        records = [line.split(None, 4) for line in text.splitlines() if line and line[0] != ";"]
        return Answer(
            text.partition("status: ")[2].partition(",")[0],
            text.partition(";; flags: ")[2].partition(";")[0].split(),
            [(owner.rstrip("."), kind, data) for owner, _, _, kind, data in records],
        )

    def data(self, name, kind, *flags, server=world.RESOLVER):
        """The data of the records of one type in an answer, sorted, in lower case."""
        return sorted(
            " ".join(r[2].split()[:3] + ["".join(r[2].split()[3:])]).lower().strip()
            for r in self.dig(name, kind, *flags, server=server).records
            if r[1] == kind
        )

    def status(self, name, kind):
        """The DNSSEC status of an answer as Unbound sees it."""
        answer = self.dig(name, kind)
        if answer.rcode in ("NOERROR", "NXDOMAIN"):
            return "secure" if "ad" in answer.flags else "insecure"
        return "bogus" if self.dig(name, kind, "+cd").rcode == "NOERROR" else "failed"

    def address(self, host):
        return self.facts["hosts"][host][0]

    def served(self, host, address=None):
        """The live certificate at a host as a "3 1 1" record, by OpenSSL."""
        pem = self.s_client(host, address)
        der = subprocess.run(
            ["sh", "-c", "openssl x509 -pubkey -noout | openssl pkey -pubin -outform der"],
            input=pem.encode(),
            capture_output=True,
        ).stdout
        return "3 1 1 " + hashlib.sha256(der).hexdigest()

    def s_client(self, host, address=None, *more):
        address = address or self.address(host)
        return self.run(
            "openssl",
            "s_client",
            "-starttls",
            "smtp",
            "-servername",
            host,
            "-connect",
            f"[{address}]:25" if ":" in address else f"{address}:25",
            *more,
            text="QUIT\r\n",
        )

    def matches(self, host, records, address=None):
        """Whether OpenSSL's own DANE accepts the host with these TLSA records."""
        arguments = [word for record in records for word in ("-dane_tlsa_rrdata", record)]
        return "Verify return code: 0 (ok)" in self.s_client(
            host, address, "-dane_tlsa_domain", host, "-dane_ee_no_namechecks", *arguments
        )

    def ehlo(self, host):
        """The words a host answers to EHLO with; None when nothing listens."""

        def talk():
            try:
                with smtplib.SMTP(self.address(host), timeout=10) as session:
                    return session.ehlo()[1].decode().splitlines()
            except ConnectionRefusedError:
                return None

        return self.inside(talk)


class Shared(unittest.TestCase):
    """One running lab for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.lab = Running()
        cls.addClassCleanup(cls.lab.close)


class World(Shared):
    """The table in world.py, as the world outside would see it. Nothing is changed here."""

    def test_says_what_it_does_before_it_is_up(self):
        before = "".join(self.lab.said).partition("lab ready")[0]
        for text in ("making certificates and keys", "writing", "starting ns1"):
            self.assertIn(text, before)

    def test_has_at_least_twelve_domains_of_different_fates(self):
        self.assertGreaterEqual(len(self.lab.facts["domains"]), 12)
        self.assertGreaterEqual(len({d.verdict for d in world.DOMAINS}), 8)

    def test_the_mx_lookup_has_the_dnssec_status_of_the_domains_fate(self):
        for domain in world.DOMAINS:
            with self.subTest(domain=domain.name, says=domain.says):
                self.assertEqual(self.lab.status(domain.name, "MX"), MX_STATUS.get(domain.name, "secure"))

    def test_the_tlsa_lookup_has_the_dnssec_status_of_the_domains_fate(self):
        for domain in world.DOMAINS:
            for host in list(domain.hosts)[:1]:
                with self.subTest(domain=domain.name, host=host):
                    want = TLSA_STATUS.get(domain.name, MX_STATUS.get(domain.name, "secure"))
                    self.assertEqual(self.lab.status(f"_25._tcp.{host}", "TLSA"), want)

    def test_a_second_validator_agrees(self):
        for domain in world.DOMAINS:
            with self.subTest(domain=domain.name):
                said = self.lab.run("delv", "-a", f"{self.lab.dir}/delv.keys", f"@{world.RESOLVER}", domain.name, "MX")
                want = MX_STATUS.get(domain.name, "secure")
                if want == "bogus":
                    self.assertIn("resolution failed", said)
                else:
                    absent = not domain.mx or not domain.delegated
                    self.assertIn(DELV["absent" if absent else want], said)

    def test_every_authoritative_server_answers_signed(self):
        plan = {"": world.Zone(), "test": world.Zone(), **world.zones()}
        for name, zone in plan.items():
            for server, address in world.NAMESERVERS.items():
                with self.subTest(zone=name, server=server):
                    answer = self.lab.dig(name, "SOA", server=address)
                    self.assertIn("aa", answer.flags)
                    self.assertEqual(
                        {kind for _, kind, _ in answer.records},
                        {"SOA", "RRSIG"} if zone.sign and zone.fault != "missing" else {"SOA"},
                    )

    def test_nsec3_zones_deny_with_nsec3(self):
        for name, kind in (("nsec3.test", "NSEC3"), ("healthy.test", "NSEC")):
            with self.subTest(zone=name):
                said = self.lab.run("dig", f"@{world.RESOLVER}", "+dnssec", "nothing." + name, "A")
                self.assertRegex(said, rf"\sIN\s+{kind}\s")

    def test_openssl_accepts_authenticated_hosts_and_refuses_mismatches(self):
        for domain in world.DOMAINS:
            for host, verdict in domain.hosts.items():
                if "authenticated" not in verdict and domain.name != "mismatch.test":
                    continue
                base = self.base_domain(host)
                records = self.lab.data(f"_25._tcp.{base}", "TLSA")
                for address in self.lab.facts["hosts"][self.real_host(host)]:
                    with self.subTest(domain=domain.name, host=host, address=address):
                        self.assertEqual(self.lab.matches(base, records, address), "authenticated" in verdict)

    def real_host(self, host):
        """Where an MX host's aliases end."""
        while target := self.lab.data(host, "CNAME"):
            host = target[0].rstrip(".")
        return host

    def base_domain(self, host):
        """The TLSA base domain: the alias's target when it has TLSA, else the alias. RFC 7672 §2.2.2."""
        real = self.real_host(host)
        return real if self.lab.data(f"_25._tcp.{real}", "TLSA") else host

    def test_a_host_has_ipv6_and_two_domains_share_one(self):
        self.assertIn("fd00:7672::", self.lab.facts["hosts"]["mx.provider.test"][1])
        sharing = [d.name for d in world.DOMAINS if "mx.provider.test" in d.hosts]
        self.assertGreaterEqual(len(sharing), 2)

    def test_the_scripted_server_does_what_its_modes_say(self):
        self.assertIn("starttls", [w.lower() for w in self.lab.ehlo("mx.healthy.test")])
        self.assertNotIn("STARTTLS", self.lab.ehlo("mx.nostarttls.test"))
        self.assertIn("XXXXXXXA", self.lab.ehlo("mx.stripped.test"))
        self.assertIsNone(self.lab.ehlo("mx.down.test"))
        self.assertIn("TLSv1.2", self.lab.s_client("mx.tls12.test"))

    def test_a_dual_host_shows_rsa_clients_another_certificate(self):
        records = self.lab.data("_25._tcp.mx.dual.test", "TLSA")
        self.assertEqual([self.lab.served("mx.dual.test")], records)
        said = self.lab.s_client("mx.dual.test", None, "-sigalgs", "rsa_pss_rsae_sha256")
        self.assertIn("Peer signature type: RSA-PSS", said)

    def test_files_name_every_domain(self):
        for file_name in ("expected.json", "danelaw.yaml"):
            with open(f"{self.lab.dir}/{file_name}") as file:
                text = file.read()
            for domain in world.DOMAINS:
                self.assertIn(domain.name, text)
        self.assertEqual(self.lab.facts["domains"], [d.name for d in world.DOMAINS])


class Changes(Shared):
    """Every command that changes the running world; each test mends what it changed."""

    OWNER = "_25._tcp.mx.rolling.test"
    OTHER = "3 1 1 " + "ab" * 32

    def publish(self, *data, server=None):
        self.lab.lab("set", self.OWNER, "TLSA", *data, "--flush", *(["--server", server] if server else []))

    def test_set_replaces_and_removes_at_both_servers_and_in_the_resolver(self):
        before = self.lab.data(self.OWNER, "TLSA", server=world.NAMESERVERS["ns1"])
        self.addCleanup(self.publish, *before)
        for wanted in ([self.OTHER], sorted([*before, self.OTHER]), []):
            self.publish(*wanted)
            for server in (world.RESOLVER, *world.NAMESERVERS.values()):
                with self.subTest(wanted=wanted, server=server):
                    until(lambda: self.lab.data(self.OWNER, "TLSA", server=server) == wanted, "the records are there")
            self.assertEqual(self.lab.status(self.OWNER, "TLSA"), "secure")

    def test_set_takes_a_ttl(self):
        before = self.lab.data(self.OWNER, "TLSA", server=world.NAMESERVERS["ns1"])
        self.addCleanup(self.publish, *before)
        self.lab.lab("set", self.OWNER, "TLSA", *before, "--ttl", "7200")
        said = self.lab.run("dig", "@127.0.1.1", "+noall", "+answer", self.OWNER, "TLSA")
        self.assertEqual(said.split()[1], "7200")

    def test_set_changes_a_ds_at_the_parent(self):
        before = self.lab.data("rolling.test", "DS")
        self.addCleanup(self.lab.lab, "flush", "rolling.test")
        self.addCleanup(self.lab.lab, "set", "rolling.test", "DS", *before, "--flush")
        self.lab.lab("set", "rolling.test", "DS", "--flush")
        self.lab.lab("flush", "rolling.test")
        self.assertEqual(self.lab.status("rolling.test", "MX"), "insecure")

    def test_two_name_servers_of_one_zone_disagree(self):
        before = self.lab.data(self.OWNER, "TLSA", server=world.NAMESERVERS["ns1"])
        self.addCleanup(self.publish, *before)
        self.publish(self.OTHER, server="ns2")
        self.assertEqual(self.lab.data(self.OWNER, "TLSA", server="127.0.1.1"), before)
        self.assertEqual(self.lab.data(self.OWNER, "TLSA", server="127.0.1.2"), [self.OTHER])
        for server in world.NAMESERVERS.values():
            kinds = [kind for _, kind, _ in self.lab.dig(self.OWNER, "TLSA", server=server).records]
            self.assertEqual(kinds, ["TLSA", "RRSIG"])

    def test_swap_serves_a_new_certificate_at_once(self):
        host = "mx.rolling.test"
        old = self.lab.served(host)
        self.assertEqual(self.lab.lab("tlsa", host), old)
        self.lab.lab("swap", host)
        new = self.lab.served(host)
        self.addCleanup(self.publish, new)
        self.assertNotEqual(new, old)
        self.assertFalse(self.lab.matches(host, self.lab.data(self.OWNER, "TLSA")))

    def test_prepare_tells_the_next_key_before_it_is_live(self):
        host = "mx.rolling.test"
        self.lab.lab("prepare", host)
        coming = self.lab.lab("tlsa", host, "--next")
        self.assertNotEqual(self.lab.served(host), coming)
        self.lab.lab("swap", host)
        self.assertEqual(self.lab.served(host), coming)
        self.publish(coming)

    def test_tlsa_makes_records_that_openssl_accepts(self):
        host = "mx.rolling.test"
        for usage in (2, 3):
            for selector in (0, 1):
                for mtype in (0, 1, 2):
                    with self.subTest(record=(usage, selector, mtype)):
                        record = self.lab.lab(
                            "tlsa", host, "--usage", str(usage), "--selector", str(selector), "--mtype", str(mtype)
                        )
                        self.assertTrue(self.lab.matches(host, [record]))

    def test_strip_and_modes_change_a_real_server(self):
        host = "mx.healthy.test"
        self.addCleanup(self.lab.lab, "mode", host, "normal")
        self.lab.lab("strip", host)
        self.assertIn("XXXXXXXA", self.lab.ehlo(host))
        self.lab.lab("mode", host, "nostarttls")
        self.assertNotIn("STARTTLS", self.lab.ehlo(host))
        self.lab.lab("mode", host, "down")
        self.assertIsNone(self.lab.ehlo(host))
        self.lab.lab("mode", host, "normal")
        self.assertIn("STARTTLS", self.lab.ehlo(host))
        self.assertTrue(self.lab.matches(host, self.lab.data(f"_25._tcp.{host}", "TLSA")))

    def test_break_spoils_one_type_and_mend_mends_it(self):
        self.addCleanup(self.lab.lab, "mend", "rolling.test", "--flush")
        for fault in ("garbage", "expired", "future", "missing"):
            with self.subTest(fault=fault):
                self.lab.lab("break", "rolling.test", "--fault", f"{fault}:TLSA", "--flush")
                self.assertEqual(self.lab.status(self.OWNER, "TLSA"), "bogus")
                self.assertEqual(self.lab.status("mx.rolling.test", "A"), "secure")
        self.lab.lab("mend", "rolling.test", "--flush")
        self.assertEqual(self.lab.status(self.OWNER, "TLSA"), "secure")

    def test_signatures_that_expired_lately_are_still_good_for_unbound(self):
        self.addCleanup(self.lab.lab, "mend", "rolling.test", "--flush")
        self.lab.lab("break", "rolling.test", "--fault", "lately:TLSA", "--flush")
        self.assertEqual(self.lab.status(self.OWNER, "TLSA"), "secure")
        ends = next(data.split()[4] for _, kind, data in self.lab.dig(self.OWNER, "TLSA").records if kind == "RRSIG")
        self.assertLess(ends, time.strftime("%Y%m%d%H%M%S", time.gmtime()))

    def test_break_spoils_a_whole_zone(self):
        self.addCleanup(self.lab.lab, "mend", "rolling.test", "--flush")
        self.lab.lab("break", "rolling.test", "--flush")
        self.assertEqual(self.lab.status("rolling.test", "MX"), "bogus")

    def test_kill_and_start_of_name_servers(self):
        self.addCleanup(self.lab.lab, "start", "ns1")
        self.addCleanup(self.lab.lab, "start", "ns2")
        self.lab.lab("kill", "ns1")
        self.assertEqual(self.lab.dig("test", "SOA", server="127.0.1.1").rcode, "none")
        self.assertEqual(self.lab.dig("test", "SOA", server="127.0.1.2").rcode, "NOERROR")
        # One is enough for the resolver, as soon as it has noticed.
        self.lab.lab("flush", "rolling.test")
        until(lambda: self.lab.status("rolling.test", "MX") == "secure", "unbound to use ns2")
        self.publish(*self.lab.data(self.OWNER, "TLSA"))  # a change while one is dead is not lost
        self.lab.lab("start", "ns1")
        self.assertEqual(*(self.lab.data("rolling.test", "SOA", server=a) for a in world.NAMESERVERS.values()))

    def test_kill_and_start_of_the_resolver(self):
        self.addCleanup(self.lab.lab, "start", "unbound")
        self.lab.lab("kill", "unbound")
        self.assertEqual(self.lab.dig("healthy.test", "MX").rcode, "none")
        self.lab.lab("start", "unbound")
        self.assertEqual(self.lab.status("healthy.test", "MX"), "secure")

    def test_kill_and_start_of_mail_servers(self):
        for server, host in (("postfix", "mx.healthy.test"), ("smtp", "mx.nostarttls.test")):
            with self.subTest(server=server):
                self.addCleanup(self.lab.lab, "start", server)
                self.lab.lab("kill", server)
                self.assertIsNone(self.lab.ehlo(host))
                self.lab.lab("start", server)
                self.assertTrue(self.lab.ehlo(host))

    def test_late_rollover_mismatches_until_its_second_step(self):
        host = stories.HOST
        matches = lambda: self.lab.matches(host, self.lab.data(stories.OWNER, "TLSA"))
        until(matches, "the records match")
        self.lab.lab("story", "late-rollover", "--step", "1")
        until(lambda: not matches(), "they do not")
        self.lab.lab("story", "late-rollover", "--step", "2")
        until(matches, "they match again")

    def test_clean_rollover_matches_at_every_step(self):
        before = self.lab.served(stories.HOST)
        for step, count in (("1", 2), ("2", 2), ("3", 1)):
            self.lab.lab("story", "clean-rollover", "--step", step)
            records = lambda: self.lab.data(stories.OWNER, "TLSA")
            until(lambda: len(records()) == count, "the records of the step")
            self.assertTrue(self.lab.matches(stories.HOST, records()))
        self.assertNotEqual(self.lab.served(stories.HOST), before)

    def test_the_other_stories_end_well(self):
        self.lab.lab("story", "stripped-starttls", "--step", "1")
        self.assertIn("XXXXXXXA", self.lab.ehlo(stories.HOST))
        self.lab.lab("story", "stripped-starttls", "--step", "2")
        self.assertIn("STARTTLS", self.lab.ehlo(stories.HOST))
        owner = "_25._tcp.mx.drift.test"
        for step, agree in (("1", False), ("2", True)):
            self.lab.lab("story", "drift", "--step", step)
            ns1, ns2 = (self.lab.data(owner, "TLSA", server=a) for a in world.NAMESERVERS.values())
            self.assertEqual(ns1 == ns2, agree)
        said = self.lab.lab("story", "healthy", "--pause", "0")
        self.assertTrue(said.startswith("healthy 1/1: "), said)
        self.assertTrue(self.lab.matches(stories.HOST, self.lab.data(stories.OWNER, "TLSA")))

    def test_wrong_words_are_refused_with_a_sentence(self):
        for words in (
            ("swap", "mx.nobody.test"),
            ("break", "nobody.test"),
            ("break", "unsigned.test"),
            ("tlsa", "mx.healthy.test", "--next"),
        ):
            with self.subTest(words=words):
                done = subprocess.run(
                    [LAB, words[0], "--dir", self.lab.dir, *words[1:]], text=True, capture_output=True
                )
                self.assertEqual(done.returncode, 1)
                self.assertTrue(done.stderr.startswith("lab: "), done.stderr)
                self.assertNotIn("Traceback", done.stderr)


class Rollovers(unittest.TestCase):
    """`lab up --stories`: a healthy domain for every way a rollover goes."""

    TTL = 45

    @classmethod
    def setUpClass(cls):
        cls.lab = Running("--stories", str(cls.TTL))
        cls.addClassCleanup(cls.lab.close)
        with open(f"{cls.lab.dir}/expected.json") as file:
            cls.expected = json.load(file)

    def ttls(self, owner):
        """The TTLs of a TLSA set, as each name server says."""
        said = [
            self.lab.run("dig", f"@{server}", "+noall", "+answer", owner, "TLSA")
            for server in world.NAMESERVERS.values()
        ]
        return {int(line.split()[1]) for text in said for line in text.splitlines()}

    def test_each_has_a_domain_in_good_health_with_the_ttl_asked_for(self):
        for name in stories.ROLLOVERS:
            with self.subTest(story=name):
                domain, host = f"story-{name}.test", f"mx.story-{name}.test"
                self.assertEqual(self.expected[domain]["hosts"], {host: "authenticated"})
                self.assertEqual(self.lab.status(domain, "MX"), "secure")
                records = self.lab.data(f"_25._tcp.{host}", "TLSA")
                self.assertEqual([r.split()[0] for r in records], ["2", "3"] if name == "safe-via-ta" else ["3"])
                self.assertEqual(self.ttls(f"_25._tcp.{host}"), {self.TTL})
                for record in records:
                    self.assertTrue(self.lab.matches(host, [record]))

    def test_records_set_later_have_that_ttl_too(self):
        host = "mx.story-clean.test"
        self.lab.lab("prepare", host)
        coming = self.lab.lab("tlsa", host, "--next")
        self.lab.lab("set", f"_25._tcp.{host}", "TLSA", self.lab.lab("tlsa", host), coming)
        self.assertEqual(self.ttls(f"_25._tcp.{host}"), {self.TTL})
        self.assertIn(coming, self.lab.data(f"_25._tcp.{host}", "TLSA", server="127.0.1.1"))


def members(facts):
    """Processes of this machine that are in a lab's network."""
    found = []
    for path in glob.glob("/proc/[0-9]*/ns/net"):
        try:
            if os.stat(path).st_ino == facts["net_inode"]:
                found.append(path.split("/")[2])
        except OSError:
            pass
    return found


def remains(lab):
    """What is left of a lab: processes, files, mounts. Interfaces and names of namespaces live and
    die with the network namespace, which has no other holder than processes and mounts."""
    left = [f"process {pid}" for pid in members(lab.facts)]
    left += [path for path in (lab.facts["run"], lab.dir) if os.path.exists(path)]
    with open("/proc/self/mounts") as file:
        left += [
            line
            for line in file
            if lab.facts["run"] in line or lab.dir in line or f"net:[{lab.facts['net_inode']}]" in line
        ]
    return left


def interfaces():
    return sorted(os.listdir("/sys/class/net"))


class Ends(unittest.TestCase):
    """However a lab ends, nothing remains, and nothing stops the next."""

    def start(self, *arguments, directory=None):
        if directory is None:  # one that the lab itself makes, and hence removes
            parent = tempfile.mkdtemp(prefix="danelaw-lab-test-")
            self.addCleanup(shutil.rmtree, parent, True)
            directory = f"{parent}/lab"
        lab = Running(*arguments, directory=directory)
        self.addCleanup(lambda: lab.up.poll() is None and lab.close())
        return lab

    def assert_gone(self, lab, interfaces_before):
        until(lambda: not remains(lab), "all to be gone", 15)
        self.assertEqual(interfaces(), interfaces_before)

    def test_a_signal_ends_everything_also_what_was_started_inside(self):
        before = interfaces()
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(signal=number):
                lab = self.start()
                guest = subprocess.Popen([LAB, "exec", "--dir", lab.dir, "sleep", "1000"])
                self.addCleanup(guest.wait)
                until(lambda: has_child(guest.pid), "sleep to run")
                self.assertTrue(members(lab.facts))
                lab.up.send_signal(number)
                self.assertEqual(lab.up.wait(30), 0)
                lab.up.stdout.close()
                # No waiting here: when `lab up` has ended, all is gone.
                self.assertEqual(remains(lab), [])
                self.assertEqual(interfaces(), before)
                self.assertNotEqual(guest.wait(10), 0)

    def test_a_lab_of_its_own_leaves_no_folder(self):
        done = subprocess.run(
            [LAB, "up", "--", "sh", "-c", "echo $LAB_DIR; touch $LAB_DIR/of-the-command"],
            text=True,
            capture_output=True,
            timeout=120,
        )
        directory = done.stdout.splitlines()[-1]
        self.assertTrue(directory.startswith("/tmp/danelaw-lab-dir-"), done.stdout + done.stderr)
        self.assertFalse(os.path.exists(directory))

    def test_kill_9_leaves_nothing_and_the_directory_serves_again(self):
        before = interfaces()
        lab = self.start()
        lab.up.kill()
        lab.up.wait(10)
        lab.up.stdout.close()
        self.assert_gone(lab, before)
        again = self.start(directory=lab.dir)
        self.assertEqual(again.status("healthy.test", "MX"), "secure")
        again.close()
        self.assert_gone(again, before)

    def test_what_a_dead_machine_left_does_not_stop_the_next(self):
        before = interfaces()
        lab = self.start()
        litter = tempfile.mkdtemp(prefix="danelaw-lab-", dir="/tmp")
        facts = dict(lab.facts, run=litter, net_inode=1)
        lab.close()
        os.makedirs(lab.dir)
        with open(f"{lab.dir}/lab.json", "w") as file:
            json.dump(facts, file)
        again = self.start(directory=lab.dir)
        self.assertFalse(os.path.exists(litter))
        again.close()
        os.path.exists(lab.dir) and os.rmdir(lab.dir)
        self.assert_gone(again, before)

    def test_two_labs_run_side_by_side_and_a_third_may_not_share_a_directory(self):
        before = interfaces()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            one, two = pool.map(lambda _: self.start(), range(2))
        owner = "_25._tcp.mx.healthy.test"
        kept = two.data(owner, "TLSA")
        one.lab("set", owner, "TLSA", "--flush")
        self.assertEqual(one.data(owner, "TLSA"), [])
        self.assertEqual(two.data(owner, "TLSA"), kept)
        refused = subprocess.run([LAB, "up", "--dir", one.dir], text=True, capture_output=True)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("already holds a lab", refused.stderr)
        one.close()
        self.assert_gone(one, before)
        self.assertEqual(two.data(owner, "TLSA"), kept)
        two.close()
        self.assert_gone(two, before)

    def test_a_command_is_served_outside_and_its_exit_status_is_the_labs(self):
        before = interfaces()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        code = (
            "import http.server, os, sys\n"
            "class Say(http.server.BaseHTTPRequestHandler):\n"
            "    def do_GET(self):\n"
            "        self.send_response(200)\n        self.end_headers()\n"
            "        self.wfile.write(os.environ['LAB_DIR'].encode())\n"
            "    def log_message(self, *_): pass\n"
            "http.server.HTTPServer(('127.0.0.1', 8000), Say).handle_request()\n"
            "sys.exit(7)\n"
        )
        lab = self.start("--publish", f"{port}:8000", "--", "/usr/bin/python3", "-c", code)

        def fetch():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as reply:
                    return reply.read().decode()
            except OSError:
                return None

        self.assertEqual(until(fetch, "the command to answer outside"), lab.dir)
        self.assertEqual(lab.up.wait(15), 7)
        lab.up.stdout.close()
        self.assert_gone(lab, before)


if __name__ == "__main__":
    unittest.main()
