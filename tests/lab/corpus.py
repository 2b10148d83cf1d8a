"""More of the world, for the cases of tests/conformance: `lab up --corpus`.

Every row carries the id of its case. Most live in the zone corpus.test, as xNN.corpus.test with the
MX host mx.xNN.corpus.test, so that they cost no zone of their own.
"""

from dataclasses import dataclass

from world import DOMAINS, HOSTS, ZONES, Domain, Host, Zone


@dataclass(frozen=True)
class Wanted:
    """What danelaw must say of a domain beyond the verdicts."""

    findings: tuple = ()  # codes that must be there
    absent: tuple = ()  # codes that must not
    splits: dict = None  # sender -> host verdict, of the first host


WANTED = {}  # domain -> Wanted


def case(
    case_id,
    says,
    verdict,
    host=None,
    domain_verdict=None,
    findings=(),
    absent=(),
    splits=None,
    records=(),
    hosts=None,
    mx=True,
    extra=(),
    policy="",
    policy_cert="",
    **host_options,
):
    """A domain xNN.corpus.test. verdict: of its host; domain_verdict where that differs.

    records and extra: (owner, type, data) and further Hosts. hosts: the MX hosts and their verdicts
    where there is not just mx.xNN.corpus.test.
    """
    name = case_id.replace("-", "").lower() + ".corpus.test"
    if hosts is None:
        hosts = {f"mx.{name}": verdict}
        HOSTS.append(Host(host or f"mx.{name}", **host_options))
    HOSTS.extend(extra)
    DOMAINS.append(
        Domain(
            name,
            domain_verdict or verdict,
            hosts,
            f"{case_id}: {says}",
            mx=mx,
            own_zone=False,
            records=records,
            policy=policy,
            policy_cert=policy_cert,
        )
    )
    WANTED[name] = Wanted(tuple(findings), tuple(absent), splits)


def zone(
    case_id, says, verdict, findings=(), splits=None, tlsa=("3 1 1",), zone_name=None, host_verdict=None, **zone_options
):
    """A domain with a zone of its own, xNN.test."""
    name = zone_name or case_id.replace("-", "").lower() + ".test"
    ZONES[name] = Zone(**zone_options)
    HOSTS.append(Host(f"mx.{name}", tlsa=tlsa))
    hosts = {f"mx.{name}": host_verdict or verdict} if verdict != "lookup-failed" else {}
    DOMAINS.append(Domain(name, verdict, hosts, f"{case_id}: {says}"))
    WANTED[name] = Wanted(tuple(findings), (), splits)


def smtp(case_id, says, verdict, mode, domain_verdict=None, **options):
    """A case of the scripted server."""
    case(case_id, says, verdict, domain_verdict=domain_verdict, server="smtp", mode=mode, **options)


REFUSED = {"domain_verdict": "deferred"}


def wanted(name):
    """What expected.json says of a domain beyond the verdicts; nothing of a domain that is not ours."""
    one = WANTED.get(name)
    return {"findings": one.findings, "absent": one.absent, "splits": one.splits or {}} if one else {}


def add():
    """Add all of it to the world's tables."""
    ZONES["corpus.test"] = Zone()
    _dnssec()
    _mx()
    _addresses()
    _certificates()
    _sessions()
    _matrix()
    _policies()


def add_crowd(count):
    """Many domains d1.crowd.test, d2…, for benchmarks: each with an MX host of its own on one of eight addresses."""
    ZONES["crowd.test"] = Zone()
    hosts = [f"s{n}.crowd.test" for n in range(8)]
    HOSTS.extend(Host(host) for host in hosts)
    records = []
    for n in range(1, count + 1):
        host = hosts[n % len(hosts)]
        records += [
            (f"d{n}.crowd.test", "MX", f"10 mx{n}.crowd.test."),
            (f"mx{n}.crowd.test", "A", f"@{host}"),
            (f"_25._tcp.mx{n}.crowd.test", "CNAME", f"_25._tcp.{host}."),
        ]
    DOMAINS.append(
        Domain(
            "crowd.test",
            "authenticated",
            dict.fromkeys(hosts, "authenticated"),
            "for benchmarks",
            records=tuple(records),
        )
    )


def _dnssec():
    zone("A-08", "signatures of the future", "lookup-failed", fault="future")
    zone(
        "RFC 4034 §3.1.5",
        "signatures that last beyond 2038",
        "authenticated",
        ["rrsig-long"],
        fault="lasting",
        zone_name="lasting.test",
    )
    zone(
        "A-10",
        "the TLSA signature is missing in a signed zone",
        "deferred",
        ["tlsa-lookup-failed"],
        fault="missing:TLSA",
        host_verdict="lookup-failed",
    )
    zone(
        "A-12",
        "DS of an unknown algorithm only: as if unsigned",
        "opportunistic",
        ["dane-lost"],
        ds="unknown-algorithm",
    )
    zone(
        "A-13",
        "DS of an unknown digest type only: as if unsigned",
        "opportunistic",
        ["dane-lost"],
        ds="unknown-digest-only",
    )
    zone("A-14", "DS: one unknown digest, one good SHA-256", "authenticated", ds="unknown-digest")
    zone("A-15", "DS: wrong SHA-1 digest, right SHA-256", "authenticated", ds="sha1-wrong")
    zone(
        "A-16",
        "DS: SHA-1 digest only",
        "authenticated",
        ["dane-fragile"],
        ds="sha1-only",
        splits={"sha1-unsupported": "opportunistic"},
    )
    zone(
        "H-14",
        "a DS for an algorithm that the zone is not signed with",
        "authenticated",
        ["dane-fragile"],
        ds="early-algorithm",
        splits={"strict-algorithms": "lookup-failed"},
    )
    zone("A-19", "NSEC3 with 0 iterations, no salt", "opportunistic", ["no-dane"], sign="nsec3", tlsa=())
    zone("A-20", "NSEC3 with 200 iterations; the TLSA exists", "authenticated", ["nsec3-parameters"], sign="nsec3-200")
    case("A-26", "no TLSA, securely", "opportunistic", findings=["no-dane"], tlsa=())
    case(
        "A-35",
        "a TLSA set too large for UDP",
        "authenticated",
        tlsa=("3 1 1",),
        records=tuple(("_25._tcp.mx.a35.corpus.test", "TLSA", f"3 1 1 {n:064x}") for n in range(60)),
    )
    # As much as fits into the 64 kB that a signature covers, owner names written out.
    case(
        "S-03",
        "a TLSA set of a thousand records",
        "authenticated",
        tlsa=("3 1 1",),
        records=tuple(("_25._tcp.mx.s03.corpus.test", "TLSA", f"3 1 1 {n:064x}") for n in range(600))
        + tuple(("_25._tcp.mx.s03.corpus.test", "TLSA", f"0 0 0 {n:04x}") for n in range(400)),
    )


def _mx():
    case(
        "B-05",
        "neither MX nor addresses",
        "bounced",
        hosts={"b05.corpus.test": "no-address"},
        mx=False,
        records=(("b05.corpus.test", "TXT", "here"),),
    )
    case(
        "B-08",
        "a null MX beside another",
        "authenticated",
        findings=["mx-invalid"],
        domain_verdict="no-mail",
        splits={"null-mx-ignored": "authenticated"},
        records=(("b08.corpus.test", "MX", "0 ."),),
    )
    case(
        "B-10",
        "a secure CNAME to a domain in an unsigned zone",
        "host-authenticated",
        mx=False,
        hosts={"mx.provider.test": "host-authenticated"},
        findings=["mx-insecure"],
        records=(("b10.corpus.test", "CNAME", "insecuremx.test."),),
    )
    case(
        "B-12",
        "a secure CNAME to a domain with secure MX",
        "authenticated",
        mx=False,
        hosts={"mx.healthy.test": "authenticated"},
        records=(("b12.corpus.test", "CNAME", "healthy.test."),),
    )
    case(
        "B-13",
        "a CNAME loop at the next-hop",
        "lookup-failed",
        mx=False,
        hosts={},
        findings=["mx-lookup-failed"],
        records=(
            ("b13.corpus.test", "CNAME", "loop.b13x.corpus.test."),
            ("loop.b13x.corpus.test", "CNAME", "b13.corpus.test."),
        ),
    )
    case(
        "B-14",
        "the first host without TLSA takes the mail",
        "opportunistic",
        hosts={"mx.nodane.test": "opportunistic", "mx.healthy.test": "authenticated"},
        findings=["partial-dane"],
    )
    case(
        "B-15",
        "the second host without TLSA",
        "authenticated",
        hosts={"mx.healthy.test": "authenticated", "mx.nodane.test": "opportunistic"},
        findings=["partial-dane"],
    )
    case(
        "B-16",
        "the first host mismatches, the second is authenticated",
        "authenticated",
        hosts={"mx.mismatch.test": "refused", "mx.healthy.test": "authenticated"},
        findings=["tlsa-mismatch"],
        absent=["downgrade"],
    )
    case(
        "B-18",
        "the first host's TLSA lookup fails",
        "authenticated",
        hosts={"mx.tlsaexpired.test": "lookup-failed", "mx.healthy.test": "authenticated"},
        findings=["dnssec-expired"],
    )
    case(
        "B-22",
        "an MX record that holds an address",
        "opportunistic",
        hosts={"127.0.2.1": "opportunistic"},
        mx=False,
        records=(("b22.corpus.test", "MX", "10 127.0.2.1."),),
        findings=["mx-invalid"],
    )


def _addresses():
    case(
        "C-03",
        "insecure addresses: no TLSA is asked for",
        "opportunistic",
        hosts={"mx.unsigned.test": "opportunistic"},
        findings=["dane-ineffective"],
    )
    case(
        "C-06",
        "a secure CNAME, TLSA at the alias only",
        "authenticated",
        host="to.c06.corpus.test",
        tlsa=(),
        records=(
            ("mx.c06.corpus.test", "CNAME", "to.c06.corpus.test."),
            ("_25._tcp.mx.c06.corpus.test", "TLSA", "3 1 1 @to.c06.corpus.test"),
        ),
    )
    case(
        "C-07",
        "a secure CNAME, TLSA at both, the target's matches",
        "authenticated",
        host="to.c07.corpus.test",
        findings=["mx-cname"],
        records=(
            ("mx.c07.corpus.test", "CNAME", "to.c07.corpus.test."),
            ("_25._tcp.mx.c07.corpus.test", "TLSA", "3 1 1 " + "0" * 64),
        ),
    )
    case(
        "C-13",
        "an insecure CNAME to a host with TLSA",
        "opportunistic",
        hosts={"alias.unsigned.test": "opportunistic"},
        records=(("alias.unsigned.test", "CNAME", "mx.healthy.test."),),
    )
    case(
        "C-15",
        "the host below a DNAME",
        "authenticated",
        hosts={"mx.c15d.corpus.test": "authenticated"},
        extra=(Host("mx.c15t.corpus.test"),),
        records=(("c15d.corpus.test", "DNAME", "c15t.corpus.test."),),
    )
    case(
        "C-17",
        "_25._tcp is a CNAME into an unsigned zone",
        "opportunistic",
        findings=["dane-lost"],
        tlsa=(),
        records=(
            ("_25._tcp.mx.c17.corpus.test", "CNAME", "tlsa.unsigned.test."),
            ("tlsa.unsigned.test", "TLSA", "3 1 1 @mx.c17.corpus.test"),
        ),
    )
    case(
        "C-18",
        "_25._tcp is a CNAME to a bogus set",
        "lookup-failed",
        tlsa=(),
        **REFUSED,
        records=(("_25._tcp.mx.c18.corpus.test", "CNAME", "_25._tcp.mx.tlsaexpired.test."),),
    )
    case(
        "C-19",
        "_25._tcp is a CNAME to nothing",
        "opportunistic",
        findings=["dane-lost"],
        tlsa=(),
        records=(("_25._tcp.mx.c19.corpus.test", "CNAME", "nothing.corpus.test."),),
    )
    case(
        "C-20",
        "_25._tcp is a CNAME to itself",
        "lookup-failed",
        tlsa=(),
        **REFUSED,
        records=(("_25._tcp.mx.c20.corpus.test", "CNAME", "_25._tcp.mx.c20.corpus.test."),),
    )
    case(
        "C-21",
        "TLSA only by a wildcard below _tcp",
        "authenticated",
        tlsa=(),
        records=(("*._tcp.mx.c21.corpus.test", "TLSA", "3 1 1 @mx.c21.corpus.test"),),
    )
    case(
        "C-22",
        "a wildcard TLSA does not reach below a name that exists",
        "opportunistic",
        tlsa=(),
        findings=["tlsa-wrong-name"],
        records=(("*.c22.corpus.test", "TLSA", "3 1 1 @mx.c22.corpus.test"),),
    )
    case(
        "C-23",
        "the host exists only by a wildcard, with address and TLSA",
        "authenticated",
        host="real.c23x.corpus.test",
        tlsa=(),
        records=(
            ("*.c23.corpus.test", "A", "@real.c23x.corpus.test"),
            ("*.c23.corpus.test", "TLSA", "3 1 1 @real.c23x.corpus.test"),
        ),
    )
    ZONES["c23d.test"] = Zone(fault="denying:A")
    DOMAINS.append(
        Domain(
            "c23d.test",
            "authenticated",
            {"mx.c23d.test": "authenticated"},
            "RFC 8198 §5: the wildcard's denial of AAAA denies its A, too",
            records=(
                ("*.c23d.test", "A", "@real.c23x.corpus.test"),
                ("*.c23d.test", "TLSA", "3 1 1 @real.c23x.corpus.test"),
            ),
        )
    )
    WANTED["c23d.test"] = Wanted(("denial-too-wide",), (), None)
    case(
        "C-24",
        "TLSA at the domain instead of at the host",
        "opportunistic",
        tlsa=(),
        findings=["tlsa-wrong-name"],
        records=(("_25._tcp.c24.corpus.test", "TLSA", "3 1 1 @mx.c24.corpus.test"),),
    )


def _certificates():
    case("D-31", "the digest of the PEM text", "refused", tlsa=("3 0 1 pem",), findings=["tlsa-mismatch"], **REFUSED)
    case("E-01", "3 1 1, the leaf expired", "authenticated", cert="expired")
    case("E-03", "3 1 1, another name", "authenticated", cert="othername")
    case(
        "E-04",
        "2 1 1, the leaf expired",
        "refused",
        tlsa=("2 1 1",),
        cert="expired",
        findings=["certificate-expired"],
        **REFUSED,
    )
    case(
        "E-06",
        "2 1 1, another name",
        "refused",
        tlsa=("2 1 1",),
        cert="othername",
        findings=["name-mismatch"],
        **REFUSED,
    )
    case("E-07", "2 1 1, the next-hop's name", "authenticated", tlsa=("2 1 1",), cert="nexthop")
    case(
        "E-09",
        "2 0 1 of the root, not sent",
        "refused",
        tlsa=("2 0 1 root",),
        findings=["trust-anchor-not-sent"],
        **REFUSED,
    )
    case("E-10", "2 0 1 of the root, sent", "authenticated", tlsa=("2 0 1 root",), sends="root")
    case("E-11", "2 0 0 of the root, not sent", "authenticated", tlsa=("2 0 0 root",))
    case(
        "E-12",
        "2 1 0 of the root, not sent",
        "authenticated",
        tlsa=("2 1 0 root",),
        splits={"trust-anchor-strict": "refused"},
    )
    case("E-13", "2 1 1 of the intermediate, only the leaf sent", "refused", tlsa=("2 1 1",), sends="leaf", **REFUSED)
    case("E-26", "2 1 1, no SAN, the CN matches", "authenticated", tlsa=("2 1 1",), cert="cnonly")
    case(
        "E-27",
        "2 1 1, other names in SAN, the CN matches",
        "refused",
        tlsa=("2 1 1",),
        cert="othersan",
        findings=["name-mismatch"],
        **REFUSED,
    )
    case(
        "E-29",
        "3 1 1 misses, 2 1 1 matches",
        "authenticated",
        tlsa=("3 1 1 wrong", "2 1 1"),
        findings=["fallback-only"],
    )
    case(
        "E-33",
        "RSA and ECDSA, TLSA for both",
        "authenticated",
        server="smtp",
        key="dual",
        tlsa=("3 1 1", "3 1 1 rsa"),
        absent=["key-type-partial"],
    )


def _sessions():
    smtp("F-06", "EHLO unknown, HELO accepted", "refused", "helo-only", **REFUSED)
    smtp(
        "F-07",
        "554 instead of a banner",
        "down",
        "reject",
        domain_verdict="unknown",
        findings=["probe-refused"],
        absent=["starttls-missing"],
    )
    smtp(
        "F-08",
        "421 instead of a banner",
        "down",
        "busy",
        domain_verdict="unknown",
        findings=["probe-refused"],
        absent=["starttls-missing"],
    )
    smtp("F-09", "garbage instead of a banner", "down", "garbage", **REFUSED)
    smtp("F-11", "a banner later than our patience", "unknown", "tarpit", absent=["tlsa-mismatch"])
    smtp(
        "F-13",
        "an EHLO line of 5000 octets before STARTTLS",
        "down",
        "longehlo",
        splits={"rfc-7672": "authenticated"},
        **REFUSED,
    )
    smtp("F-14", "EHLO lines without end", "down", "endless", **REFUSED)
    smtp("F-15", "starttls in lower case, with a word behind it", "authenticated", "lowercase")
    smtp("F-17", "STARTTLS works, though not offered", "refused", "hidden", findings=["starttls-missing"], **REFUSED)
    smtp(
        "F-20",
        "plaintext after the ClientHello",
        "refused",
        "late-inject",
        findings=["tls-handshake-failed"],
        **REFUSED,
    )
    smtp("F-21", "no common cipher", "refused", "anonymous", findings=["tls-handshake-failed"], **REFUSED)
    smtp("F-22", "a handshake that stalls", "refused", "stall", findings=["tls-handshake-failed"], **REFUSED)
    smtp("F-23", "the connection ends after the 220 to STARTTLS", "refused", "close-starttls", **REFUSED)
    smtp("F-25", "TLS 1.1 at most", "refused", "tls11", findings=["tls-version-old"], **REFUSED)
    smtp("F-26", "TLS 1.2 only", "authenticated", "tls12")
    smtp("F-27", "TLS 1.3 only", "authenticated", "tls13")
    smtp("F-28", "the right chain only for the right SNI", "authenticated", "sni")
    smtp(
        "F-29",
        "unrecognized_name for every SNI",
        "refused",
        "unrecognized",
        findings=["tls-handshake-failed"],
        **REFUSED,
    )
    smtp("F-30", "a client certificate asked for, not demanded", "authenticated", "ask-client")
    smtp("F-32", "EHLO under TLS answered 421", "down", "tls-busy", **REFUSED)
    smtp("F-34", "STARTTLS answered 250", "authenticated", "ok250")
    smtp("F-35", "a chain of 300 certificates", "refused", "normal", sends="many", **REFUSED)
    smtp("S-02", "a banner that drips, an octet a second", "unknown", "drip", absent=["tlsa-mismatch", "host-down"])
    smtp("S-07", "control characters and HTML in the banner", "authenticated", "ansi")


def _matrix():
    case(
        "G-01",
        "IPv4 matches, IPv6 does not",
        "authenticated",
        host="v4.g01x.corpus.test",
        tlsa=(),
        findings=["endpoint-partial"],
        extra=(Host("v6.g01x.corpus.test", ipv6=True, tlsa=()),),
        records=(
            ("mx.g01.corpus.test", "A", "@v4.g01x.corpus.test"),
            ("mx.g01.corpus.test", "AAAA", "@v6.g01x.corpus.test"),
            ("_25._tcp.mx.g01.corpus.test", "TLSA", "3 1 1 @v4.g01x.corpus.test"),
        ),
    )
    case(
        "G-03",
        "IPv6 refuses connections, IPv4 is fine",
        "authenticated",
        host="v4.g03x.corpus.test",
        tlsa=(),
        findings=["endpoint-partial"],
        absent=["tlsa-mismatch"],
        extra=(Host("v6.g03x.corpus.test", server="none", ipv6=True, tlsa=()),),
        records=(
            ("mx.g03.corpus.test", "A", "@v4.g03x.corpus.test"),
            ("mx.g03.corpus.test", "AAAA", "@v6.g03x.corpus.test"),
            ("_25._tcp.mx.g03.corpus.test", "TLSA", "3 1 1 @v4.g03x.corpus.test"),
        ),
    )
    case(
        "G-04",
        "two addresses, one serves another certificate",
        "authenticated",
        host="one.g04x.corpus.test",
        tlsa=(),
        findings=["tlsa-mismatch", "endpoint-partial"],
        extra=(Host("two.g04x.corpus.test", tlsa=()),),
        records=(
            ("mx.g04.corpus.test", "A", "@one.g04x.corpus.test"),
            ("mx.g04.corpus.test", "A", "@two.g04x.corpus.test"),
            ("_25._tcp.mx.g04.corpus.test", "TLSA", "3 1 1 @one.g04x.corpus.test"),
        ),
    )
    case(
        "G-06",
        "IPv6 lacks STARTTLS",
        "authenticated",
        host="v4.g06x.corpus.test",
        tlsa=(),
        findings=["starttls-missing", "endpoint-partial"],
        extra=(Host("v6.g06x.corpus.test", server="smtp", mode="nostarttls", ipv6=True, tlsa=()),),
        records=(
            ("mx.g06.corpus.test", "A", "@v4.g06x.corpus.test"),
            ("mx.g06.corpus.test", "AAAA", "@v6.g06x.corpus.test"),
            ("_25._tcp.mx.g06.corpus.test", "TLSA", "3 1 1 @v4.g06x.corpus.test"),
        ),
    )


def _policies():
    def policy(mode, mx):
        return f"version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: 604800\r\n"

    case(
        "M-01",
        "DANE and an enforced policy agree",
        "authenticated",
        absent=["mta-sts-conflict", "mta-sts-invalid"],
        policy=policy("enforce", "mx.m01.corpus.test"),
    )
    case(
        "M-02",
        "a policy does not save what DANE refuses",
        "refused",
        tlsa=("3 1 1 wrong",),
        findings=["tlsa-mismatch"],
        policy=policy("enforce", "mx.m02.corpus.test"),
        **REFUSED,
    )
    case(
        "M-04",
        "DANE accepts a certificate that the policy does not",
        "authenticated",
        cert="othername",
        findings=["mta-sts-conflict"],
        policy=policy("enforce", "mx.m04.corpus.test"),
    )
    case(
        "M-05",
        "no TLSA, and a certificate that the policy refuses",
        "opportunistic",
        tlsa=(),
        cert="othername",
        findings=["mta-sts-conflict"],
        policy=policy("enforce", "mx.m05.corpus.test"),
    )
    case(
        "M-06",
        "the policy leaves out the DANE host",
        "authenticated",
        findings=["mta-sts-conflict"],
        policy=policy("enforce", "other.corpus.test"),
    )
    case(
        "M-07",
        "a policy server with a certificate of another name",
        "authenticated",
        findings=["mta-sts-invalid", "tlsrpt-missing"],
        policy=policy("enforce", "mx.m07.corpus.test"),
        policy_cert="othername",
    )
