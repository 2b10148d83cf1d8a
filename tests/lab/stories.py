"""Stories: sequences of changes that operators really make, step by step.

A step is (what it does, function of the lab). Tests play single steps; people play all of them.
"""

import change

HOST = "mx.provider.test"
OWNER = f"_25._tcp.{HOST}"


def _publish_live(lab):
    change.set_records(lab, OWNER, "TLSA", [change.tlsa(lab, HOST)], flush=True)


def _publish_both(lab):
    change.prepare(lab, HOST)
    change.set_records(lab, OWNER, "TLSA",
                       [change.tlsa(lab, HOST), change.tlsa(lab, HOST, next_one=True)], flush=True)


def _reset(lab):
    change.set_mode(lab, HOST, "normal")
    _publish_live(lab)


def _drift(lab):
    host = "mx.drift.test"
    change.prepare(lab, host)
    change.set_records(lab, f"_25._tcp.{host}", "TLSA", [change.tlsa(lab, host, next_one=True)],
                       server="ns2", flush=True)


def _agree(lab):
    host = "mx.drift.test"
    change.set_records(lab, f"_25._tcp.{host}", "TLSA", [change.tlsa(lab, host)], flush=True)


STORIES = {
    "healthy": [
        (f"{HOST} offers STARTTLS and its TLSA equals its live certificate", _reset),
    ],
    "late-rollover": [
        (f"a new key goes live at {HOST}; the TLSA still names the old one",
         lambda lab: change.swap(lab, HOST)),
        ("the operator publishes the TLSA of the new key, too late", _publish_live),
    ],
    "clean-rollover": [
        ("the next key is prepared and its TLSA published beside the old one", _publish_both),
        ("the next key goes live, after the old TLSA set left every cache",
         lambda lab: change.swap(lab, HOST)),
        ("the TLSA of the old key is removed", _publish_live),
    ],
    "stripped-starttls": [
        (f"a middlebox overwrites STARTTLS at {HOST}",
         lambda lab: change.set_mode(lab, HOST, "stripped")),
        ("the middlebox is taken away", lambda lab: change.set_mode(lab, HOST, "normal")),
    ],
    "drift": [
        ("ns2 serves another TLSA for mx.drift.test than ns1", _drift),
        ("both name servers agree again", _agree),
    ],
}
