#!/usr/bin/python3
"""Makes the seeds of the fuzz targets anew, beside this file. Keys and certificates come out different
each time, so run it only to add or change a seed, and commit what it made.
"""
import base64
import gzip
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent


def keep(corpus, seeds):
    folder = HERE / corpus
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, octets in seeds.items():
        assert len(octets) < 4096, (corpus, name)
        (folder / name).write_bytes(octets)


# ---- SMTP: octet 0 has the count of chunk lengths and, in its high three bits, how often to repeat


def stream(octets, chunks=(), repeat=0):
    return bytes([repeat << 5 | len(chunks), *chunks]) + octets


keep(
    "smtp_reply",
    {
        "session": stream(
            b"220 mx.example.test ESMTP\r\n250-mx.example.test\r\n250-PIPELINING\r\n"
            b"250-SIZE 10240000\r\n250-STARTTLS\r\n250 8BITMIME\r\n220 2.0.0 go ahead\r\n",
            (7, 1, 30),
        ),
        "masked": stream(b"250-mx.example.test\r\n250-XXXXXXXA\r\n250 HELP\r\n", (0, 3)),
        "bare-lf": stream(b"220-a\n220\n250 b\n", (2,)),
        "codes-differ": stream(b"250-a\r\n550 b\r\n", (6, 1)),
        "malformed": stream(b"220 a\r\n\x16\x03\x01\x00\x05hello\r\n", (5,)),
        "long-line": stream(b"250-" + b"x" * 1100 + b"\r\n250 STARTTLS\r\n", (255, 9)),
        "many-lines": stream(b"250-a\r\n250-b\r\n250-\r\n", (19,), repeat=7),
        "no-end": stream(b"250-" + b"y" * 700, (250,), repeat=7),
    },
)


# ---- a mail log: lines as Postfix writes them

HEAD = b"Nov 28 19:19:20 out postfix-out/smtp[545]: "
DELIVERED = b"to=<x@a.test>, relay=mx.a.test[127.0.2.1]:25, delay=0.2, delays=0/0/0.1/0, "
keep(
    "maillog",
    {
        "verified": HEAD
        + b"Verified TLS connection established to mx.a.test[127.0.2.1]:25: TLSv1.3 with cipher X (256/256 bits)\n"
        + HEAD
        + b"4jcKpc4yXSz1bsL3: "
        + DELIVERED
        + b"dsn=2.0.0, status=sent (250 2.0.0 Ok)\nNov 28 19:19:20 out postfix-out/qmgr[5]: 4jcKpc4yXSz1bsL3: removed\n",
        "deferred": HEAD
        + b"ABCDEF: Server certificate not verified\n"
        + HEAD
        + b"ABCDEF: "
        + DELIVERED
        + b"dsn=4.7.5, status=deferred (TLS is required, but was not offered by host mx.a.test[127.0.2.1])\n",
        "iso": b'2026-11-28T20:19:20.123456+01:00 out postfix/smtp[1]: ABCDEF: to=<"a>, "@b.test>, orig_to=<c>, relay=none, '
        b"delay=1e3, tls=may:none/(requiretls), dsn=4.7.5, status=deferred (TLSA lookup error for mx.b.test:25)\n",
        "rfc5424": b'<22>1 2026-11-28T19:19:20Z out postfix/smtp 1 - [x a="b"] ABCDEF: '
        + DELIVERED
        + b"status=bounced (x)\n",
        "journal": b"__REALTIME_TIMESTAMP=1795893560123456\n_PID=7\nSYSLOG_IDENTIFIER=postfix/smtp\nMESSAGE=ABCDEF: "
        + DELIVERED
        + b"status=sent (ok)\n\n",
        "journal-binary": b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1795893560123456\n_PID=7\nSYSLOG_IDENTIFIER=postfix/smtp\n"
        + b"ANYTHING\n\x0a\0\0\0\0\0\0\0\n\nMESSAGE=\nMESSAGE=ABCDEF: "
        + DELIVERED
        + b"status=sent (ok)\n\n",
    },
)


# ---- a mailbox server: octet 0 has the length of the pieces

keep(
    "service",
    {
        "imap": b"\x05* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK done\r\n"
        b"a2 OK begin\r\n",
        "pop3": b"\x03+OK ready\r\n+OK\r\nTOP\r\nSTLS\r\n.\r\n-ERR no\r\n",
        "sieve": b'\x07"IMPLEMENTATION" "x"\r\n"STARTTLS"\r\nOK(WARNINGS) "ready"\r\nNO (TRYLATER) "later"\r\n',
        "bare-lf": b"\x00* BYE\n220 smtp\n\n554-no\n",
    },
)


# ---- a socketmap: octet 0 has the length of the pieces

keep(
    "socketmap",
    {
        "two": b"\x0314:danelaw a.test,9:danelaw a,",
        "zero": b"\x00014:danelaw a.test,",
        "http": b"\x07GET / HTTP/1.0\r\n",
    },
)


# ---- TLSA: RDATA and text

keep(
    "tlsa",
    {
        "rdata-3-1-1": bytes([3, 1, 1, *range(32)]),
        "rdata-3-0-2": bytes([3, 0, 2, *range(64)]),
        "rdata-empty": bytes([3, 1, 1]),
        "rdata-private": bytes([255, 255, 255, 0]),
        "text-3-1-1": b"3 1 1 " + b"0b9fa5a59eed715c26c1020c711b4f6e" * 2,
        "text-zone-file": b"2 0 1 ( 0B9FA5A59EED715C\n\t26C1020C711B4F6E\r\n 0b9fa5a59eed715c26c1020c711b4f6e )",
        "text-no-data": b"3 1 1",
        "text-odd": b"3 1 1 abc",
        "digits": b"00ffABcd",
    },
)


# ---- DNS messages


def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"


def record(owner, kind, ttl, data, klass=1):
    return owner + struct.pack(">HHIH", kind, klass, ttl, len(data)) + data


def message(question, kind, answer=(), authority=(), additional=(), flags=0x81A0):
    counts = [1, len(answer), len(authority), len(additional)]
    return (
        struct.pack(">HH4H", 0x1234, flags, *counts)
        + name(question)
        + struct.pack(">HH", kind, 1)
        + b"".join([*answer, *authority, *additional])
    )


AT = b"\xc0\x0c"  # the question's name
RRSIG = struct.pack(">HBBIIIH", 52, 13, 5, 3600, 1_900_000_000, 1_700_000_000, 12345) + name("example.test")
OPT = record(b"\0", 41, 0x01000000 | 0x8000, struct.pack(">HHH", 15, 11, 7) + b"too \x1b old", klass=1232)

keep(
    "dns_message",
    {
        "tlsa-signed": message(
            "_25._tcp.mx.example.test",
            52,
            [record(AT, 52, 3600, bytes([3, 1, 1, *range(32)])), record(AT, 46, 3600, RRSIG + bytes(64))],
        ),
        "mx-compressed": message(
            "example.test",
            15,
            [record(AT, 15, 600, b"\0\x0a\x02mx" + AT), record(AT, 15, 0xFFFFFFFF, b"\0\x14\x03MX2" + AT)],
        ),
        "alias": message(
            "mx.example.test",
            1,
            [
                record(AT, 5, 60, b"\x04host\xc0\x0f"),
                record(b"\x04host\xc0\x0f", 1, 60, bytes([192, 0, 2, 1])),
                record(AT, 39, 60, name("d.test")),
            ],
        ),
        "denied": message(
            "no.example.test",
            52,
            authority=[
                record(b"\xc0\x0f", 6, 300, b"\x02ns\xc0\x0f\x04root\xc0\x0f" + struct.pack(">5I", 1, 2, 3, 4, 5)),
                record(AT, 47, 300, name("z.example.test") + bytes([0, 6, 64, 0, 0, 0, 0, 3])),
                record(b"\xc0\x0f", 2, 300, b"\x02ns\xc0\x0f"),
            ],
            flags=0x8183,
        ),
        "servfail-extended-error": message("example.test", 15, additional=[OPT, OPT], flags=0x8182),
        "truncated": message("example.test", 16, [record(AT, 16, 60, b"\x05hello")], flags=0x8380)[:-3],
        "pointer-loop": message("example.test", 5, [record(b"\xc0\x1e", 5, 60, b"\xc0\x1e")]),
        "name-text": b"_25._tcp.a\\.b\\032c.Example.TEST.",
        "name-wire": name("a.b")[:-1] + b"\x03\x00.\\\0",
    },
)


# ---- certificates and keys


def openssl(*words):
    with tempfile.TemporaryDirectory() as folder:
        out = subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
        return out.stdout


def certificate(form, *words):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["openssl", "req", "-x509", "-nodes", "-newkey", *words, "-keyout", "key", "-out", "pem", "-days", "3650"],
            cwd=folder,
            check=True,
            capture_output=True,
        )
        return openssl("x509", "-in", f"{folder}/pem", "-outform", form)


EC = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
ED = ["ed25519"]
RSA = ["rsa:1024"]
NAMED = ["-subj", "/CN=mx.example.test", "-addext", "subjectAltName=DNS:mx.example.test,DNS:*.example.test"]
one = certificate("PEM", *ED, "-subj", "/CN=one")
two = certificate("PEM", *EC, "-subj", "/CN=two")


# A leaf and its issuer, as files hold them.
def chain_files():
    with tempfile.TemporaryDirectory() as folder:

        def run(*words):
            return subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True).stdout

        new = ["req", "-x509", "-nodes", "-newkey", *ED, "-days", "3650"]
        run(*new, "-subj", "/CN=CA", "-keyout", "ca.key", "-out", "ca.pem")
        run(*new, "-subj", "/CN=leaf", "-keyout", "leaf.key", "-out", "leaf.pem", "-CA", "ca.pem", "-CAkey", "ca.key")
        ca, leaf, key = (Path(folder, name).read_bytes() for name in ("ca.pem", "leaf.pem", "leaf.key"))
        bundle = ["crl2pkcs7", "-nocrl", "-certfile", "ca.pem", "-certfile", "leaf.pem"]
        return {
            "chain-issuer-first": ca + leaf,
            "chain-with-key": key + leaf + ca,
            "key": key,
            "pkcs7-pem": run(*bundle),
            "pkcs7-der": run(*bundle, "-outform", "DER"),
            "request": run("req", "-new", "-key", "leaf.key", "-subj", "/CN=leaf"),
            "request-der": run("req", "-new", "-key", "leaf.key", "-subj", "/CN=leaf", "-outform", "DER"),
            "pkcs12": run("pkcs12", "-export", "-inkey", "leaf.key", "-in", "leaf.pem", "-passout", "pass:x"),
            "key-locked": run("pkey", "-in", "leaf.key", "-aes128", "-passout", "pass:x"),
        }


keep(
    "certificate",
    {
        **chain_files(),
        "ecdsa": certificate("DER", *EC, *NAMED),
        "ed25519": certificate("DER", *ED, "-subj", "/O=a\\+b/CN=x/CN=y"),
        "rsa": certificate("DER", *RSA, *NAMED),
        "names": certificate(
            "DER", *ED, "-subj", "/", "-addext", "subjectAltName=IP:192.0.2.1,email:a@b.test,DNS:c.test"
        ),
        "pem-two": b"text before\n" + one + b"between\n" + two,
        "pem-broken": one.replace(b"A", b"?", 3) + two,
        "pem-encrypted": b"-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,"
        b"00112233445566778899AABBCCDDEEFF\n\n" + one.split(b"\n", 1)[1],
        "spki-ed25519": bytes.fromhex("302a300506032b6570032100") + bytes(range(32)),
    },
)


# ---- configuration

keep(
    "config",
    {
        "small": b"domains: [example.org]\n",
        "full": b"""domains:
  - Example.ORG.
  - b\xc3\xbccher.example
  - {name: partner.example, role: outbound, group: "big ones"}
dns: {resolvers: [127.0.0.1, "::1@5353", "[::1]@53"], trust_anchor_file: a/lab.ds, timeout: 5s}
smtp: {port: 2525, helo: "[IPv6:2001:db8::1]", timeout: 10m, allow_special_addresses: true, every_key_type: false}
schedule: {interval: 10s, confirm_after: 119s, retry_after: 1m, workers: 1024}
storage: {path: /srv/danelaw.db, retention: 30d}
web: {listen_address: "::", port: 65535, external_url: https://danelaw.example/}
""",
        "notify": b"""domain_lists:
  - {file: a.txt}
  - {file: /b, role: inbound, group: c}
  - {url: "https://a.test/b", name: d, refresh: 1m, token_file: e, ca_file: f}
  - {catalog_zone: c.test, primary: "::1@5353", tsig_key_file: g}
notify:
  remind_after: 0s
  alertmanagers: [{url: http://127.0.0.1:9093/, token_file: a}]
  labels: {site: b\xc3\xa4, _x: "1"}
  webhooks: [{name: chat, url: https://a.test/b, secret_file: c, token_file: d, template_file: e, least_severity: high}]
  mail: [{name: mail, server: smtp://a.test, from: a@B.test, to: [c@d.test], user: e, password_file: f, ca_file: g}]
  grafana: [{name: graphs, url: https://a.test, token_file: b}]
  heartbeat: {url: https://a.test/b/, every: 1d}
""",
        "notify-errors": b"domain_lists: [~]\nnotify: {webhooks: [{name: a}, {name: a}], mail: [~], labels: {a: , b: \xff}, heartbeat:}\n",
        "errors": b"domains: [x, a.test, A.test]\ndns: {timeout: 5}\nsmtp: {port: 0, helo: -}\nwbe: 1\nweb: {port: 1, port: 2}\n",
        "yaml-refused": b"domains: &a [!t a.test, *a]\n",
        "yaml-quoted": b"domains:\n- \"\\x65xample.org\\q\"\n- 'it''s'\n- |\n  a.test\n- >-\n  b\n  .test\n",
        "yaml-escape-at-end": b'domains:\n- "\\',
        "yaml-deep": b"domains: [[[[[[[[[[a.test]]]]]]]]]]\n",
        "two-documents": b"--- \ndomains: [a.test]\n...\n---\ndomains: [b.test]\n",
        "comment": b"# domains: [\ndomains: [a.test] # x\n? web\n: {}\n",
    },
)


sts_policy = b"version: STSv1\r\nmode: enforce\r\nmx: mx.example.test\r\nmx: *.example.test\r\nmax_age: 86400\r\n"

# ---- MTA-STS: the policy file, TXT RDATA, and the fields behind a record's version

keep(
    "sts_policy",
    {
        "enforce": sts_policy,
        "testing": b"max_age: 0\nmx:A.test\nmode:\ttesting \nversion: STSv1\n\n \n",
        "none": b"version: STSv1\nmode: none\nmax_age: 31557600",
        "twice": sts_policy + b"mode: none\nmax_age: -\nmx: MX.example.test\n",
        "unknown": sts_policy + b"x-a.b_c: \xc3\xa4\n",
        "bad-mx": b"version: STSv1\nmx: *.*.test\n",
        "sts-rdata": bytes([13]) + b"v=STSv1; id=a" + bytes([2]) + b"b;",
        "tlsrpt-rdata": bytes([43]) + b"v=TLSRPTv1; rua=mailto:a@b.test,https://c/d",
        "sts-fields": b" id=20160831085700Z; x=y;",
        "tlsrpt-fields": b"rua=mailto:a%21@b.test?c=d , https://[::1]:1/ ;x-y=z",
    },
)


# ---- wishes: octet 0 says of what kind


def wish(kind, json):
    return kind + json.replace("'", '"').encode()


END = "'ends_at':'2027-01-16T08:00:00Z'"
letter = """{'schema':'danelaw.notification/1','id':'tlsa-mismatch.mx.1/opened/1800000000/chat','event':'opened',
'at':'2027-01-15T08:00:00Z','reason':'seen twice','alert':{'id':'tlsa-mismatch.mx.1','code':'tlsa-mismatch',
'severity':'critical','subject':{'kind':'host','name':'mx.a.test'},'domains':['a.test','b.test'],'title':'%s',
'explanation':'So it is.','senders_now':'They wait.','fix':['One.','Two.'],'direction':'inbound',
'first_seen_at':'2027-01-15T07:00:00Z','opened_at':null}}"""

keep(
    "wishes",
    {
        "silence-small": wish(b"s", "{'matchers':[{'name':'mx','value':'mx.a.test'}]," + END + "}"),
        "silence-full": wish(
            b"s",
            "{'matchers':[{'name':'domain','value':'(a|b)[.]test','is_regex':true,'is_equal':true},"
            "{'name':'group','value':'x','is_regex':false,'is_equal':false}],"
            "'starts_at':'2027-01-15T08:00:00Z'," + END + ",'created_by':'a','comment':'b\\n\\\\c',"
            "'expected_key':'" + "a" * 64 + "'}",
        ),
        "silence-pattern": wish(
            b"s", "{'matchers':[{'name':'alertname','value':'(?i)(x*)*{1,9}','is_regex':true}]," + END + "}"
        ),
        "silence-deep": wish(b"s", "{'matchers':[" + "[" * 999 + "]" * 999 + "]," + END + "}"),
        "acknowledgement": wish(b"a", "{'by':'a\\u202e','comment':null,'until':'2027-01-15T09:00:00Z'}"),
        "acknowledgement-empty": b"a",
        "template": wish(b"t", "{'text':'{{ a }} {{title}}'}") + b'\nx"\\\xff\r\n\xe2\x80\xa8',
        "template-open": b"t{{a}} {{b",
        "template-sections": b"t{{#yes}}{{a}}{{^no}}{{#list}}{{item}}{{^is_last}}, {{/is_last}}{{/list}}{{/no}}{{/yes}}{{! x }}\nb",
        "letter": wish(b"m", letter % "mx.a.test: no key matches"),
        "letter-hostile": wish(b"m", letter % ("x" * 300 + "\\r\\nBcc: b@c.test\\r\\n\\r\\n\u00fc")),
        "letter-long-id": wish(b"m", "{'id':'" + "a.b/" * 300 + "','at':'0001-01-01T00:00:00Z','alert':[]}"),
    },
)


# ---- requests to our own web server

head = b"POST /-/reload HTTP/1.1\r\nHost: a\r\n"
chunked = head + b"Transfer-Encoding: chunked\r\n\r\n"

keep(
    "request",
    {
        "get": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "content": head + b"Content-Length: 5\r\n\r\nhello",
        "content-twice": head + b"content-length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "chunked": chunked + b"5\r\nhello\r\n0a;x=y\r\n0123456789\r\n0\r\n\r\n",
        "chunked-trailer": chunked + b"0\r\nX: y\r\n\r\n",
        "chunked-crumbs": chunked + b"1\r\nx\r\n" * 500,
        "bare-lf": b"GET / HTTP/1.1\n\n",
        "folded": head + b"X: a\r\n b\r\n\r\n",
        "many-headers": head + b"X: y\r\n" * 120,
    },
)


# ---- web configuration files

HASH = b"$2y$10$abcdefghijklmnopqrstuuAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

keep(
    "web_file",
    {
        "all": b"tls_server_config:\n  cert_file: c\n  key_file: k\n  client_ca_file: a\n"
        b"  client_auth_type: RequireAndVerifyClientCert\n  min_version: TLS13\n"
        b"basic_auth_users:\n  alice: " + HASH + b"\n"
        b"http_server_config: {headers: {X-Frame-Options: DENY}}\n",
        "password": b"basic_auth_users: {alice: geheim, 'b:o': " + HASH + b"}\n",
        "cost": b"basic_auth_users: {alice: " + HASH.replace(b"$10$", b"$31$") + b"}\n",
        "unknown": b"tls_server_config: {cert_file: c, cipher_suites: []}\nrate_limit: {}\n",
        "header": b'http_server_config: {headers: {Content-Security-Policy: "a\\nb"}}\n',
    },
)

# ---- reports of senders: those of tests/reports, one as gzip, whole and cut short, and as mails

REPORTS = {path.stem: path.read_bytes() for path in sorted((HERE.parent.parent / "reports").glob("*.json"))}
PACKED = gzip.compress(REPORTS["comcast"], 9, mtime=0)
HEAD = b"From: a@b.example\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=tlsrpt; boundary=b\n\n"
keep(
    "tls_report",
    {
        **REPORTS,
        "gzip": PACKED,
        "gzip-short": PACKED[:60],
        "mail": HEAD
        + b"--b\nContent-Type: text/plain\n\nhello\n--b\nContent-Type: application/tlsrpt+gzip\n"
        + b"Content-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(PACKED)
        + b"--b--\n",
        "mail-forwarded": b"Subject: x\nContent-Type: message/rfc822\n\nContent-Type: application/tlsrpt+json\n"
        + b'Content-Transfer-Encoding: quoted-printable\n\n{"organization-name"=3A"a"}\n',
    },
)

# ---- lists of domains from elsewhere

keep(
    "listed_domains",
    {
        "lines": b"\xef\xbb\xbfa.test\r\n # none\n\tB.test. # ours\nb\xc3\xbccher.example\n",
        "sd": b'[{"targets": ["a.test", "B.test."], "labels": {"role": "inbound", "group": "ours", "x": "y"}},'
        b' {"targets": []}]',
        "none": b" []\n",
        "object": b'{"targets": ["a.test"]}',
        "page": b"<html>\n<p>502</p>\n",
        "bad-role": b'[{"targets": ["a.test"], "labels": {"role": "both"}}]',
    },
)


# ---- zone transfers: messages behind their lengths; those that are signed were made by dnspython, on 1,800,000,000


def framed(*messages):
    return b"".join(struct.pack("!H", len(one)) + one for one in messages)


transfer = [
    bytes.fromhex(text)
    for text in (
        "12348400000100030000000107636174616c6f6704746573740000fc0001c00c0006000100000000001f07696e76616c"
        "696400c02a0000000100000e10000002587ffffffe00000000c00c00020001000000000002c02a0776657273696f6ec0"
        "0c001000010000000000020132087472616e73666572036b65790000fa00ff00000000003d0b686d61632d7368613235"
        "360000006b49d200012c00209875c2fc2b1f2145bcb36bbdece5889a3d807163fcca13ed13ad3d1851c3159112340000"
        "0000",
        "123484000000000200000000026131057a6f6e657307636174616c6f67047465737400000c00010000000000040161c0"
        "1d0567726f7570c00c00100001000000000005046f757273",
        "12348400000100020000000107636174616c6f6704746573740000fc0001026232057a6f6e6573c00c000c0001000000"
        "0000040162c014c00c0006000100000000001f07696e76616c696400c0430000000100000e10000002587ffffffe0000"
        "0000087472616e73666572036b65790000fa00ff00000000003d0b686d61632d7368613235360000006b49d200012c00"
        "2067967760f2a621517b43edc2d51dc83caf6c8fb9fcda0e86abe2f68c8515b043123400000000",
    )
]
soa = b"\0\0\6\0\1\0\0\0\0\0\x16\0\0" + bytes(20)
plain = struct.pack("!6H", 0x1234, 0x8400, 1, 3, 0, 0) + b"\x07catalog\x04test\0" + struct.pack("!2H", 252, 1)
plain += b"\xc0\x0c" + soa[1:] + b"\x02a1\x05zones\xc0\x0c\0\x0c\0\1\0\0\0\0\0\x04\1b\xc0\x14" + b"\xc0\x0c" + soa[1:]
keep(
    "zone_transfer",
    {
        "signed": framed(*transfer),
        "unsigned": framed(plain),
        "out-of-order": framed(*reversed(transfer)),
        "short": framed(*transfer)[:-1],
    },
)
