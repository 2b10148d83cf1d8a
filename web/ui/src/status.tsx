import type { AgentStatus } from "./api";
import { Mark, Trouble, useResource, When } from "./parts";

export function StatusView() {
  const { data, error, since } = useResource<AgentStatus>("/api/v1/status");
  return (
    <>
      <h1>Status of the agent</h1>
      <Trouble error={error} since={since} />
      {data && (
        <>
          <h2>Our own sight</h2>
          <ul class="plain">{data.vantage.map((check) => (
            <li key={check.check}><Mark status={check.up ? "ok" : "critical"}>{check.check}: {check.up ? "sound" : "impaired"}</Mark> {check.detail} <span class="muted">checked <When at={check.checked_at} /></span></li>))}
          </ul>
          <h2>Work</h2>
          <dl>
            <dt>Version</dt><dd>{data.version}, started <When at={data.started_at} /></dd>
            <dt>Watched</dt><dd>{data.config.domains} domains, {data.config.mx_hosts} MX hosts, every {data.config.interval} s</dd>
            <dt>Looks</dt><dd>{data.scheduler.rounds} finished, last <When at={data.scheduler.last_round_at} />, {data.scheduler.in_flight} under way, {data.scheduler.queue_length} waiting, {data.scheduler.lag_seconds} s late</dd>
            <dt>History</dt><dd>{(data.storage.size_bytes / 1e6).toFixed(1)} MB, {data.storage.errors} errors</dd>
          </dl>
        </>
      )}
    </>
  );
}
