#!/usr/bin/python3
"""Commands that need no network: `danelaw tlsa` held against openssl, `danelaw replay` as its document has it,
and the deploy hooks of docs/hooks with a gate that says what it is told to.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from living_lab import DANELAW, ROOT


class Commands(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="danelaw-e2e-")
        self.addCleanup(shutil.rmtree, self.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def read(self, name):
        with open(self.path(name)) as file:
            return file.read()

    def run_it(self, *command, stdin=None, env=None):
        return subprocess.run(command, text=True, capture_output=True, input=stdin, env=env, timeout=30)

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Help(Commands):
    def commands(self):
        told = self.run_it(DANELAW, "--help").stdout
        return re.findall(r"^  ([a-z-]+) ", told.partition("Subcommands:\n")[2], re.M)

    def test_every_subcommand_tells_its_exit_statuses_and_an_example(self):
        self.assertGreater(len(self.commands()), 20)
        for command in self.commands():
            with self.subTest(command):
                told = self.run_it(DANELAW, command, "--help").stdout
                self.assertRegex(told, rf"\nExit status: .*\nExample:\n(  .*\n)*  danelaw {command}\b")

    def test_the_manual_has_no_value_for_flags_that_exclude_each_other(self):
        for name, wrong in (("danelaw.1", "Excludes"), ("_danelaw", "--not-for-mail[^\n]*:not-for-mail:")):
            with open(os.path.join(ROOT, "docs", "man", name)) as file:
                self.assertNotRegex(file.read(), wrong)

    def test_output_that_cannot_be_written_is_said_and_no_success(self):
        config = self.write("danelaw.yaml", "domains: [example.org]\n")
        for words in ("--version", "--help", "gate --help", f"check-config {config}"):
            with self.subTest(words), open("/dev/full", "w") as full:
                done = subprocess.run(
                    [DANELAW, *words.split()], stdout=full, stderr=subprocess.PIPE, text=True, timeout=30
                )
                self.assertEqual((done.returncode, done.stderr.count("cannot be written")), (3, 1), done.stderr)


class Backup(Commands):
    def test_what_stands_in_its_way_is_told_by_the_exit_status(self):
        """As the package's preinst needs it."""
        for text, status in (
            ("domains: [example.org]\nstorage: {path: %s}\n" % self.path("none.db"), 2),
            ("domains: [example.org]\nstorage: {path: %s}\n" % self.write("other.db", "words, many words"), 1),
            ("domains: []\n", 3),
        ):
            with self.subTest(text):
                config = self.write("danelaw.yaml", text)
                done = self.run_it(DANELAW, "backup", "--config", config, self.path("copy.db"))
                self.assertEqual((done.returncode, bool(done.stderr)), (status, True), done.stderr)
                self.assertFalse(os.path.exists(self.path("copy.db")))


class Tlsa(Commands):
    def setUp(self):
        super().setUp()
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
        self.openssl(
            "req", "-x509", *curve, "-keyout", self.path("ca.key"), "-out", self.path("ca.pem"), "-subj", "/CN=Test CA"
        )
        self.openssl(
            "req",
            "-x509",
            *curve,
            "-keyout",
            self.path("leaf.key"),
            "-out",
            self.path("leaf.pem"),
            "-subj",
            "/CN=mx.example.org",
            "-CA",
            self.path("ca.pem"),
            "-CAkey",
            self.path("ca.key"),
        )

    def digest_of_key(self, certificate):
        """As operators do it by hand: SHA2-256 of the SubjectPublicKeyInfo in DER."""
        done = subprocess.run(
            f"openssl x509 -in {certificate} -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum",
            shell=True,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.split()[0]

    def test_it_prints_3_1_1_of_the_leaf_and_2_1_1_of_its_issuers(self):
        chain = self.write("chain.pem", self.read("leaf.pem") + self.read("ca.pem"))
        wanted = [
            ("3 1 1", self.digest_of_key(self.path("leaf.pem"))),
            ("2 1 1", self.digest_of_key(self.path("ca.pem"))),
        ]
        for arguments, stdin in (((chain,), None), (("-",), self.read("chain.pem"))):
            done = self.run_it(DANELAW, "tlsa", *arguments, stdin=stdin)
            self.assertEqual(done.returncode, 0, done.stderr)
            seen = [(line[:5], line.split()[3]) for line in done.stdout.splitlines()]
            self.assertEqual(seen, wanted)

    def test_the_order_and_the_form_of_the_file_do_not_matter(self):
        """The issuer first: its key must not pass for the server's, which `gate` would have published."""
        leaf, ca = self.read("leaf.pem"), self.read("ca.pem")
        wanted = [
            "3 1 1 " + self.digest_of_key(self.path("leaf.pem")),
            "2 1 1 " + self.digest_of_key(self.path("ca.pem")),
        ]
        self.write("wrong-way.pem", ca + leaf)
        self.write("with-key.pem", self.read("leaf.key") + leaf + ca)
        bundle = ["crl2pkcs7", "-nocrl", "-certfile", self.path("wrong-way.pem")]
        self.openssl(*bundle, "-out", self.path("bundle.p7b"))
        self.openssl(*bundle, "-outform", "DER", "-out", self.path("bundle.p7c"))
        self.openssl("x509", "-in", self.path("leaf.pem"), "-outform", "DER", "-out", self.path("leaf.der"))
        for name, records in (
            ("wrong-way.pem", 2),
            ("with-key.pem", 2),
            ("bundle.p7b", 2),
            ("bundle.p7c", 2),
            ("leaf.der", 1),
        ):
            with self.subTest(name):
                done = self.run_it(DANELAW, "tlsa", self.path(name))
                self.assertEqual(
                    [line.partition(" ;")[0] for line in done.stdout.splitlines()], wanted[:records], done.stderr
                )
                self.assertEqual("not the first" in done.stderr, name == "wrong-way.pem")

    def test_gate_reads_the_same_files(self):
        """Which it does before it asks anybody: what it refuses here needs no network."""
        config = self.write("danelaw.yaml", "domains: [example.org]\n")
        self.openssl("req", "-new", "-key", self.path("leaf.key"), "-subj", "/CN=x", "-out", self.path("request.pem"))
        self.openssl(
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/CN=other",
            "-keyout",
            self.path("other.key"),
            "-out",
            self.path("other.pem"),
        )
        self.write("two.pem", self.read("leaf.pem") + self.read("other.pem"))
        for name, why in (
            ("leaf.key", "a key and no certificate"),
            ("request.pem", "a certificate request"),
            ("two.pem", "2 certificates"),
            ("nowhere.pem", "No such file"),
        ):
            with self.subTest(name):
                done = self.run_it(DANELAW, "gate", "--config", config, "--host", "mx.example.org", self.path(name))
                self.assertEqual(done.returncode, 3)
                self.assertIn(why, done.stderr)
                self.assertIn(name, done.stderr)

    def test_a_key_alone_will_do(self):
        done = self.run_it(DANELAW, "tlsa", self.path("leaf.key"))
        self.assertEqual(done.stdout.split()[:4], ["3", "1", "1", self.digest_of_key(self.path("leaf.pem"))])
        self.assertNotIn("PRIVATE", done.stdout + done.stderr)

    def test_lines_of_a_zone_file(self):
        done = self.run_it(
            DANELAW, "tlsa", "--host", "MX.Example.org", "--ttl", "30m", "--port", "587", self.path("leaf.pem")
        )
        self.assertEqual(done.stdout.split()[:4], ["_587._tcp.mx.example.org.", "1800", "IN", "TLSA"])

    def test_what_is_no_certificate_is_refused_with_a_reason(self):
        for name, text in (
            ("empty", ""),
            ("text", "hello\n"),
            ("cut", self.read("leaf.pem")[:200] + "\n-----END CERTIFICATE-----\n"),
        ):
            with self.subTest(name):
                done = self.run_it(DANELAW, "tlsa", self.write(name, text))
                self.assertNotEqual(done.returncode, 0)
                self.assertEqual(done.stdout, "")
                self.assertTrue(done.stderr)
        for arguments in (("--host", "not a name"), ("--ttl", "soon"), ("--port", "0")):
            with self.subTest(arguments):
                done = self.run_it(DANELAW, "tlsa", *arguments, self.path("leaf.pem"))
                self.assertNotEqual(done.returncode, 0)
                self.assertTrue(done.stderr)


class Words(Commands):
    """What is wrong is named, and the right word when it is near."""

    def test_unknown_commands_and_options(self):
        for arguments, wanted in (
            (("frobnicate",), ["danelaw has no command frobnicate;"]),
            (("chek", "example.org"), ["no command chek", "did you mean check?"]),
            (("run", "--confg", "x"), ["danelaw run has no option --confg", "did you mean --config?"]),
            (("check", "--fromat=json", "example.org"), ["--fromat", "did you mean --format?"]),
            (("--verison",), ["danelaw has no option --verison", "did you mean --version?"]),
            (("check", "--helo"), ["--helo"]),
            (("run",), ["--config"]),
            ((), ["check-config", "name one of these commands"]),
        ):
            with self.subTest(arguments):
                done = self.run_it(DANELAW, *arguments)
                self.assertEqual((done.returncode, done.stdout), (3, ""))
                for text in wanted:
                    self.assertIn(text, done.stderr)

    def test_what_is_right_is_not_complained_of(self):
        for arguments in (("--help",), ("check", "--help"), ("--version",), ("tlsa", "-h")):
            self.assertEqual(self.run_it(DANELAW, *arguments).returncode, 0, arguments)
        # What follows an option is its value, whatever it looks like.
        self.assertIn("--timeout -x:", self.run_it(DANELAW, "check", "--timeout=-x", "example.org").stderr)

    def test_a_mail_address_or_a_link_is_no_domain_but_has_one(self):
        for given in ("postmaster@example.org", "https://example.org/"):
            done = self.run_it(DANELAW, "check", given)
            self.assertEqual(done.returncode, 3)
            self.assertIn("is the domain example.org?", done.stderr)

    def test_durations_show_how_they_are_written(self):
        for arguments in (("check", "--timeout", "15", "example.org"), ("tlsa", "--ttl", "1 hour", "x.pem")):
            self.assertIn("e.g. 30", self.run_it(DANELAW, *arguments).stderr)
        file = self.write("bare.yaml", "domains: [example.org]\nschedule: {interval: 15}\n")
        self.assertIn("write s, m, h or d behind it", self.run_it(DANELAW, "check-config", file).stderr)

    def test_nagios_gets_a_line_on_standard_output_whatever_is_wrong(self):
        for arguments in (
            ("a@example.org",),
            ("--resolver", "nowhere", "example.org"),
            (),
            ("--trust-anchor", "/nowhere", "example.org"),
        ):
            with self.subTest(arguments):
                done = self.run_it(DANELAW, "check", "--format", "nagios", *arguments)
                self.assertEqual(done.returncode, 3)
                self.assertRegex(done.stdout, r"\ADANE UNKNOWN: [^\n]+\n\Z")


class Start(Commands):
    """`check-config` refuses what `run` refuses."""

    def configured(self, text):
        return self.write(
            "danelaw.yaml", f"domains: [example.org]\n{text}\n" f"storage: {{path: {self.path('danelaw.db')}}}\n"
        )

    def test_the_same_is_refused(self):
        webhook = "notify: {{webhooks: [{{name: a, url: http://127.0.0.1:1/, {}}}]}}"
        self.write("tls.yml", "tls_server_config: {cert_file: missing.crt, key_file: missing.key}\n")
        for text, why in (
            ("mta_sts: {ca_file: missing.pem}", "missing.pem"),
            ("dns: {trust_anchor_file: missing.ds}", "missing.ds"),
            ("dns: {trust_anchor_file: tls.yml}", "tls.yml"),
            (webhook.format("secret_file: missing"), "missing"),
            (webhook.format("template_file: missing"), "missing"),
            ("domain_lists: [{file: missing.txt}]", "missing.txt"),
            ("web: {tokens: [{name: a, file: missing}]}", "missing"),
            ("web: {config_file: missing.yml}", "missing.yml"),
            ("web: {config_file: tls.yml}", "missing.crt"),
        ):
            with self.subTest(text):
                file = self.configured(text)
                for command in (("check-config", file), ("run", "--config", file)):
                    done = self.run_it(DANELAW, *command)
                    self.assertEqual(done.returncode, 1, done.stderr)
                    self.assertIn(why, done.stderr)
                    self.assertNotIn("no errors", done.stdout)

    def test_all_of_it_is_named_at_once(self):
        file = self.configured("mta_sts: {ca_file: missing.pem}\n" "web: {tokens: [{name: a, file: missing.token}]}")
        said = self.run_it(DANELAW, "check-config", file).stderr
        for name in ("missing.pem", "missing.token"):
            self.assertIn(name, said)

    def test_a_byte_order_mark_does_no_harm(self):
        self.write("list.txt", "\ufeffpartner.example\n")
        file = self.write(
            "bom.yaml",
            "\ufeffdomains: [example.org]\ndomain_lists: [{file: list.txt}]\n" "smtp: {helo: monitor.example}\n",
        )
        done = self.run_it(DANELAW, "check-config", file)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("2 domains", done.stdout)


class Replay(Commands):
    def blocks(self):
        with open(f"{ROOT}/docs/replay.md") as file:
            return re.findall(r"```json\n(.*?)```", file.read(), re.S)

    def test_the_example_in_the_document_prints_what_the_document_says(self):
        story, printed = self.blocks()[:2]
        for arguments, stdin in (((self.write("story.json", story),), None), (("-",), story)):
            done = self.run_it(DANELAW, "replay", *arguments, stdin=stdin)
            self.assertEqual(done.returncode, 0, done.stderr)
            lines = [json.loads(line) for line in done.stdout.splitlines()]
            told = [json.loads(line) for line in printed.splitlines()]
            self.assertEqual(lines[-1], told[-1])
            for one in told[:-1]:
                self.assertIn(one, lines)

    def test_what_is_no_story_is_refused_with_a_reason(self):
        story = json.loads(self.blocks()[0])
        for name, text in (
            ("nothing", ""),
            ("json", "{"),
            ("schema", '{"schema":"danelaw.replay/2"}'),
            ("list", "[]"),
            ("deep", "[" * 100_000),
            ("time", json.dumps({**story, "events": [{"at": "now", "server": "*", "tlsa": []}]})),
        ):
            with self.subTest(name):
                done = self.run_it(DANELAW, "replay", "-", stdin=text)
                self.assertNotEqual(done.returncode, 0)
                self.assertEqual(done.stdout, "")
                self.assertTrue(done.stderr)


class Hooks(Commands):
    """What is live stays live unless the gate says yes; a reload that failed is made up for."""

    HOOKS = {"certbot-deploy.sh": "DANELAW_LINEAGE", "acme-sh-reload.sh": "DANELAW_STAGED"}

    def setUp(self):
        super().setUp()
        os.mkdir(self.path("bin"))
        self.write(
            "bin/danelaw",
            f'#!/bin/sh\necho "$@" >>{self.dir}/asked\ncat "$6" >{self.dir}/judged\n'
            f"exit $(cat {self.dir}/answer)\n",
        )
        os.chmod(self.path("bin/danelaw"), 0o755)
        os.mkdir(self.path("new"))

    def hook(self, name, answer, reload="true", **more):
        self.write("answer", str(answer))
        env = {
            "PATH": f"{self.dir}/bin:{os.environ['PATH']}",
            "DANELAW_HOST": "mx.example.org",
            "DANELAW_CONFIG": "/etc/danelaw/x.yaml",
            "DANELAW_TARGET": self.path("live.pem"),
            "DANELAW_RELOAD": reload,
            self.HOOKS[name]: self.path("new"),
            **more,
        }
        return self.run_it("bash", f"{ROOT}/docs/hooks/{name}", env=env).returncode

    def renew(self, text):
        self.write("new/privkey.pem", f"key of {text}\n")
        self.write("new/fullchain.pem", f"chain of {text}\n")
        return f"key of {text}\nchain of {text}\n"

    def each_hook(self, check):
        for name in self.HOOKS:
            with self.subTest(name):
                for left in ("live.pem", "live.pem.reload", "reloads", "asked"):
                    if os.path.exists(self.path(left)):
                        os.remove(self.path(left))
                check(name)

    def reload(self):
        return "sh " + self.write("reload", f"echo >>{self.dir}/reloads\n")

    def test_only_a_yes_puts_it_live(self):
        def check(name):
            self.write("live.pem", "old\n")
            new = self.renew("new")
            for answer, status in ((1, 0), (2, 2), (3, 3), (9, 3), (127, 3)):
                self.assertEqual(self.hook(name, answer, self.reload()), status, f"the gate says {answer}")
                self.assertEqual(self.read("live.pem"), "old\n")
                self.assertFalse(os.path.exists(self.path("reloads")))
            self.assertEqual(self.hook(name, 0, self.reload()), 0)
            self.assertEqual(self.read("live.pem"), new)
            self.assertEqual(self.read("judged"), new, "the gate saw what went live")
            self.assertEqual(self.read("reloads"), "\n")
            self.assertEqual(os.stat(self.path("live.pem")).st_mode & 0o077, 0, "a private key")
            self.assertRegex(
                self.read("asked").splitlines()[-1], r"^gate --config /etc/danelaw/x.yaml --host mx.example.org \S+$"
            )
            self.assertEqual([one for one in os.listdir(self.dir) if one.startswith("live.pem.")], [])

        self.each_hook(check)

    def test_what_is_live_already_is_not_asked_about(self):
        def check(name):
            self.write("live.pem", self.renew("same"))
            self.assertEqual(self.hook(name, 2, self.reload()), 0)
            self.assertFalse(os.path.exists(self.path("asked")))
            self.assertFalse(os.path.exists(self.path("reloads")))

        self.each_hook(check)

    def test_a_reload_that_failed_is_tried_again(self):
        def check(name):
            self.renew("new")
            self.assertEqual(self.hook(name, 0, "false"), 4)
            self.assertEqual(self.hook(name, 2, self.reload()), 0, "it is in place: nothing to ask")
            self.assertEqual(self.read("reloads"), "\n")
            self.assertEqual(self.hook(name, 2, self.reload()), 0)
            self.assertEqual(self.read("reloads"), "\n", "once")

        self.each_hook(check)

    def test_a_file_that_is_missing_leaves_all_as_it_is(self):
        def check(name):
            self.write("live.pem", "old\n")
            self.renew("new")
            os.remove(self.path("new/fullchain.pem"))
            self.assertEqual(self.hook(name, 0), 4)
            self.assertEqual(self.read("live.pem"), "old\n")
            self.assertEqual(len(os.listdir(self.path("new"))), 1)

        self.each_hook(check)

    def test_certbot_calls_for_other_certificates_too(self):
        self.renew("new")
        self.assertEqual(self.hook("certbot-deploy.sh", 0, RENEWED_LINEAGE="/etc/letsencrypt/live/www"), 0)
        self.assertFalse(os.path.exists(self.path("live.pem")))


if __name__ == "__main__":
    unittest.main()
