"""Zones: keys, plain zone files, Knot's configuration, and signatures broken on purpose.

Every zone's plain records live in the lab's state (state.py), one copy per name server. Sound zones
are written plain and signed by knotd itself. A zone with a fault is signed here with kzonesign,
spoiled, and served without automatic signing.

Faults, KIND or KIND:TYPE (only signatures over that type): garbage (a bit flipped), expired,
lately (expired half an hour ago), future (not yet valid), lasting (for twenty years), missing;
denying:TYPE (validly signed denials at wildcards that leave this type out of those that exist).
"""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import time

from world import NAMESERVERS, OTHER_TTL, REFRESH

FAULTS = ("garbage", "expired", "lately", "future", "lasting", "missing", "denying", "leaving")
SIGNER = "signer"  # a third Knot directory, never served, where kzonesign works

_DAY = 86400
_LIFE = 14 * _DAY  # of Knot's signatures
_KEYS = {
    "ecdsa": ["algorithm=ecdsap256sha256"],
    "nsec3": ["algorithm=ecdsap256sha256"],
    "nsec3-200": ["algorithm=ecdsap256sha256"],
    "nsec3-optout": ["algorithm=ecdsap256sha256"],
    "ed25519": ["algorithm=ed25519"],
    "rsa": ["algorithm=rsasha256", "size=2048"],
}
_POLICIES = """
policy:
  - {id: ecdsa, manual: on, single-type-signing: on, algorithm: ecdsap256sha256, dnskey-management: incremental, delete-delay: 1d}
  - {id: nsec3, manual: on, single-type-signing: on, algorithm: ecdsap256sha256, nsec3: on, nsec3-iterations: 0, nsec3-salt-length: 0}
  - {id: nsec3-200, manual: on, single-type-signing: on, algorithm: ecdsap256sha256, nsec3: on, nsec3-iterations: 200, nsec3-salt-length: 0}
  - {id: nsec3-optout, manual: on, single-type-signing: on, algorithm: ecdsap256sha256, nsec3: on, nsec3-opt-out: on, nsec3-iterations: 0, nsec3-salt-length: 0}
  - {id: ed25519, manual: on, single-type-signing: on, algorithm: ed25519}
  - {id: rsa, manual: on, single-type-signing: on, algorithm: rsasha256}
"""


def _run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def absolute(name):
    """A name as Knot writes it: with the final dot."""
    return name.rstrip(".") + "."


def _file(zone):
    return (zone or "root") + ".zone"


def config_path(run, server):
    """The knot.conf of ns1, ns2 or the signer."""
    return f"{run}/{server}/knot.conf"


def _block(line):
    """A list item written as `- {a: b, c: d}` in the block form, which is all that Knot's parser knows."""
    head, brace, rest = line.partition("- {")
    if not brace:
        return line
    fields = sorted(rest.rstrip("}").split(", "), key=lambda f: not f.startswith(("id:", "target:", "domain:")))
    return f"{head}- " + f"\n{head}  ".join(fields)


def write_config(run, server, zones):
    """Write knot.conf. zones: name -> {"sign", "fault", ...} as in the state."""
    home = f"{run}/{server}"
    os.makedirs(f"{home}/zones", exist_ok=True)
    lines = [
        "server:",
        f"  rundir: {home}",
        "  udp-workers: 1",
        "  tcp-workers: 2",
        "  background-workers: 1",
        "  user: root",
    ]
    if server in NAMESERVERS:
        lines.append(f"  listen: {NAMESERVERS[server]}@53")
    lines += [
        "log:",
        "  - {target: stderr, any: info}",
        "control:",
        f"  listen: {home}/knot.sock",
        "database:",
        f"  storage: {home}",
        f"  kasp-db: {home}/kasp",
        _POLICIES,
        "template:",
        f"  - {{id: default, storage: {home}/zones, zonefile-sync: -1, "
        "zonefile-load: whole, journal-content: none, semantic-checks: off}",
        "zone:",
    ]
    for name, zone in zones.items():
        automatic = zone["sign"] and (server == SIGNER or not zone["fault"])
        signing = f"dnssec-signing: on, dnssec-policy: {zone['sign']}" if automatic else "dnssec-signing: off"
        lines.append(f"  - {{domain: {absolute(name)}, file: {_file(name)}, {signing}}}")
    with open(config_path(run, server) + ".new", "w") as file:
        text = "\n".join(lines)
        file.write("\n".join(_block(line) for line in text.splitlines()) + "\n")
    os.rename(config_path(run, server) + ".new", config_path(run, server))


def make_key(run, zone, sign):
    """One key that signs everything in the zone, made long ago. Returns its DS by digest type, "1" and "2"."""
    past = int(time.time()) - 100 * _DAY  # kzonesign must find it active in the past, too
    base = ["keymgr", "-c", config_path(run, SIGNER), absolute(zone)]
    _run(
        [
            *base,
            "generate",
            *_KEYS[sign],
            "ksk=yes",
            "zsk=yes",
            f"created={past}",
            f"publish={past}",
            f"ready={past}",
            f"active={past}",
        ]
    )
    by_digest = {}
    for line in _run([*base, "ds"]).splitlines():
        _, _, tag, algorithm, digest_type, digest = line.split()
        by_digest[digest_type] = f"{tag} {algorithm} {digest_type} {digest}"
    # Knot makes no SHA-1 digests any more. RFC 4034 §5.1.4: over the owner and the key's data.
    _, _, flags, protocol, algorithm, key = _run([*base, "dnskey"]).split()
    owner = b"".join(bytes([len(label)]) + label.encode() for label in zone.split(".") if label) + b"\0"
    data = int(flags).to_bytes(2, "big") + bytes([int(protocol), int(algorithm)]) + base64.b64decode(key)
    tag = by_digest["2"].split()[0]
    by_digest["1"] = f"{tag} {algorithm} 1 {hashlib.sha1(owner + data).hexdigest()}"
    return by_digest


def _spoiled_digest(ds):
    return ds[:-4] + ("0000" if not ds.endswith("0000") else "1111")


def ds_set(kind, by_digest):
    """The DS RRset of a kind, from the zone's true one. 2 is SHA-256, RFC 8624 §3.3."""
    good, sha1 = by_digest["2"], by_digest["1"]
    tag, algorithm, _, digest = good.split()
    return {
        "good": [good],
        "wrong": [f"{(int(tag) + 1) % 65536} {algorithm} 2 {digest[::-1]}"],
        "unknown-algorithm": [f"{tag} 200 2 {digest}"],
        "unknown-digest": [good, f"{tag} {algorithm} 200 {digest}"],
        "unknown-digest-only": [f"{tag} {algorithm} 200 {digest}"],
        "sha1-wrong": [good, _spoiled_digest(sha1)],
        "sha1-only": [sha1],
        # A key of another algorithm, by which nothing is signed yet.
        "early-algorithm": [good, f"{(int(tag) + 1) % 65536} {8 if algorithm != '8' else 13} 2 {digest[::-1]}"],
    }[kind]


def share_keys(run):
    """Give both name servers the signer's keys."""
    for server in NAMESERVERS:
        shutil.copytree(f"{run}/{SIGNER}/kasp", f"{run}/{server}/kasp", dirs_exist_ok=True)


def write_zone(run, server, name, zone):
    """Write what a server loads for a zone: plain text, or signed and spoiled when it has a fault."""
    plain = plain_text(name, zone["serial"][server], zone["records"][server])
    target = f"{run}/{server}/zones/{_file(name)}"
    if not zone["fault"]:
        _replace(target, plain)
        return
    _replace(f"{run}/{SIGNER}/zones/{_file(name)}", plain)
    _replace(target, _spoiled(run, name, zone["fault"]))


def plain_text(name, serial, records):
    """A zone file. records: [owner, ttl, type, data]; the SOA is ours, minimum 60 s."""
    lines = [
        f"{absolute(name)} {OTHER_TTL} SOA ns1.dns.test. hostmaster.dns.test. " f"{serial} {REFRESH} 600 864000 60"
    ]
    lines += [f"{absolute(o)} {ttl} {kind} {data}" for o, ttl, kind, data in records]
    return "\n".join(lines) + "\n"


def _replace(path, text):
    with open(path + ".new", "w") as file:
        file.write(text)
    os.rename(path + ".new", path)


def _sign(run, name, when, days=None):
    """The signed zone as Knot dumps it, one record a line, as if the time were `when`; signatures last so many days."""
    out = f"{run}/{SIGNER}/out"
    os.makedirs(out, exist_ok=True)
    config = config_path(run, SIGNER)
    if days:
        with open(config) as file:
            text = re.sub(r"^( +)manual: on$", rf"\1manual: on\n\1rrsig-lifetime: {days}d", file.read(), flags=re.M)
        config = f"{config}.{days}"
        with open(config, "w") as file:
            file.write(text)
    _run(["kzonesign", "-c", config, "-o", out, "-t", str(when), absolute(name)])
    with open(f"{out}/{_file(name)}") as file:
        return [line for line in file.read().splitlines() if line and not line.startswith(";")]


def _spoiled(run, name, fault):
    """The signed zone with the signatures the fault names replaced."""
    kind, _, only = fault.partition(":")
    now = int(time.time())
    chosen = lambda line: line.split()[2] == "RRSIG" and only in ("", line.split()[3])
    lines = _sign(run, name, now)
    kept = [line for line in lines if not chosen(line)]
    if kind == "garbage":
        kept += [_flip(line) for line in lines if chosen(line)]
    elif kind in ("expired", "lately", "future"):
        when = now + {"expired": -60 * _DAY, "lately": -_LIFE - 1800, "future": 60 * _DAY}[kind]
        kept += [line for line in _sign(run, name, when) if chosen(line)]
    elif kind == "lasting":
        kept += [line for line in _sign(run, name, now, 20 * 365) if chosen(line)]
    elif kind == "leaving":  # leaving:TAG: that key has not signed the DNSKEY records for ten days
        late = lambda line: line.split()[2:4] == ["RRSIG", "DNSKEY"] and line.split()[9] == only
        kept = [line for line in lines if not late(line)]
        kept += [line for line in _sign(run, name, now - 10 * _DAY) if late(line)]
    elif kind == "denying":
        return "\n".join(_denying(run, name, only, lines)) + "\n"
    elif kind != "missing":
        raise ValueError(f"no such fault: {kind}; known: {', '.join(FAULTS)}")
    return "\n".join(kept) + "\n"


def _denying(run, name, kind, lines):
    """The signed zone with the wildcards' NSEC records of one that has no such type there."""
    plain = f"{run}/{SIGNER}/zones/{_file(name)}"
    with open(plain) as file:
        records = file.read().splitlines()
    with open(plain, "w") as file:
        file.write("\n".join(r for r in records if not (r.startswith("*.") and r.split()[2] == kind)) + "\n")
    denial = lambda line: line.startswith("*.") and "NSEC" in (line.split()[2], line.split()[3])
    kept = [line for line in lines if not denial(line)]
    return kept + [line for line in _sign(run, name, int(time.time())) if denial(line)]


def _flip(line):
    """An RRSIG whose signature has one bit wrong."""
    head, _, signature = line.rpartition(" ")
    octets = bytearray(base64.b64decode(signature))
    octets[len(octets) // 2] ^= 1
    return f"{head} {base64.b64encode(octets).decode()}"


def reload_zone(run, server, name):
    """Make a running server load a zone again."""
    _run(["knotc", "-c", config_path(run, server), "-b", "zone-reload", absolute(name)])


def reload_config(run, server):
    """Make a running server read its configuration again."""
    _run(["knotc", "-c", config_path(run, server), "reload"])


def served_serial(server, name):
    """The serial a server answers with; -1 when it does not answer."""
    done = subprocess.run(
        ["kdig", f"@{NAMESERVERS[server]}", "+short", "+timeout=1", "+retry=0", absolute(name), "SOA"],
        capture_output=True,
        text=True,
    )
    words = done.stdout.split()
    return int(words[2]) if len(words) >= 3 and words[2].isdigit() else -1
