import type { AgentStatus, Alert, Deadline, Delivery, DomainItem, Page } from "./api";
import { DayBars } from "./days";
import { DomainTable } from "./domains";
import type { Resource } from "./live";
import { useResource } from "./live";
import { DeliveryMark, DomainLink, HostLink, Link, Mark, Moment, Title, Waiting, When } from "./parts";
import {
  checkWords,
  countOf,
  deadlineSourceWords,
  deadlineWords,
  deliveries,
  duration,
  headline,
  plural,
  rolesOf,
  severityLook,
} from "./words";

const shownAlerts = 10;
const shownDeadlines = 8;

function OpenAlerts({ items, all }: { items: Alert[]; all: number }) {
  if (items.length === 0) return <p>None.</p>;
  return (
    <>
      <table class="list">
        <caption class="hidden">Open alerts, worst first</caption>
        <thead>
          <tr>
            <th scope="col">Severity</th>
            <th scope="col">Alert</th>
            <th scope="col">Domains</th>
            <th scope="col">Opened</th>
          </tr>
        </thead>
        <tbody>
          {items.slice(0, shownAlerts).map((alert) => (
            <tr key={alert.id}>
              <td>
                <Mark status={severityLook(alert.severity)}>{alert.severity}</Mark>
              </td>
              <td>
                {(alert.alike ?? 1) > 1 ? (
                  <Link to={`/alerts?state=firing&code=${alert.code}`}>{alert.title}</Link>
                ) : (
                  <Link to={`/alerts#${alert.id}`}>{alert.title}</Link>
                )}
                {alert.silenced && <span class="tag">silenced</span>}
                {alert.acknowledged && <span class="tag">acknowledged</span>}
              </td>
              <td class="number" data-label="Domains">
                {alert.domains_count ?? alert.domains.length}
              </td>
              <td data-label="Opened">
                <When at={alert.opened_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>
        <Link to="/alerts">
          {all > shownAlerts ? `All ${all} alerts, with what to do` : "All alerts, with what to do"}
        </Link>
      </p>
    </>
  );
}

function Deadlines({ items }: { items: Deadline[] }) {
  if (items.length === 0) return <p>None.</p>;
  return (
    <ol class="rows">
      {items.slice(0, shownDeadlines).map((one) => (
        <li key={`${one.at}${one.kind}${one.subject.name}`}>
          <span>
            <When at={one.at} />{" "}
            <span class="muted">
              <Moment at={one.at} short />
            </span>
          </span>
          <span>
            {one.subject.kind === "host" ? (
              <HostLink name={one.subject.name} />
            ) : (
              <DomainLink name={one.subject.name} />
            )}
            : {deadlineWords[one.kind] ?? one.kind}
            {one.source && <span class="muted">, {deadlineSourceWords[one.source]}</span>}
          </span>
        </li>
      ))}
    </ol>
  );
}

export function AgentStrip({ status }: { status: AgentStatus }) {
  const failing = status.vantage.filter((check) => !check.up);
  const stuck = status.notifiers.filter((one) => one.fault);
  return (
    <ul class="strip" aria-label="Self-checks">
      {failing.length === 0 ? (
        <li>
          <Mark status={status.self_checked ? "ok" : "unknown"}>
            Self-checks: {status.self_checked ? "OK" : "none has run yet"}
          </Mark>
        </li>
      ) : (
        failing.map((check) => (
          <li key={check.check}>
            <Mark status="critical">{checkWords[check.check] ?? check.check}: degraded</Mark> {check.detail}
          </li>
        ))
      )}
      <li>
        <Mark status={status.scheduler.lag_seconds > status.config.interval ? "warning" : "ok"}>
          {status.scheduler.lag_seconds > 0 ? `${duration(status.scheduler.lag_seconds)} behind` : "on schedule"}
        </Mark>
      </li>
      <li>
        <Mark status={status.storage.fault || status.storage.errors > 0 ? "critical" : "ok"}>
          {status.storage.fault
            ? "nothing is recorded"
            : status.storage.errors > 0
              ? plural(status.storage.errors, "storage error")
              : "storage OK"}
        </Mark>
      </li>
      {status.notifiers.length === 0 && (
        <li>
          <Link to="/status#notify">
            <Mark status="warning">Nobody is notified: set up notify</Mark>
          </Link>
        </li>
      )}
      {status.notifiers.length > 0 && (
        <li>
          <Mark status={stuck.length > 0 ? "warning" : "ok"}>
            {stuck.length > 0
              ? `${stuck.map((one) => one.name).join(", ")} cannot be notified`
              : "notifications delivered"}
          </Mark>
        </li>
      )}
      <li class="muted">
        last probe <When at={status.scheduler.last_round_at} />
      </li>
    </ul>
  );
}

// Those that were so when that was known last, while nothing is known: the list of them has these, too.
const lastKnownOf = ({ last_known: known }: AgentStatus, delivery: Delivery) =>
  known && delivery !== "unknown" ? known.delivery[delivery].inbound + known.delivery[delivery].outbound : 0;

export function Overview({ status }: { status: Resource<AgentStatus> }) {
  const alerts = useResource<Page<Alert>>(
    "/api/v1/alerts?state=firing&group_by=cause",
    (kind) => kind === "alert" || kind === "silence",
  );
  const deadlines = useResource<Page<Deadline>>(
    "/api/v1/deadlines",
    (kind) => kind === "host" || kind === "domain",
    5000,
  );
  const worst = useResource<Page<DomainItem>>(
    "/api/v1/domains?sort=delivery&limit=20",
    (kind) => kind === "domain",
    3000,
  );
  const seen = status.data;
  const troubled =
    worst.data?.items.filter((item) => item.delivery !== "fine" && item.delivery !== "unprotected") ?? [];
  const inTrouble = seen ? countOf(seen, "held-up") + countOf(seen, "at-risk") + countOf(seen, "unknown") : 0;
  return (
    <>
      <Title of="Overview">Does mail get through securely?</Title>
      <Waiting of={status} />
      {seen && (
        <>
          <p class="lead" role="status">
            {headline(seen)}
          </p>
          <ul class="counts">
            {deliveries.map((one) => (
              <li key={one}>
                <Link to={`/domains?delivery=${one}`}>
                  <span class="figure">{countOf(seen, one)}</span> <DeliveryMark delivery={one} />
                  {lastKnownOf(seen, one) > 0 && <span class="whose">last known: {lastKnownOf(seen, one)}</span>}
                  {seen.delivery[one].outbound > 0 && <span class="whose">{rolesOf(seen, one)}</span>}
                </Link>
              </li>
            ))}
            <li>
              <Link to="/alerts?state=firing">
                <span class="figure">{seen.open_alerts}</span> {seen.open_alerts === 1 ? "open alert" : "open alerts"}
              </Link>
            </li>
            <li>
              <Link to="/mx?rolling=yes">
                <span class="figure">{seen.rollovers_under_way}</span>{" "}
                {seen.rollovers_under_way === 1 ? "rollover" : "rollovers"} under way
              </Link>
            </li>
          </ul>
          <AgentStrip status={seen} />
        </>
      )}
      <div class="columns">
        <section>
          <h2>Open alerts</h2>
          <Waiting of={alerts} />
          {alerts.data && (
            <OpenAlerts items={alerts.data.items} all={Math.max(alerts.data.items.length, seen?.open_alerts ?? 0)} />
          )}
        </section>
        <section>
          <h2>Next deadlines</h2>
          <Waiting of={deadlines} />
          {deadlines.data && <Deadlines items={deadlines.data.items} />}
        </section>
      </div>
      <h2>Ninety days</h2>
      <DayBars path="/api/v1/days?days=90" isOne={false} />
      <h2>Held up, at risk, unknown</h2>
      <Waiting of={worst} />
      {worst.data && troubled.length === 0 && <p>None.</p>}
      {troubled.length > 0 && (
        <DomainTable items={troubled} caption="Domains whose mail is held up, at risk or unknown, in this order" />
      )}
      {inTrouble > troubled.length && (
        <p>
          <Link to="/domains?sort=delivery">All domains, worst first</Link>
        </p>
      )}
    </>
  );
}
