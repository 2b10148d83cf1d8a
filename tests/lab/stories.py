"""Stories: sequences of changes that operators really make, step by step.

A step is (what it does, function of the lab). Tests play single steps; people play all of them.
"""

import change
from world import DOMAINS, HOSTS, Domain, Host

HOST = "mx.provider.test"
OWNER = f"_25._tcp.{HOST}"

# Ways a rollover goes, each with a domain, a zone and an MX host of its own (`lab up --stories`), so
# that all can be played at the same time. All begin in good health; tests/e2e/stories_test.py plays.
ROLLOVERS = {
    "clean": "the next record is published two TTLs before its key, the old one goes after its key",
    "early": "the next key goes live while caches still hold the set without its record",
    "late": "the next key goes live before its record is published",
    "never": "the next key goes live, and its record never comes",
    "early-retire": "the old record goes while the old key is live",
    "one-server-drops": "one name server loses the record of the live key",
    "withdrawn": "the records are removed, and DANE is given up",
    "lagging-secondary": "one name server gives the next record, the other not yet",
    "safe-via-ta": "the next key goes live before its record, but 2 1 1 matches all along",
}


def add_hosts(ttl):
    """Add the domains of ROLLOVERS to the world's tables. ttl: of their TLSA records, seconds."""
    for name, says in ROLLOVERS.items():
        domain = f"story-{name}.test"
        tlsa = ("3 1 1", "2 1 1") if name == "safe-via-ta" else ("3 1 1",)
        HOSTS.append(Host(f"mx.{domain}", tlsa=tlsa, tlsa_ttl=ttl))
        DOMAINS.append(
            Domain(domain, "authenticated", {f"mx.{domain}": "authenticated"}, f"healthy until a test plays: {says}")
        )


def _publish_live(lab):
    change.set_records(lab, OWNER, "TLSA", [change.tlsa(lab, HOST)], flush=True)


def _publish_both(lab):
    change.prepare(lab, HOST)
    change.set_records(lab, OWNER, "TLSA", [change.tlsa(lab, HOST), change.tlsa(lab, HOST, next_one=True)], flush=True)


def _reset(lab):
    change.set_mode(lab, HOST, "normal")
    _publish_live(lab)


def _drift(lab):
    host = "mx.drift.test"
    change.prepare(lab, host)
    change.set_records(
        lab, f"_25._tcp.{host}", "TLSA", [change.tlsa(lab, host, next_one=True)], server="ns2", flush=True
    )


def _agree(lab):
    host = "mx.drift.test"
    change.set_records(lab, f"_25._tcp.{host}", "TLSA", [change.tlsa(lab, host)], flush=True)


STORIES = {
    "healthy": [
        (f"{HOST} offers STARTTLS and its TLSA equals its live certificate", _reset),
    ],
    "late-rollover": [
        (f"a new key goes live at {HOST}; the TLSA still names the old one", lambda lab: change.swap(lab, HOST)),
        ("the operator publishes the TLSA of the new key, too late", _publish_live),
    ],
    "clean-rollover": [
        ("the next key is prepared and its TLSA published beside the old one", _publish_both),
        ("the next key goes live, after the old TLSA set left every cache", lambda lab: change.swap(lab, HOST)),
        ("the TLSA of the old key is removed", _publish_live),
    ],
    "stripped-starttls": [
        (f"a middlebox overwrites STARTTLS at {HOST}", lambda lab: change.set_mode(lab, HOST, "stripped")),
        ("the middlebox is taken away", lambda lab: change.set_mode(lab, HOST, "normal")),
    ],
    "drift": [
        ("ns2 serves another TLSA for mx.drift.test than ns1", _drift),
        ("both name servers agree again", _agree),
    ],
}
