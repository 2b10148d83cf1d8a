"""All domains: what happens to mail, what has to be done next."""

import catalogue
from panels import (
    ALERT_LABELS,
    BAD,
    CALM,
    COLOURS,
    DOMAIN,
    DOMAIN_LINK,
    GREY,
    GROUP,
    IN_GROUP,
    MINE,
    OURS,
    SEVERITIES,
    SEVERITY,
    TO_DOMAIN,
    TO_FINDING,
    TO_HOST,
    WARN,
    column,
    counted,
    dashboard,
    endings,
    lines,
    of_alerts,
    of_domains,
    openings,
    painted,
    query,
    ranked,
    rollovers,
    row,
    stat,
    states,
    stats,
    steps,
    table,
    two,
    worded,
)

DELIVERIES = {word: number for number, word in catalogue.metrics()["danelaw_domain_delivery"].words.items()}
VERDICTS = {word: number for number, word in catalogue.metrics()["danelaw_domain_verdict"].words.items()}

# Shares of time: verdict and delivery at evenly spread moments. As many as Prometheus can answer for 10,000 domains.
MOMENTS = 2000
EACH = "[$__range:$__interval]"
KNOWN = f"(danelaw_domain_verdict{{{MINE}}} != {VERDICTS['unknown']})"
TAKES_MAIL = f"({KNOWN} != {VERDICTS['no-mail']})"
# What caches hold may keep senders away from a host that authenticates itself.
DELIVERED = f"(danelaw_domain_delivery{{{MINE}}} != bool {DELIVERIES['held-up']})"
AUTHENTICATED = (
    f"max by (domain) (avg_over_time((({TAKES_MAIL} <= bool {VERDICTS['host-authenticated']}) * {DELIVERED}){EACH})"
)
NOT_KNOWN = (
    f"1 - max by (domain) ((count_over_time({KNOWN}{EACH}) or 0 * danelaw_domain_verdict{{{MINE}}}) {IN_GROUP})"
    f" / scalar(count_over_time(vector(1){EACH}))"
)
NOT_SCRAPED = "No data: no agent is scraped"
OUR_OWN = f'and on (domain) danelaw_domain_info{{{OURS}, group=~"$group", direction="inbound"}}'

# Once in the range is enough to be shown.
WORST = f"max by (domain) (max_over_time(danelaw_domain_delivery{{{MINE}}}[$__range] @ end()) {IN_GROUP})"


def unwell(word):
    """The domains for which nothing worse than that happened to mail, of the 50 for which the worst did."""
    return (
        f"{of_domains('danelaw_domain_delivery')} "
        f"and on (domain) (topk(50, {WORST} > {DELIVERIES['fine']}) == {DELIVERIES[word]})"
    )


def counts(asked, colours):
    """(expressions with their legends, overrides): a number for each word, in its colour unless it is 0."""
    return [(counted(expr), word) for word, expr in asked.items()], [
        column(word, thresholds=steps((None, GREY), (1, colours[word]))) for word in asked
    ]


def overview():
    domains, domain_colours = counts(
        {
            word: f"{of_domains('danelaw_domain_delivery')} == {DELIVERIES[word]}"
            for word in ("held-up", "at-risk", "unprotected", "fine", "unknown")
        },
        COLOURS["danelaw_domain_delivery"],
    )
    alerts, alert_colours = counts(
        {
            word: of_alerts("danelaw_alert_firing", where=f'{OURS}, severity="{word}"')
            for word in ("critical", "high", "medium")
        },
        SEVERITIES,
    )
    return dashboard(
        "danelaw-overview",
        "danelaw / Overview",
        "Does mail get through securely, and what has to be done next?",
        [GROUP, DOMAIN],
        [
            stats(
                "Domains",
                "What happens to mail: it is held up, delivered at risk or unprotected, or all is fine.",
                domains,
                9,
                overrides=domain_colours,
                noValue=NOT_SCRAPED,
            ),
            stats(
                "Open alerts",
                "Confirmed trouble by severity, one a root cause; without what is silenced.",
                alerts,
                5,
                overrides=alert_colours,
                noValue=NOT_SCRAPED,
            ),
            stat(
                "Time authenticated",
                "Share of the range in which senders that check DANE authenticated our own domains and delivered; the "
                "mean of them.",
                f"avg({AUTHENTICATED} {OUR_OWN}))",
                "our domains",
                4,
                unit="percentunit",
                decimals=2,
                thresholds=((None, BAD), (0.99, WARN), (0.999, CALM)),
                points=MOMENTS,
            ),
            stats(
                "Agent",
                "Whether Prometheus reaches the agent, and what it needs to see others: while that fails nothing is "
                "said of the domains.",
                [(f"min(up{{{OURS}}})", "scrape"), (f"min by (check) (danelaw_vantage_up{{{OURS}}})", "{{check}}")],
                6,
                mappings=two("fails", "works"),
            ),
            table(
                "Alerts",
                "What is open now, the worst first, with its age. The code explains itself on danelaw's page.",
                [
                    query(f"time() - {of_alerts('danelaw_alert_opened_timestamp_seconds')}", table=True),
                    query(ranked(of_alerts("danelaw_alert_firing")), table=True),
                ],
                14,
                10,
                columns=("Value #B", "Value #A", "code", *ALERT_LABELS.split(", ")[1:], "direction"),
                hidden=("Time", "severity"),
                names={"Value #A": "open for", "Value #B": "severity"},
                order=(("severity", True), ("open for", True)),
                overrides=(SEVERITY, column("open for", unit="s"), TO_DOMAIN, TO_HOST, TO_FINDING),
                noValue="No alert is open, or the agent is not scraped",
            ),
            endings(OURS, with_domains=True, width=10, height=10),
            states(
                "Domains that are not well",
                "What happened to mail of each domain that was not fine at some time; at most 50, those first that were "
                "worst off.",
                [
                    query(unwell(word), "{{domain}}")
                    for word in sorted(DELIVERIES, key=DELIVERIES.get, reverse=True)[:-1]
                ],
                height=12,
                mappings=worded("danelaw_domain_delivery"),
                links=[DOMAIN_LINK],
                noValue="No domain was unwell in this time, or the agent was not scraped",
            ),
            table(
                "Open findings",
                "Everything the last probes found, the worst first. danelaw's page explains each code.",
                [query(ranked(of_domains("danelaw_finding", "severity, code, mx, domain, direction")), table=True)],
                14,
                10,
                columns=("Value", "code", "mx", "domain", "direction"),
                hidden=("Time", "severity"),
                names={"Value": "severity"},
                order=(("severity", True),),
                overrides=(SEVERITY, TO_DOMAIN, TO_HOST, TO_FINDING),
            ),
            openings(OURS, 10, 10),
            lines(
                "Findings over time",
                "Open findings by severity.",
                [
                    query(
                        f"count by (severity) ({of_domains('danelaw_finding', 'severity, code, mx, domain')})",
                        "{{severity}}",
                    )
                ],
                "short",
                stacked=True,
            ),
            lines(
                "Alerts over time",
                "Alerts that fire, by severity.",
                [query(f"count by (severity) ({of_alerts('danelaw_alert_firing')})", "{{severity}}")],
                "short",
                stacked=True,
            ),
            row("Domains"),
            table(
                "Domains",
                "What happens to mail, and the share of the range in which it was authenticated, of the time in which "
                "that is known. Status as the exit status of `danelaw check`.",
                [
                    query(
                        f'max by (domain, group, direction) (danelaw_domain_info{{{MINE}, group=~"$group"}}) '
                        f"* on (domain) group_left () max by (domain) (danelaw_domain_delivery{{{MINE}}})",
                        table=True,
                    ),
                    query(of_domains("danelaw_domain_status"), table=True),
                    query(f"{AUTHENTICATED} {IN_GROUP})", table=True),
                    query(NOT_KNOWN, table=True),
                ],
                24,
                10,
                columns=("domain", "Value #A", "Value #B", "Value #C", "Value #D", "group", "direction"),
                names={
                    "Value #A": "mail",
                    "Value #B": "status",
                    "Value #C": "time authenticated",
                    "Value #D": "time not known",
                },
                order=(("mail", True), ("time authenticated", False)),
                points=MOMENTS,
                overrides=(
                    TO_DOMAIN,
                    painted("mail", mappings=worded("danelaw_domain_delivery")),
                    column("time authenticated", unit="percentunit", decimals=3),
                    column("time not known", unit="percentunit", decimals=3),
                    column("status", mappings=worded("danelaw_domain_status")),
                ),
            ),
            lines(
                "Partial DANE",
                "MX hosts of a domain without DANE beside others with it: the weakest one counts.",
                [
                    query(
                        f"max by (domain) (danelaw_domain_mx_hosts{{{MINE}}} - danelaw_domain_dane_mx_hosts{{{MINE}}}"
                        f" {IN_GROUP}) > 0",
                        "{{domain}}",
                    )
                ],
                "short",
                8,
            ),
            stat(
                "Domains by DNSSEC of the MX RRset",
                "Senders such as Exim apply DANE only where it is secure.",
                f'count_values("status", {of_domains("danelaw_domain_mx_dnssec_status")})',
                "{{status}}",
                8,
                overrides=[
                    column(str(number), displayName=word)
                    for number, word in catalogue.metrics()["danelaw_domain_mx_dnssec_status"].words.items()
                ],
            ),
            lines(
                "Time since the last probe",
                "A domain that could not be probed says nothing new.",
                [
                    query(
                        f"time() - {of_domains('danelaw_domain_last_probe_timestamp_seconds')}",
                        "{{domain}}",
                    ),
                    query(
                        counted(f"{of_domains('danelaw_domain_probe_success')} == 0"),
                        "domains that we could not see",
                    ),
                ],
                "s",
                8,
                overrides=[column("domains that we could not see", unit="short")],
            ),
        ],
        annotations=[rollovers(OURS)],
    )
