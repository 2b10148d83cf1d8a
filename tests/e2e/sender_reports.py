"""Reports of senders on TLS (RFC 8460), as tests hand them in."""

import base64
import gzip
import json
from datetime import datetime, timezone

from living_lab import DANELAW


def report(organization, domain, host, failed, result_type="certificate-not-trusted", number=1):
    """Of today until now, as RFC 8460 has it; of one domain, all sessions failed."""
    now = datetime.now(timezone.utc)
    return {
        "organization-name": organization,
        "report-id": f"{domain}-{number}",
        "date-range": {"start-datetime": f"{now:%Y-%m-%d}T00:00:00Z", "end-datetime": f"{now:%Y-%m-%dT%H:%M:%S}Z"},
        "policies": [
            {
                "policy": {"policy-type": "tlsa", "policy-domain": domain, "mx-host": host},
                "summary": {"total-successful-session-count": 0, "total-failure-session-count": failed},
                "failure-details": [
                    {"result-type": result_type, "receiving-mx-hostname": host, "failed-session-count": failed}
                ],
            }
        ],
    }


def mail(body):
    """As senders deliver it (RFC 8460 §5.3)."""
    packed = base64.encodebytes(gzip.compress(json.dumps(body).encode())).decode()
    return (
        "From: tlsrpt@sender.test\nTo: tlsrpt@healthy.test\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type="tlsrpt"; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nA report.\n"
        f"--b\nContent-Type: application/tlsrpt+gzip\nContent-Transfer-Encoding: base64\n\n{packed}\n--b--\n"
    )


def pipe(lab, text):
    """A mail through the command, as an MTA does; the process when it is done."""
    with open(f"{lab.dir}/mail", "w") as file:
        file.write(text)
    return lab.inside("sh", "-c", 'exec "$0" tlsrpt --config "$1/danelaw.yaml" - <"$1/mail"', DANELAW, lab.dir)
