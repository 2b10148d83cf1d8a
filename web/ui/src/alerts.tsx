import type { Alert, Page } from "./api";
import { FindingCard, Link, Trouble, useResource, When } from "./parts";

function AlertCard({ alert }: { alert: Alert }) {
  return (
    <FindingCard finding={alert}>
      <p>
        {alert.state === "pending" ? <>Seen <When at={alert.first_seen_at} />, to be confirmed by another look.</>
          : alert.state === "firing" ? <>Open since <When at={alert.opened_at} />, last seen <When at={alert.last_seen_at} />.</>
            : <>Over <When at={alert.resolved_at} />; opened <When at={alert.opened_at} />.</>}
      </p>
      {alert.domains.length > 0 && <p>Domains: {alert.domains.map((name, index) => <span key={name}>{index > 0 && ", "}<Link to={`/domains/${encodeURIComponent(name)}`}>{name}</Link></span>)}</p>}
    </FindingCard>
  );
}

export function Alerts() {
  const { data, error, since } = useResource<Page<Alert>>("/api/v1/alerts");
  const of = (state: Alert["state"]) => data?.items.filter((alert) => alert.state === state) ?? [];
  const sections: [Alert["state"], string][] = [["firing", "Firing"], ["pending", "To be confirmed"], ["resolved", "Over"]];
  return (
    <>
      <h1>Alerts</h1>
      <Trouble error={error} since={since} />
      {data && sections.map(([state, title]) => (
        <section key={state} aria-label={title}>
          <h2>{title}</h2>
          {of(state).length === 0 ? <p>None.</p> : of(state).map((alert) => <AlertCard key={alert.id} alert={alert} />)}
        </section>
      ))}
    </>
  );
}
