"""The agent itself."""

import catalogue
from panels import GROUP, IN_GROUP, OURS, WARN, counted, dashboard, lines, of_alerts, query, stat, states, two

DELIVERIES = catalogue.metrics()["danelaw_domain_delivery"].words
IN_GROUPS = f"max by (domain) (danelaw_domain_delivery{{{OURS}}} {IN_GROUP})"


def rate(metric, by, legend):
    return query(f"sum by ({by}) (rate({metric}{{{OURS}}}[$__rate_interval]))", legend)


def spread(metric, share, legend, which="", by=""):
    each = f"sum by (le{', ' if by else ''}{by}) (rate({metric}_bucket{{{OURS}{which}}}[$__rate_interval]))"
    return query(f"histogram_quantile({share}, {each})", legend)


def agent():
    return dashboard(
        "danelaw-agent",
        "danelaw / Agent",
        "The agent itself: does it see, keep up, remember and tell?",
        [GROUP],
        [
            stat(
                "Version",
                "The running program, with the revision of its sources.",
                f"max by (instance, version, revision) (danelaw_build_info{{{OURS}}})",
                "{{version}} {{revision}}",
                6,
                shows="name",
            ),
            stat(
                "Configuration",
                "Whether it was taken when it was read last.",
                f"min(danelaw_config_last_reload_successful{{{OURS}}})",
                "",
                6,
                mappings=two("refused: the old one stays", "taken", WARN),
            ),
            stat(
                "Configured since",
                "When a configuration was taken last.",
                f"1000 * max(danelaw_config_last_reload_success_timestamp_seconds{{{OURS}}})",
                "",
                6,
                unit="dateTimeFromNow",
            ),
            stat(
                "Running since",
                "Start of the process.",
                f"1000 * max(process_start_time_seconds{{{OURS}}})",
                "",
                6,
                unit="dateTimeFromNow",
            ),
            states(
                "Self-checks",
                "Resolver, clock and the way out to port 25. While one fails nothing is said of others.",
                [query(f"min by (instance, check) (danelaw_vantage_up{{{OURS}}})", "{{instance}} {{check}}")],
                height=7,
                mappings=two("fails", "works"),
            ),
            lines(
                "Watched domains",
                "Of the groups chosen, by what happens to mail; and all there are.",
                [
                    *(
                        query(counted(f"{IN_GROUPS} == {number}"), word)
                        for number, word in reversed(DELIVERIES.items())
                    ),
                    query(f"sum(max by (status) (danelaw_domains{{{OURS}}}))", "all groups"),
                ],
                "short",
            ),
            lines(
                "Lists of domains from elsewhere",
                "Domains that each list names, those that it names no more and that are watched for a day, and lists "
                "that wait for somebody to accept what they lost.",
                [
                    query(f"max by (list) (danelaw_domain_list_domains{{{OURS}}})", "{{list}}"),
                    query(f"max by (list) (danelaw_domain_list_missing{{{OURS}}})", "{{list}} missing"),
                    query(f"max by (list) (danelaw_domain_list_refused{{{OURS}}})", "{{list}} refused"),
                ],
                "short",
            ),
            lines(
                "Age of lists",
                "How long ago each list from elsewhere was last read and accepted.",
                [query(f"time() - max by (list) (danelaw_domain_list_read_timestamp_seconds{{{OURS}}})", "{{list}}")],
                "s",
            ),
            lines(
                "Alerts",
                "Those that fire in the groups chosen; and open ones of all groups: pending are not confirmed, silenced "
                "notify nobody.",
                [
                    query(counted(of_alerts("danelaw_alert_firing")), "firing"),
                    query(
                        f"sum by (state) (max by (state, severity) (danelaw_alerts{{{OURS}}}))",
                        "{{state}}, all groups",
                    ),
                ],
                "short",
            ),
            lines(
                "Behind schedule",
                "How late the most overdue target is.",
                [query(f"max by (instance) (danelaw_scheduler_lag_seconds{{{OURS}}})", "{{instance}}")],
                "s",
            ),
            lines(
                "Work",
                "Targets that wait, and probes under way.",
                [
                    query(f"sum by (instance) (danelaw_scheduler_queue_length{{{OURS}}})", "{{instance}} waiting"),
                    query(f"sum by (instance) (danelaw_probes_in_flight{{{OURS}}})", "{{instance}} under way"),
                ],
                "short",
            ),
            lines(
                "Probes",
                "Probes finished per second.",
                [rate("danelaw_rounds_total", "instance", "{{instance}}")],
                "ops",
            ),
            lines(
                "Length of sessions",
                "Half are shorter, 95 % are shorter.",
                [
                    spread("danelaw_probe_duration_seconds", 0.5, "half", ', stage="session"'),
                    spread("danelaw_probe_duration_seconds", 0.95, "95 %", ', stage="session"'),
                ],
                "s",
            ),
            lines(
                "Length of stages",
                "Lookups and the steps of sessions: 95 % are shorter.",
                [spread("danelaw_probe_duration_seconds", 0.95, "{{stage}}", ', stage!="session"', "stage")],
                "s",
            ),
            lines(
                "Lookups and sessions by stage",
                "Lookups, and SMTP sessions that came to the stage, per second.",
                [rate("danelaw_probes_total", "stage", "{{stage}}")],
                "ops",
            ),
            lines(
                "Failures by stage and reason",
                "Lookups that failed and sessions that ended there, per second.",
                [
                    query(
                        f"sum by (stage, reason) (rate(danelaw_probes_failed_total{{{OURS}}}[$__rate_interval])) > 0",
                        "{{stage}}: {{reason}}",
                    )
                ],
                "ops",
            ),
            lines(
                "DNS",
                "Queries per second by response code, and those without a usable reply.",
                [
                    rate("danelaw_dns_queries_total", "rcode, proto", "{{rcode}} {{proto}}"),
                    query(f"sum(rate(danelaw_dns_unanswered_total{{{OURS}}}[$__rate_interval]))", "no reply"),
                ],
                "ops",
            ),
            states(
                "Resolvers that validate",
                "danelaw validates by itself; an MTA relies on its resolver for it.",
                [
                    query(
                        f"min by (instance, resolver) (danelaw_resolver_validating{{{OURS}}})",
                        "{{instance}} {{resolver}}",
                    )
                ],
                width=12,
                height=8,
                mappings=two("does not validate", "validates", WARN),
            ),
            lines(
                "Notices",
                "Delivered and failed per minute, and waiting.",
                [
                    query(
                        f"60 * sum by (integration) (rate(danelaw_notifications_total{{{OURS}}}[$__rate_interval]))",
                        "{{integration}} delivered",
                    ),
                    query(
                        "60 * sum by (integration) "
                        f"(rate(danelaw_notifications_failed_total{{{OURS}}}[$__rate_interval]))",
                        "{{integration}} failed",
                    ),
                    query(f"max by (integration) (danelaw_notifications_waiting{{{OURS}}})", "{{integration}} waiting"),
                ],
                "short",
            ),
            lines(
                "Since the last delivery",
                "By notifier; one that had nothing to deliver is not at fault.",
                [
                    query(
                        "time() - max by (integration) "
                        f"(danelaw_notification_last_success_timestamp_seconds{{{OURS}}} > 0)",
                        "{{integration}}",
                    )
                ],
                "s",
            ),
            lines(
                "Our own deliveries",
                "In our own Postfix' log, per minute, by outcome and how the session was protected.",
                [
                    query(
                        "60 * sum by (status, tls) "
                        f"(rate(danelaw_own_deliveries_total{{{OURS}}}[$__rate_interval]))",
                        "{{status}} {{tls}}",
                    )
                ],
                "short",
                stacked=True,
            ),
            lines(
                "Our own deliveries that verdicts foretold",
                "Share of the last seven days; unknown verdicts do not count.",
                [
                    query(f"min by (instance) (danelaw_agreement_ratio{{{OURS}}})", "{{instance}}"),
                    query(f"min by (instance) (danelaw_mail_log_readable{{{OURS}}})", "{{instance}} log readable"),
                ],
                "percentunit",
            ),
            lines(
                "Our own queue",
                "Messages that wait, and how long the oldest has.",
                [
                    query(f"max by (instance) (danelaw_own_messages_waiting{{{OURS}}})", "{{instance}} waiting"),
                    query(
                        f"max by (instance) (danelaw_own_queue_age_seconds{{{OURS}}}) / 3600",
                        "{{instance}} oldest, hours",
                    ),
                ],
                "short",
            ),
            lines(
                "Exceptions",
                "In force, and lookups of our own Postfix per minute by answer.",
                [
                    query(f"max by (instance) (danelaw_exceptions{{{OURS}}})", "{{instance}} in force"),
                    query(
                        f"60 * sum by (answer) (rate(danelaw_policy_lookups_total{{{OURS}}}[$__rate_interval]))",
                        "{{answer}}",
                    ),
                ],
                "short",
            ),
            lines(
                "Database",
                "Its size.",
                [query(f"max by (instance) (danelaw_storage_size_bytes{{{OURS}}})", "{{instance}}")],
                "bytes",
                6,
            ),
            lines(
                "Rows",
                "By table. History is one row a change.",
                [query(f"max by (table) (danelaw_storage_rows{{{OURS}}})", "{{table}}")],
                "short",
                6,
            ),
            lines(
                "Time to record a probe",
                "Half take less, 95 % take less.",
                [
                    spread("danelaw_storage_write_duration_seconds", 0.5, "half"),
                    spread("danelaw_storage_write_duration_seconds", 0.95, "95 %"),
                ],
                "s",
                6,
            ),
            lines(
                "Rounds not recorded",
                "Tries per second that failed, and rounds per second that waited too long: "
                "history has gaps where these are not 0.",
                [
                    rate("danelaw_storage_errors_total", "instance", "{{instance}}: failed"),
                    rate("danelaw_storage_lost_rounds_total", "instance", "{{instance}}: lost"),
                ],
                "ops",
                6,
            ),
            lines(
                "Rounds in memory",
                "That wait to be recorded, and whether recording works (1).",
                [
                    query(f"max by (instance) (danelaw_storage_unrecorded_rounds{{{OURS}}})", "{{instance}}: waiting"),
                    query(f"min by (instance) (danelaw_storage_up{{{OURS}}})", "{{instance}}: works"),
                ],
                "short",
                6,
            ),
            lines(
                "Progress",
                "Since a probe was finished, and the longest probe under way.",
                [
                    query(f"max by (instance) (danelaw_last_round_age_seconds{{{OURS}}})", "{{instance}}: last"),
                    query(f"max by (instance) (danelaw_longest_look_seconds{{{OURS}}})", "{{instance}}: longest"),
                ],
                "s",
                6,
            ),
            lines(
                "Workers",
                "Threads that probe; whether probes are finished in time (1).",
                [
                    query(f"max by (instance) (danelaw_workers{{{OURS}}})", "{{instance}}: workers"),
                    query(f"min by (instance) (danelaw_scheduler_healthy{{{OURS}}})", "{{instance}}: in time"),
                ],
                "short",
                6,
            ),
            lines(
                "Clock",
                "How often it was set, per second.",
                [rate("danelaw_clock_steps_total", "instance", "{{instance}}")],
                "ops",
                6,
            ),
            lines(
                "Requests",
                "Answered per second, by route and status.",
                [rate("danelaw_http_requests_total", "handler, code", "{{handler}} {{code}}")],
                "reqps",
                6,
            ),
            lines(
                "Time to answer",
                "95 % take less, by route.",
                [spread("danelaw_http_request_duration_seconds", 0.95, "{{handler}}", "", "handler")],
                "s",
                6,
            ),
            lines(
                "Open pages",
                "Streams of events that are open.",
                [query(f"max by (instance) (danelaw_event_stream_clients{{{OURS}}})", "{{instance}}")],
                "short",
                6,
            ),
            lines("CPU", "Cores in use.", [rate("process_cpu_seconds_total", "instance", "{{instance}}")], "short", 6),
            lines(
                "Memory",
                "Resident.",
                [query(f"max by (instance) (process_resident_memory_bytes{{{OURS}}})", "{{instance}}")],
                "bytes",
                6,
            ),
            lines(
                "File descriptors",
                "Open, and how many may be.",
                [
                    query(f"max by (instance) (process_open_fds{{{OURS}}})", "{{instance}} open"),
                    query(f"max by (instance) (process_max_fds{{{OURS}}})", "{{instance}} most"),
                ],
                "short",
            ),
            lines(
                "Series",
                "What a scrape of the agent brings; metrics.detail makes it less.",
                [query(f"max by (instance) (scrape_samples_scraped{{{OURS}}})", "{{instance}}")],
                "short",
            ),
        ],
        span="now-24h",
    )
