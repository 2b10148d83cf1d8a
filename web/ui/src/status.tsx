import type { AgentStatus, Agents } from "./api";
import { DomainLists } from "./domain_lists";
import { useResource } from "./live";
import { Notifiers } from "./notifiers";
import { Mark, Moment, Title, Waiting, When } from "./parts";
import { checkWords, duration, plural } from "./words";

// Who else watches, where there is more than one agent.
function Fleet() {
  const { data } = useResource<Agents>("/api/v1/agents", () => true, 3000);
  if (!data || data.items.length < 2) return null;
  return (
    <>
      <h2>The fleet</h2>
      <ul class="plain">
        {data.items.map((one) => (
          <li key={one.name}>
            <Mark status={one.fault ? "warning" : "ok"}>
              {`${one.name} (${one.vantage}) ${one.fault ?? (one.is_leader ? "leads" : "probes")}`}
            </Mark>{" "}
            <When at={one.last_seen_at} />
          </li>
        ))}
      </ul>
    </>
  );
}

export function StatusView() {
  const found = useResource<AgentStatus>("/api/v1/status", () => true, 3000);
  const { data } = found;
  const late = data && data.scheduler.lag_seconds > data.config.interval;
  return (
    <>
      <Title of="Status">Status of the agent</Title>
      <Waiting of={found} />
      {data && (
        <>
          <h2>Self-checks</h2>
          <ul class="plain">
            {data.vantage.map((check) => (
              <li key={check.check}>
                <Mark status={check.up ? "ok" : "critical"}>
                  {checkWords[check.check] ?? check.check}: {check.up ? "OK" : "degraded"}
                </Mark>{" "}
                {check.detail}{" "}
                <span class="muted">
                  checked <When at={check.checked_at} />
                </span>
              </li>
            ))}
            {data.resolvers.map((one) => (
              <li key={one.resolver}>
                <Mark status={one.validating === null ? "unknown" : one.validating ? "ok" : "warning"}>
                  resolver {one.resolver}:{" "}
                  {one.validating === null ? "gives no answer" : one.validating ? "validates" : "does not validate"}
                </Mark>
                {one.validating === false &&
                  " danelaw validates by itself; a mail server that asks this resolver cannot use DANE."}
              </li>
            ))}
          </ul>
          <h2>Probes</h2>
          <dl>
            <div>
              <dt>Watched</dt>
              <dd>
                {plural(data.config.domains, "domain")}, {plural(data.config.mx_hosts, "MX host")}, every{" "}
                {duration(data.config.interval)}
              </dd>
            </div>
            <div>
              <dt>Schedule</dt>
              <dd>
                <Mark status={late ? "warning" : "ok"}>
                  {data.scheduler.lag_seconds > 0 ? `${duration(data.scheduler.lag_seconds)} behind` : "on schedule"}
                </Mark>
              </dd>
            </div>
            <div>
              <dt>Last probe</dt>
              <dd>
                <When at={data.scheduler.last_round_at} />
              </dd>
            </div>
            <div>
              <dt>Finished</dt>
              <dd>
                {data.scheduler.rounds}; {data.scheduler.in_flight} under way, {data.scheduler.queue_length} waiting
              </dd>
            </div>
          </dl>
          {data.spared.length > 0 && (
            <ul class="plain">
              {data.spared.map((one) => (
                <li key={one.provider}>
                  {one.provider} sends probes away until <When at={one.until} />
                </li>
              ))}
            </ul>
          )}
          <DomainLists status={data} />
          <Fleet />
          <h2>History</h2>
          <dl>
            <div>
              <dt>Size</dt>
              <dd>
                {data.storage.size_bytes === null ? "unknown" : `${(data.storage.size_bytes / 1e6).toFixed(1)} MB`}
              </dd>
            </div>
            {data.storage.fault && (
              <div>
                <dt>Recording</dt>
                <dd>
                  <Mark status="critical">{`fails: ${data.storage.fault}`}</Mark>
                </dd>
              </div>
            )}
            {(data.storage.unrecorded_rounds ?? 0) > 0 && (
              <div>
                <dt>Waiting</dt>
                <dd>{plural(data.storage.unrecorded_rounds ?? 0, "round")} in memory</dd>
              </div>
            )}
            {(data.storage.lost_rounds ?? 0) > 0 && (
              <div>
                <dt>Gaps</dt>
                <dd>
                  <Mark status="warning">{plural(data.storage.lost_rounds ?? 0, "round")} not in the history</Mark>
                </dd>
              </div>
            )}
            <div>
              <dt>Errors</dt>
              <dd>
                <Mark status={data.storage.errors > 0 ? "critical" : "ok"}>{data.storage.errors || "none"}</Mark>
              </dd>
            </div>
          </dl>
          <Notifiers status={data} />
          <h2>The program</h2>
          <dl>
            <div>
              <dt>Version</dt>
              <dd>{data.version}</dd>
            </div>
            <div>
              <dt>Started</dt>
              <dd>
                <Moment at={data.started_at} />{" "}
                <span class="muted">
                  <When at={data.started_at} />
                </span>
              </dd>
            </div>
            <div>
              <dt>Configuration</dt>
              <dd>
                <Mark status={data.reload.successful ? "ok" : "warning"}>
                  {data.reload.successful ? "loaded" : "refused at the last reload: the old one is in force"}
                </Mark>{" "}
                <span class="muted">
                  <When at={data.reload.succeeded_at} />
                </span>
              </dd>
            </div>
            <div>
              <dt>For machines</dt>
              <dd>
                <a href="/api/v1/status">JSON</a>, <a href="/metrics">metrics</a>
              </dd>
            </div>
          </dl>
        </>
      )}
    </>
  );
}
