#!/usr/bin/python3
"""Holds danelaw's verdicts on every domain of the lab beside those of posttls-finger, delv,
hash-slinger's tlsa and openssl s_client. Prints docs/comparison.md; needs root and a release build.

A disagreement that nobody has explained in WHY below is an error: exit status 1.
"""

import collections
import concurrent.futures
import sys

from living_lab import LivingLab

ONE_ADDRESS = "it tries one address or host, by order or chance; danelaw tries all, and mail gets through another"
ONE_RECORD = "it requires every record to match; one is enough (RFC 7672 §3.1)"
NO_PATH = "it compares only the anchor's octets, neither dates nor names (RFC 7672 §3.1.2, §3.2.2)"
NO_ALIAS = "it asks for TLSA at the alias, not at the alias-expanded name first (RFC 7672 §2.2.2)"
NO_EHLO = "it sends STARTTLS whatever the EHLO response says; mail software must not"
TLS_ONLY = "TLS is authenticated, but the server then answers EHLO with 421: no mail gets through"
CA_NEEDED = "it looks for the anchor among the certificates sent, not in the record (RFC 7671 §5.2.2)"
LONG_LINE = "it gives up at an EHLO line of 5000 octets; that line is not about STARTTLS and can be skipped"

# (tool, domain or host) -> why it differs
WHY = {
    ("openssl s_client", "mx.e07.corpus.test"): "it was not given the next-hop domain, which the certificate names too",
    ("openssl s_client", "mx.f06.corpus.test"): NO_EHLO,
    ("openssl s_client", "mx.f17.corpus.test"): NO_EHLO,
    ("openssl s_client", "mx.f32.corpus.test"): TLS_ONLY,
    ("posttls-finger", "b16.corpus.test"): ONE_ADDRESS,
    ("posttls-finger", "g01.corpus.test"): ONE_ADDRESS,
    ("posttls-finger", "g04.corpus.test"): ONE_ADDRESS,
    ("posttls-finger", "g06.corpus.test"): ONE_ADDRESS,
    ("posttls-finger", "f13.corpus.test"): LONG_LINE,
    ("posttls-finger", "f32.corpus.test"): TLS_ONLY,
    ("posttls-finger", "s03.corpus.test"): "Postfix keeps 100 records of a response, danelaw all 1001; whether Postfix"
    " finds the one that matches depends on their order",
    ("tlsa", "mx.a35.corpus.test"): ONE_RECORD,
    ("tlsa", "mx.c07.corpus.test"): NO_ALIAS,
    ("tlsa", "mx.cname.test"): NO_ALIAS,
    ("tlsa", "mx.e04.corpus.test"): NO_PATH,
    ("tlsa", "mx.e06.corpus.test"): NO_PATH,
    ("tlsa", "mx.e27.corpus.test"): NO_PATH,
    ("tlsa", "mx.e11.corpus.test"): CA_NEEDED,
    ("tlsa", "mx.e12.corpus.test"): CA_NEEDED,
    ("tlsa", "mx.e29.corpus.test"): ONE_RECORD,
    ("tlsa", "mx.e33.corpus.test"): ONE_RECORD,
    ("tlsa", "mx.f06.corpus.test"): NO_EHLO,
    ("tlsa", "mx.f13.corpus.test"): LONG_LINE,
    ("tlsa", "mx.f17.corpus.test"): NO_EHLO,
    ("tlsa", "mx.f32.corpus.test"): TLS_ONLY,
    (
        "tlsa",
        "mx.g01.corpus.test",
    ): "it requires every address to match; danelaw reports endpoint-partial for this host",
    (
        "tlsa",
        "mx.g04.corpus.test",
    ): "it requires every address to match; danelaw reports endpoint-partial for this host",
    ("tlsa", "mx.s03.corpus.test"): ONE_RECORD,
    (
        "tlsa",
        "mx.unusable.test",
    ): "it accepts usage 1, which SMTP does not (RFC 7672 §3.1.3): encrypted, nobody authenticated",
}

# libunbound refuses loopback and answers for test. itself (RFC 6761) unless told otherwise; tlsa has no option.
TLSA = """
import runpy, sys, unbound
conf, made = sys.argv.pop(1), unbound.ub_ctx.__init__
def init(self):
    made(self)
    assert self.config(conf) == 0
unbound.ub_ctx.__init__ = init
runpy.run_path("/usr/bin/tlsa", run_name="__main__")
"""


class Comparison:
    def __init__(self, lab):
        self.lab = lab
        with open(f"{lab.dir}/libunbound.conf", "w") as file:
            file.write('server:\n do-not-query-localhost: no\n local-zone: "test." nodefault\n')

    def run(self, *command):
        """What a tool printed, and whether it was content. One that hangs is stopped."""
        done = self.lab.inside("timeout", "20", *command)
        return done.stdout + done.stderr, done.returncode

    # --- each tool's opinion, in danelaw's words ---

    def posttls_finger(self, domain):
        said, _ = self.run("posttls-finger", "-c", "-l", "dane", "-t", "5", "-T", "5", "-Lsummary", domain)
        if "Verified TLS connection established" in said:
            return "authenticated"
        return "host-authenticated" if "log verified as trusted" in said else "not authenticated"

    def delv(self, domain):
        said, _ = self.run("delv", "-a", f"{self.lab.dir}/delv.keys", "+root=.", "MX", domain)
        if "unsigned answer" in said:
            return "insecure"
        if "fully validated" in said:
            return "secure"
        return "no answer" if "ncache" in said else "failed"

    def tlsa(self, host):
        said, _ = self.run(
            "/usr/bin/python3",
            "-c",
            TLSA,
            f"{self.lab.dir}/libunbound.conf",
            "--verify",
            "--port",
            "25",
            "--starttls",
            "smtp",
            "--rootkey",
            f"{self.lab.dir}/root.key",
            "--ca-cert",
            f"{self.lab.dir}/ca.pem",
            "--resolvconf",
            "/etc/resolv.conf",
            host,
        )
        return "matches" if "SUCCESS" in said and "FAIL" not in said else "does not match"

    def s_client(self, endpoint, tlsa):
        address = endpoint["address"]
        where = f"[{address}]" if ":" in address else address
        records = [
            word
            for record in tlsa["records"]
            if record["usable"]
            for word in ("-dane_tlsa_rrdata", "{usage} {selector} {matching_type} {data}".format(**record))
        ]
        said, _ = self.run(
            "openssl",
            "s_client",
            "-starttls",
            "smtp",
            "-connect",
            f"{where}:25",
            "-servername",
            tlsa["base_domain"],
            "-dane_tlsa_domain",
            tlsa["base_domain"],
            "-dane_ee_no_namechecks",
            "-verify_return_error",
            "-brief",
            *records,
        )
        return "matches" if "DANE TLSA" in said and "Verification: OK" in said else "does not match"

    # --- one domain beside them all: (tool, about, theirs, ours) ---

    def compare(self, domain):
        seen = self.lab.check(domain, arguments=("--timeout", "5s"))[0][domain]
        ours = seen["verdict"] if seen["verdict"] in ("authenticated", "host-authenticated") else "not authenticated"
        yield "posttls-finger", domain, self.posttls_finger(domain), ours
        mx = seen["mx"]
        if mx["source"] == "mx":
            yield "delv", domain, self.delv(domain), mx["dnssec"] if mx["outcome"] == "answer" else "failed"
        for host in seen["hosts"]:
            tlsa, endpoints = host["tlsa"], [e for e in host["endpoints"] if e["key_type"] == "default"]
            if not tlsa or not tlsa["records"] or tlsa["dnssec"] != "secure" or not endpoints:
                continue
            is_good = host["verdict"] in ("authenticated", "host-authenticated")
            yield "tlsa", host["host"], self.tlsa(host["host"]), "matches" if is_good else "does not match"
            for endpoint in endpoints:
                matches = endpoint["verdict"] in ("authenticated", "host-authenticated")
                yield (
                    "openssl s_client",
                    f"{host['host']} [{endpoint['address']}]",
                    self.s_client(endpoint, tlsa),
                    "matches" if matches else "does not match",
                )


HEAD = """# Compared with other tools

Every domain of the lab (`tests/lab`, with `--corpus`), judged by danelaw and by tools that answer a part of
the same question. Written by `tests/e2e/compare.py`; do not edit.

- posttls-finger: is the host that it tries authenticated by DANE, as Postfix would?
- delv: is the MX RRset secure, insecure, or does its lookup fail?
- hash-slinger's tlsa: do the certificates of a host match its TLSA records?
- openssl s_client: does one address's certificate match the records that danelaw looked up?
"""


def print_document(rows):
    tally = collections.Counter((tool, theirs == ours) for tool, _, theirs, ours in rows)
    print(HEAD)
    print("| tool | compared | agrees | differs |\n|---|---|---|---|")
    for tool in ("posttls-finger", "delv", "tlsa", "openssl s_client"):
        good, bad = tally[tool, True], tally[tool, False]
        print(f"| {tool} | {good + bad} | {good} | {bad} |")
    print("\n## Where they differ\n\n| tool | of | it says | danelaw says | why |\n|---|---|---|---|---|")
    for tool, about, theirs, ours in sorted(set(rows)):
        if theirs != ours:
            print(f"| {tool} | {about} | {theirs} | {ours} | {WHY.get((tool, about.split()[0]), 'NOT EXPLAINED')} |")


def main():
    lab = LivingLab("--corpus")
    try:
        comparison = Comparison(lab)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            rows = [
                row
                for rows in pool.map(lambda name: list(comparison.compare(name)), sorted(lab.expected))
                for row in rows
            ]
    finally:
        lab.close()
    print_document(rows)
    return any(theirs != ours and (tool, about.split()[0]) not in WHY for tool, about, theirs, ours in rows)


if __name__ == "__main__":
    sys.exit(main())
