"""A host: its records, its keys, and how a change of key goes."""

import catalogue
from panels import (
    CALM,
    BAD,
    GROUP,
    HOST,
    HOST_IN_GROUP,
    HOST_LINK,
    IN_GROUP,
    MX,
    TIME_LEFT,
    TO_DOMAIN,
    TO_HOST,
    column,
    dashboard,
    endings,
    lines,
    of_hosts,
    openings,
    query,
    rollovers,
    row,
    stat,
    states,
    table,
    two,
    worded,
)


def mx_host():
    return dashboard(
        "danelaw-mx",
        "danelaw / MX host",
        "One MX host: its records, its keys, and how a change of key goes.",
        [GROUP, MX],
        [
            stat(
                "Mail",
                "What happens to mail through the host, for the worst-off domain that uses it.",
                of_hosts("danelaw_mx_delivery"),
                "{{mx}}",
                5,
                mappings=worded("danelaw_mx_delivery"),
                links=[HOST_LINK],
            ),
            stat(
                "DANE",
                "What a sender that asks now finds, for the worst-off domain that uses the host.",
                of_hosts("danelaw_mx_dane_state"),
                "{{mx}}",
                5,
                mappings=worded("danelaw_mx_dane_state"),
                links=[HOST_LINK],
            ),
            stat(
                "Rollover",
                "Where the TLSA set is between two keys.",
                of_hosts("danelaw_mx_rollover_state"),
                "{{mx}}",
                5,
                mappings=worded("danelaw_mx_rollover_state"),
                links=[HOST_LINK],
            ),
            stat(
                "Caches that refuse",
                "Share of warm resolver caches with a TLSA set that refuses what is served.",
                of_hosts("danelaw_mx_failing_cache_ratio"),
                "{{mx}}",
                5,
                unit="percentunit",
                thresholds=((None, CALM), (0.001, BAD)),
            ),
            stat(
                "Domains that depend on it",
                "Watched domains with this MX host.",
                f"count by (mx) (max by (mx, domain) (danelaw_domain_mx_info{{{HOST}}} {IN_GROUP}))",
                "{{mx}}",
                4,
            ),
            states(
                "Mail",
                "What happened to mail through the host; held up, too, where most caches refuse what is served.",
                [query(of_hosts("danelaw_mx_delivery"), "{{mx}}")],
                height=8,
                mappings=worded("danelaw_mx_delivery"),
                links=[HOST_LINK],
            ),
            states(
                "Rollover",
                "The states in which a change of key went by.",
                [query(of_hosts("danelaw_mx_rollover_state"), "{{mx}}")],
                height=8,
                mappings=worded("danelaw_mx_rollover_state"),
                links=[HOST_LINK],
            ),
            states(
                "DANE",
                "What a sender that asks now makes of the host; what caches still hold is in Mail.",
                [query(of_hosts("danelaw_mx_dane_state"), "{{mx}}")],
                12,
                8,
                mappings=worded("danelaw_mx_dane_state"),
                links=[HOST_LINK],
            ),
            states(
                "Addresses",
                "Whether a usable TLSA record matches the chain at each address.",
                [query(of_hosts("danelaw_address_tlsa_match", "mx, address", function="min"), "{{mx}} {{address}}")],
                12,
                8,
                mappings=two("no match", "matches"),
                links=[HOST_LINK],
            ),
            lines(
                "Caches that refuse",
                "Fades while caches forget the old set.",
                [query(of_hosts("danelaw_mx_failing_cache_ratio"), "{{mx}}")],
                "percentunit",
                min=0,
                max=1,
            ),
            endings(HOST),
            openings(HOST),
            lines(
                "Time left",
                "Until the TLSA signatures and the certificate end. DANE-EE(3) ignores the latter.",
                [
                    query(
                        of_hosts("danelaw_mx_rrsig_expiration_timestamp_seconds", function="min") + " - time()",
                        "{{mx}} signatures",
                    ),
                    query(
                        of_hosts("danelaw_address_cert_not_after_timestamp_seconds", function="min") + " - time()",
                        "{{mx}} certificate",
                    ),
                ],
                "s",
                thresholds=TIME_LEFT,
                custom={"thresholdsStyle": {"mode": "area"}},
            ),
            lines(
                "Life of the certificate that is spent",
                "1 at its end; renewal is usual at two thirds.",
                [
                    query(
                        f"max by (mx, address) ((time() - danelaw_address_cert_not_before_timestamp_seconds{{{HOST}}}) /"
                        f" (danelaw_address_cert_not_after_timestamp_seconds{{{HOST}}} - "
                        f"danelaw_address_cert_not_before_timestamp_seconds{{{HOST}}}) {HOST_IN_GROUP})",
                        "{{mx}} {{address}}",
                    )
                ],
                "percentunit",
            ),
            row("What senders report"),
            lines(
                "Refused sessions",
                "Sessions that senders report (TLSRPT) as failed by DANE, by whether danelaw saw the same fault then. "
                "Empty where none refuses.",
                [
                    query(
                        of_hosts("danelaw_senders_refused_sessions", "mx, agrees"),
                        "{{mx}}, seen by danelaw: {{agrees}}",
                    ),
                    query(of_hosts("danelaw_senders_reported_sessions"), "{{mx}}, all that senders report"),
                ],
                "short",
            ),
            lines(
                "Organizations that refuse",
                "How many say so in their newest report. Several, while danelaw sees no fault, are an alert.",
                [query(of_hosts("danelaw_senders_refusing"), "{{mx}}")],
                "short",
            ),
            row("Seen from elsewhere"),
            table(
                "Places",
                "Whether the host takes mail as seen from each vantage of a fleet. Empty where there is one agent.",
                [query(of_hosts("danelaw_mx_vantage_deliverable", "mx, vantage", function="min"), table=True)],
                12,
                9,
                columns=("mx", "vantage", "Value"),
                names={"Value": "takes mail"},
                overrides=(TO_HOST, column("takes mail", mappings=two("no", "yes"))),
            ),
            row("Records and sessions"),
            table(
                "Hosts",
                "Usable records, TTL as published, DNSSEC of the TLSA lookup, addresses, state since.",
                [
                    query(of_hosts("danelaw_mx_tlsa_records"), table=True),
                    query(of_hosts("danelaw_mx_tlsa_ttl_seconds"), table=True),
                    query(of_hosts("danelaw_mx_tlsa_dnssec_status"), table=True),
                    query(of_hosts("danelaw_mx_addresses"), table=True),
                    query(
                        "1000 * " + of_hosts("danelaw_mx_rollover_state_since_timestamp_seconds", above=" > 0"),
                        table=True,
                    ),
                ],
                12,
                9,
                columns=("mx", "Value #A", "Value #B", "Value #C", "Value #D", "Value #E"),
                names={
                    "Value #A": "records",
                    "Value #B": "TTL",
                    "Value #C": "DNSSEC",
                    "Value #D": "addresses",
                    "Value #E": "rolling since",
                },
                overrides=(
                    TO_HOST,
                    column("TTL", unit="s"),
                    column("rolling since", unit="dateTimeAsIso"),
                    column(
                        "DNSSEC",
                        mappings=[
                            {
                                "type": "value",
                                "options": {
                                    str(number): {"text": word, "index": number}
                                    for number, word in catalogue.metrics()[
                                        "danelaw_mx_tlsa_dnssec_status"
                                    ].words.items()
                                },
                            }
                        ],
                    ),
                ),
            ),
            table(
                "Addresses",
                "What the last session with each address showed.",
                [
                    query(of_hosts("danelaw_address_probe_success", "mx, address", function="min"), table=True),
                    query(of_hosts("danelaw_address_starttls", "mx, address", function="min"), table=True),
                    query(
                        "1000 * " + of_hosts("danelaw_address_last_probe_timestamp_seconds", "mx, address"),
                        table=True,
                    ),
                ],
                12,
                9,
                columns=("mx", "address", "Value #A", "Value #B", "Value #C"),
                names={"Value #A": "chain seen", "Value #B": "STARTTLS", "Value #C": "last probe"},
                overrides=(
                    TO_HOST,
                    column("chain seen", mappings=two("no", "yes")),
                    column("STARTTLS", mappings=two("no", "yes")),
                    column("last probe", unit="dateTimeFromNow"),
                ),
            ),
            lines(
                "Length of a session",
                "With each address, from the connection to QUIT.",
                [query(of_hosts("danelaw_address_probe_duration_seconds", "mx, address"), "{{mx}} {{address}}")],
                "s",
            ),
            table(
                "Domains",
                "Who depends on the host.",
                [query(f"max by (mx, domain, preference) (danelaw_domain_mx_info{{{HOST}}} {IN_GROUP})", table=True)],
                12,
                8,
                columns=("mx", "preference", "domain"),
                hidden=("Time", "Value"),
                overrides=(TO_DOMAIN, TO_HOST),
            ),
        ],
        annotations=[rollovers(HOST)],
    )
