"""The world as a table: which hosts, zones and mail domains the lab has, and their fates.

This file is data. To add a domain, add a Host and a Domain row; addresses, zones, keys,
certificates and expected.json follow from them.
"""

from dataclasses import dataclass, field

RESOLVER = "127.0.0.53"
POLICY_SERVER = "127.0.3.1"  # of the MTA-STS policies
NAMESERVERS = {"ns1": "127.0.1.1", "ns2": "127.0.1.2"}

TLSA_TTL = 60
OTHER_TTL = 300
REFRESH = 10  # of the SOA records, seconds


@dataclass(frozen=True)
class Host:
    """A mail host. Its address is 127.0.2.N, N being its place in HOSTS counted from 1."""

    name: str
    server: str = "postfix"  # postfix, smtp (the scripted server), none (nothing listens)
    mode: str = "normal"  # of the scripted server, see smtp_server.py
    key: str = "ecdsa"  # ecdsa, rsa, dual
    ipv6: bool = False  # also fd00:7672::N
    address: bool = True  # False: no A record, nothing listens
    # "U S M" of the host's own certificate (usage 2: of the intermediate), "U S M wrong" of nobody's.
    tlsa: tuple = ("3 1 1",)  # also "U S M root", "U S M rsa", "3 0 1 pem" (of the PEM text)
    cert: str = ""  # a kind of leaf, see pki.py
    sends: str = "inter"  # what stands behind the leaf: leaf (nothing), inter, root (both), many
    tlsa_ttl: int = TLSA_TTL  # of its TLSA RRset, also of one set later


@dataclass(frozen=True)
class Zone:
    """How one zone is signed. Zones not listed in ZONES have the defaults."""

    sign: str = "ecdsa"  # ecdsa, nsec3, nsec3-200, ed25519, rsa, "" (unsigned)
    ds: str = "good"  # good, none, or a kind of zones.ds_set
    fault: str = ""  # KIND or KIND:TYPE, see zones.py


@dataclass(frozen=True)
class Domain:
    """A mail domain, what a conforming sender makes of it, and why."""

    name: str
    verdict: str
    hosts: dict  # MX host -> host verdict, in order of preference (10, 20, ...)
    says: str
    mx: bool = True  # False: no MX RRset at all
    delegated: bool = True  # False: the name does not exist
    null_mx: bool = False
    own_zone: bool = True  # False: a name in a zone that holds others
    role: str = "inbound"
    group: str = ""
    records: tuple = field(default=())  # more (owner, type, data)
    policy: str = ""  # of MTA-STS, served at mta-sts.NAME; none when empty
    policy_cert: str = ""  # kind of that server's certificate, see pki.py


# Children of the registry reg.test, right in themselves whatever happens to it.
REGISTERED = ("alpha.reg.test", "beta.reg.test", "gamma.reg.test", "delta.reg.test")

HOSTS = [
    Host("mx.healthy.test", ipv6=True),
    Host("mx.provider.test", ipv6=True),
    Host("mx.rolling.test"),
    Host("mx.ta.test", tlsa=("2 1 1",)),
    Host("mx.nsec3.test"),
    Host("mx.rsa.test", key="rsa"),
    Host("mx.ed25519.test"),
    Host("mx.mismatch.test", tlsa=("3 1 1 wrong",)),
    Host("mx.nostarttls.test", server="smtp", mode="nostarttls"),
    Host("mx.tempfail.test", server="smtp", mode="tempfail"),
    Host("mx.stripped.test", server="smtp", mode="stripped"),
    Host("mx.injected.test", server="smtp", mode="inject"),
    Host("mx.dual.test", server="smtp", key="dual"),
    Host("mx.nodane.test", tlsa=()),
    Host("mx.cleartext.test", server="smtp", mode="nostarttls", tlsa=()),
    Host("mx.unsigned.test", tlsa=("3 1 1 wrong",)),
    Host("mx.island.test", tlsa=("3 1 1 wrong",)),
    Host("mx.bogus.test"),
    Host("mx.expired.test"),
    Host("mx.dsbroken.test"),
    Host("mx.tlsaexpired.test"),
    Host("implicit.test"),
    Host("mail.cname.test"),
    Host("mx.tlsacname.test", tlsa=()),
    Host("mx1.downgrade.test", tlsa=("3 1 1 wrong",)),
    Host("mx2.downgrade.test", tlsa=()),
    Host("mx1.backup.test", server="none"),
    Host("mx2.backup.test"),
    Host("mx.unusable.test", tlsa=("1 1 1",)),
    Host("mx.drift.test"),
    Host("mx.down.test", server="none"),
    Host("mx.tls12.test", server="smtp", mode="tls12"),
    Host("mx.noaddress.test", server="none", address=False, tlsa=()),
    *(Host(f"mx.{name}") for name in REGISTERED),
]

ZONES = {
    "nsec3.test": Zone(sign="nsec3"),
    "ed25519.test": Zone(sign="ed25519"),
    "rsa.test": Zone(sign="rsa"),
    "unsigned.test": Zone(sign="", ds="none"),
    "insecuremx.test": Zone(sign="", ds="none"),
    "island.test": Zone(ds="none"),
    "dsbroken.test": Zone(ds="wrong"),
    "bogus.test": Zone(fault="garbage:MX"),
    "expired.test": Zone(fault="expired"),
    "tlsaexpired.test": Zone(fault="expired:TLSA"),
    "provider.test": Zone(),
    "reg.test": Zone(),
}

DOMAINS = [
    Domain(
        "healthy.test",
        "authenticated",
        {"mx.healthy.test": "authenticated"},
        "MX, address and TLSA secure; 3 1 1 matches over IPv4 and IPv6",
    ),
    Domain(
        "shared-a.test",
        "authenticated",
        {"mx.provider.test": "authenticated"},
        "hosted by the provider, whose 3 1 1 matches",
        group="provider",
    ),
    Domain(
        "shared-b.test",
        "authenticated",
        {"mx.provider.test": "authenticated"},
        "hosted by the provider, whose 3 1 1 matches",
        group="provider",
    ),
    Domain("rolling.test", "authenticated", {"mx.rolling.test": "authenticated"}, "healthy until a test rolls its key"),
    Domain(
        "ta.test",
        "authenticated",
        {"mx.ta.test": "authenticated"},
        "2 1 1 of the intermediate, which is sent, and the leaf carries the host's name",
    ),
    Domain(
        "nsec3.test",
        "authenticated",
        {"mx.nsec3.test": "authenticated"},
        "healthy in a zone with NSEC3, no salt, no iterations",
    ),
    Domain(
        "rsa.test",
        "authenticated",
        {"mx.rsa.test": "authenticated"},
        "healthy with an RSA certificate in a zone signed with RSASHA256",
    ),
    Domain(
        "ed25519.test", "authenticated", {"mx.ed25519.test": "authenticated"}, "healthy in a zone signed with Ed25519"
    ),
    Domain(
        "mismatch.test",
        "deferred",
        {"mx.mismatch.test": "refused"},
        "the only host's certificate matches no TLSA record",
    ),
    Domain(
        "nostarttls.test",
        "deferred",
        {"mx.nostarttls.test": "refused"},
        "TLSA demands TLS, the only host does not offer STARTTLS",
    ),
    Domain("tempfail.test", "deferred", {"mx.tempfail.test": "refused"}, "the only host answers STARTTLS with 454"),
    Domain(
        "stripped.test",
        "deferred",
        {"mx.stripped.test": "refused"},
        "something overwrites STARTTLS with XXXXXXXA on the way",
    ),
    Domain(
        "injected.test",
        "authenticated",
        {"mx.injected.test": "authenticated"},
        "plaintext after the STARTTLS reply is discarded and the certificate matches",
    ),
    Domain(
        "dual.test",
        "authenticated",
        {"mx.dual.test": "authenticated"},
        "ECDSA is preferred and matches; the RSA certificate is not in TLSA",
    ),
    Domain("nodane.test", "opportunistic", {"mx.nodane.test": "opportunistic"}, "signed, but no TLSA: securely absent"),
    Domain(
        "cleartext.test", "cleartext", {"mx.cleartext.test": "cleartext"}, "signed, no TLSA, and no STARTTLS either"
    ),
    Domain(
        "unsigned.test",
        "opportunistic",
        {"mx.unsigned.test": "opportunistic"},
        "no DNSSEC, so its (wrong) TLSA must be ignored",
    ),
    Domain(
        "island.test",
        "opportunistic",
        {"mx.island.test": "opportunistic"},
        "signed without DS at the parent is insecure, so its (wrong) TLSA is ignored",
    ),
    Domain("bogus.test", "lookup-failed", {}, "the signature over the MX RRset is garbage"),
    Domain("expired.test", "lookup-failed", {}, "every signature in the zone expired weeks ago"),
    Domain("dsbroken.test", "lookup-failed", {}, "the DS at the parent matches no key of the zone"),
    Domain(
        "tlsaexpired.test",
        "deferred",
        {"mx.tlsaexpired.test": "lookup-failed"},
        "only the TLSA signature expired: the host must be skipped, no other exists",
    ),
    Domain("nullmx.test", "no-mail", {}, "null MX", null_mx=True),
    Domain(
        "implicit.test",
        "authenticated",
        {"implicit.test": "authenticated"},
        "no MX: the apex is the host, and its TLSA matches",
        mx=False,
    ),
    Domain(
        "cname.test",
        "authenticated",
        {"mx.cname.test": "authenticated"},
        "the MX host is a secure CNAME and the TLSA stands at its target",
        records=(("mx.cname.test", "CNAME", "mail.cname.test."),),
    ),
    Domain(
        "tlsacname.test",
        "authenticated",
        {"mx.tlsacname.test": "authenticated"},
        "_25._tcp is a secure CNAME to the provider's TLSA set, which matches",
        records=(
            ("_25._tcp.mx.tlsacname.test", "CNAME", "tlsa.provider.test."),
            ("tlsa.provider.test", "TLSA", "3 1 1 @mx.tlsacname.test"),
        ),
    ),
    Domain(
        "downgrade.test",
        "opportunistic",
        {"mx1.downgrade.test": "refused", "mx2.downgrade.test": "opportunistic"},
        "the first host mismatches, the second has no TLSA and takes the mail",
    ),
    Domain(
        "backup.test",
        "authenticated",
        {"mx1.backup.test": "down", "mx2.backup.test": "authenticated"},
        "nothing listens at the first host, the second matches",
    ),
    Domain(
        "unusable.test",
        "encrypted",
        {"mx.unusable.test": "encrypted"},
        "only 1 1 1, which is unusable: TLS required, nobody authenticated",
    ),
    Domain(
        "insecuremx.test",
        "host-authenticated",
        {"mx.provider.test": "host-authenticated"},
        "unsigned MX RRset pointing to the provider's authenticated host",
        role="outbound",
        group="partners",
    ),
    Domain(
        "drift.test",
        "authenticated",
        {"mx.drift.test": "authenticated"},
        "two name servers that agree until a test makes them disagree",
    ),
    Domain("down.test", "deferred", {"mx.down.test": "down"}, "nothing listens at the only host"),
    Domain(
        "tls12.test",
        "authenticated",
        {"mx.tls12.test": "authenticated"},
        "a server that knows nothing newer than TLS 1.2",
    ),
    Domain("noaddress.test", "bounced", {"mx.noaddress.test": "no-address"}, "the only MX host has no address"),
    Domain("gone.test", "bounced", {}, "the name does not exist", delegated=False),
    *(
        Domain(
            name,
            "authenticated",
            {f"mx.{name}": "authenticated"},
            "a registry's child; healthy until a test breaks the registry",
        )
        for name in REGISTERED
    ),
]


def addresses(host):
    """The loopback addresses of a host, IPv4 first."""
    if not host.address:
        return []
    place = HOSTS.index(host) + 1
    found = [f"127.0.2.{place}"]
    if host.ipv6:
        found.append(f"fd00:7672::{place:x}")
    return found


def zones():
    """Every zone below test., name -> Zone: those of the domains and those of ZONES."""
    names = [d.name for d in DOMAINS if d.delegated and d.own_zone]
    return {name: ZONES.get(name, Zone()) for name in dict.fromkeys(names + list(ZONES))}


def zone_of(name, known):
    """The longest of the known zones that holds a name; both without trailing dot, "" is the root."""
    while name not in known:
        name = name.partition(".")[2]
    return name


def expected():
    """The content of expected.json."""
    return {d.name: {"verdict": d.verdict, "hosts": d.hosts, "says": d.says} for d in DOMAINS}
