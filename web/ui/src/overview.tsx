import type { AgentStatus, Alert, DomainItem, Page, Status } from "./api";
import { Link, Mark, Trouble, useResource, When } from "./parts";
import { DomainTable } from "./domains";
import { severityStatus } from "./words";

const statusWords: Record<Status, string> = { critical: "critical", warning: "warning", unknown: "unknown", ok: "ok" };

function sentence(status: AgentStatus): string {
  const { critical, unknown } = status.counts;
  const all = status.config.domains;
  const alerts = status.open_alerts === 1 ? "1 alert is open" : `${status.open_alerts || "no"} alerts are open`;
  if (unknown === all && all > 0) return `Nothing can be said about the ${all} watched domains at the moment; ${alerts}.`;
  if (critical === 0) return `No watched domain has a critical fault; ${alerts}.`;
  return `${critical} of ${all} domains ${critical === 1 ? "has" : "have"} a critical fault; ${alerts}.`;
}

export function Overview() {
  const status = useResource<AgentStatus>("/api/v1/status");
  const alerts = useResource<Page<Alert>>("/api/v1/alerts?state=firing");
  const worst = useResource<Page<DomainItem>>("/api/v1/domains?sort=status&limit=20");
  const seen = status.data;
  const troubled = worst.data?.items.filter((item) => item.status !== "ok") ?? [];
  return (
    <>
      <h1>Does mail get through securely?</h1>
      <Trouble error={status.error} since={status.since} />
      {seen && <p class="lead" role="status">{sentence(seen)}</p>}
      {seen && (
        <ul class="counts">
          {(Object.keys(statusWords) as Status[]).map((name) => (
            <li key={name}><Link to={`/domains?status=${name}`}><Mark status={name}>{seen.counts[name]} {statusWords[name]}</Mark></Link></li>
          ))}
        </ul>
      )}
      <h2>Open alerts</h2>
      {alerts.data?.items.length === 0 && <p>None.</p>}
      <ul class="plain">
        {alerts.data?.items.map((alert) => (
          <li key={alert.id}>
            <Mark status={severityStatus(alert.severity)}>{alert.severity}</Mark> {alert.title} — {alert.domains.length > 0 && <>{alert.domains.length} {alert.domains.length === 1 ? "domain" : "domains"}, </>}<When at={alert.opened_at} />
          </li>
        ))}
      </ul>
      {alerts.data && alerts.data.items.length > 0 && <p><Link to="/alerts">All alerts, with what to do</Link></p>}
      <h2>Domains in trouble</h2>
      {worst.data && troubled.length === 0 && <p>None.</p>}
      {troubled.length > 0 && <DomainTable items={troubled} caption="Domains whose status is not ok, worst first" />}
      {seen && (
        <>
          <h2>The agent</h2>
          <p>
            {seen.vantage.map((check) => <span key={check.check}><Mark status={check.up ? "ok" : "critical"}>{check.check} {check.up ? "seen" : "blind"}</Mark>{" "}</span>)}
            last look <When at={seen.scheduler.last_round_at} />, {seen.config.domains} domains, {seen.config.mx_hosts} MX hosts
          </p>
        </>
      )}
    </>
  );
}
