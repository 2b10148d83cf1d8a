"""Where danelaw and the Postfix that was tried may differ, each with its reason. Short, and to stay so.

A row: what it is, and whether it explains what was seen of a domain.
"""


def _has_empty_tlsa(recipe):
    return any(of == "empty" for host in recipe["hosts"] for *_, of in host["tlsa"])


ACCEPTED = [
    (
        "the smtp client of Postfix up to 3.10.10 ends at a TLSA record without data; danelaw judges what later ones do and warns",
        lambda case: "panic" in case.sender and _has_empty_tlsa(case.recipe) and "tlsa-malformed" in case.findings,
    ),
    (
        "a server that refuses before STARTTLS may refuse only the one who asks: danelaw says unknown and probe-refused",
        lambda case: case.verdict == "unknown"
        and "probe-refused" in case.findings
        and set(case.sender) <= {"deferred", "bounced"},
    ),
]


def reason(case):
    """Why a difference is accepted; None when it is not."""
    return next((why for why, holds in ACCEPTED if holds(case)), None)
