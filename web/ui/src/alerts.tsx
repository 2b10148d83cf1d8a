import { useEffect, useState } from "preact/hooks";

import type { Alert, AlertDetail, Page } from "./api";
import { get, post, remove } from "./api";
import { useResource } from "./live";
import { Act, Explanation, Link, Mark, Names, navigate, Title, Waiting, When, withQuery } from "./parts";
import { matchersOf, silenceLink } from "./silences";
import { Lasting, rememberedName, rememberName } from "./wishes";
import { plural, severities, severityLook } from "./words";

const path = (alert: Alert) => `/api/v1/alerts/${encodeURIComponent(alert.id)}`;

function Since({ alert }: { alert: Alert }) {
  switch (alert.state) {
    case "pending": return <>seen <When at={alert.first_seen_at} />, to be confirmed by another look</>;
    case "firing": return <>open since <When at={alert.opened_at} /></>;
    case "resolved": return <>over <When at={alert.resolved_at} />, opened <When at={alert.opened_at} /></>;
    case "passed": return <>went by itself <When at={alert.resolved_at} />, before it was confirmed</>;
  }
}

function Tags({ alert }: { alert: Alert }) {
  return (
    <>
      {alert.acknowledged && <span class="tag">acknowledged</span>}
      {alert.silenced && <span class="tag">silenced</span>}
      {alert.flapping && <span class="tag">flapping</span>}
      {alert.direction === "outbound" && <span class="tag">outbound</span>}
    </>
  );
}

// One line that leads to the alert.
export function AlertLine({ alert }: { alert: Alert }) {
  return (
    <li><Mark status={severityLook(alert.severity)}>{alert.severity}</Mark> <Link to={`/alerts#${alert.id}`}>{alert.title}</Link> <span class="muted"><Since alert={alert} /></span><Tags alert={alert} /></li>
  );
}

// Somebody takes it in hand: no reminders, and everybody sees who.
function Acknowledge({ alert, done }: { alert: Alert; done: () => void }) {
  const [by, setBy] = useState(rememberedName);
  const [comment, setComment] = useState("");
  const [until, setUntil] = useState<string | null>(null);
  const run = () => {
    rememberName(by);
    return post(`${path(alert)}/ack`, { by, comment, ...(until && { until }) }).then(done);
  };
  return (
    <form class="wish" onSubmit={(event) => event.preventDefault()} aria-label={`Acknowledge ${alert.title}`}>
      <label>Your name <input value={by} onInput={(event) => setBy(event.currentTarget.value)} /></label>
      <label>Comment <input value={comment} onInput={(event) => setComment(event.currentTarget.value)} /></label>
      <Lasting label="Lasts" open="until the alert is over" onChange={setUntil} />
      <p><Act label="Acknowledge it" run={run} /></p>
    </form>
  );
}

function Told({ alert }: { alert: Alert }) {
  const [detail, set] = useState<AlertDetail | null>(null);
  useEffect(() => { get<AlertDetail>(path(alert)).then(set, () => {}); }, [alert.id, alert.told_at]);
  if (!detail) return <p class="muted">Asking…</p>;
  if (detail.notices.length === 0) return <p>Nobody was told{alert.silenced ? ": it is silenced" : ""}.</p>;
  return (
    <table class="list">
      <caption class="hidden">Who was told</caption>
      <thead><tr><th scope="col">Notice</th><th scope="col">By</th><th scope="col">Decided</th><th scope="col">Delivered</th></tr></thead>
      <tbody>{detail.notices.map((one, index) => (
        <tr key={index}><td>{one.event}</td><td>{one.notifier}</td><td data-label="Decided"><When at={one.decided_at} /></td>
          <td data-label="Delivered">{one.delivered_at ? <When at={one.delivered_at} /> : <Mark status="warning">{one.fault ?? "on its way"}</Mark>}{one.attempts > 0 && ` after ${plural(one.attempts, "attempt")} that failed`}</td></tr>))}
      </tbody>
    </table>
  );
}

function AlertCard({ alert, isOpen, again }: { alert: Alert; isOpen: boolean; again: () => void }) {
  const [isAcking, ack] = useState(false);
  const [isShown, show] = useState(isOpen);
  useEffect(() => { if (isOpen) show(true); }, [isOpen]);
  const isCurrent = alert.state === "firing" || alert.state === "pending";
  const look = isCurrent ? severityLook(alert.severity) : "note";
  return (
    <article id={alert.id} class={`card ${look} ${isOpen ? "target" : ""}`} tabIndex={-1}>
      <div class="head">
        <h3><Mark status={look}>{alert.severity}</Mark> {alert.title}<Tags alert={alert} /></h3>
        {isCurrent && (
          <p class="actions">
            {alert.state === "firing" && (alert.acknowledged
              ? <Act label="Take the acknowledgement back" run={() => remove(`${path(alert)}/ack`).then(again)} />
              : <button type="button" aria-expanded={isAcking} onClick={() => ack(!isAcking)}>Acknowledge…</button>)}
            <Link button to={silenceLink(matchersOf(alert))}>Silence…</Link>
          </p>
        )}
      </div>
      <p><span class="muted"><Since alert={alert} />; last seen <When at={alert.last_seen_at} /> · <code>{alert.code}</code></span>
        {alert.domains.length > 0 && <> · {plural(alert.domains.length, "domain")}: <Names names={alert.domains} /></>}</p>
      {alert.acknowledged && (
        <p><strong>Acknowledged</strong>{alert.acknowledged.by && ` by ${alert.acknowledged.by}`} <When at={alert.acknowledged.at} />{alert.acknowledged.until && <>, ends <When at={alert.acknowledged.until} /></>}{alert.acknowledged.comment && `: ${alert.acknowledged.comment}`}</p>
      )}
      {isAcking && !alert.acknowledged && <Acknowledge alert={alert} done={() => { ack(false); again(); }} />}
      <details open={isShown} onToggle={(event) => show(event.currentTarget.open)}>
        <summary>What it means, what to do, who was told</summary>
        {isShown && <><Explanation finding={alert} /><h4>Who was told</h4><Told alert={alert} /></>}
      </details>
    </article>
  );
}

const sections: [Alert["state"][], string][] = [[["firing"], "Firing"], [["pending"], "To be confirmed"], [["resolved", "passed"], "Over"]];
const shownFirst = 50;
const mostAlerts = 500;  // that the API gives

export function Alerts({ query }: { query: URLSearchParams }) {
  const of = (name: string) => query.get(name) ?? "";
  const found = useResource<Page<Alert>>("/api/v1/alerts", (kind) => kind === "alert" || kind === "silence");
  const [isAll, showAll] = useState(false);
  const target = decodeURIComponent(location.hash.slice(1));
  const isThere = found.data !== null;
  useEffect(() => { if (isThere && target) document.getElementById(target)?.scrollIntoView(); }, [isThere, target]);
  const wanted = found.data?.items.filter((alert) => (!of("severity") || alert.severity === of("severity")) &&
    `${alert.title} ${alert.code} ${alert.domains.join(" ")}`.toLowerCase().includes(of("q").toLowerCase()));
  const change = (changes: Record<string, string>) => navigate(withQuery("/alerts", query, changes), { replace: true });
  return (
    <>
      <Title of="Alerts">Alerts</Title>
      <Waiting of={found} />
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label>Search <input type="search" value={of("q")} onInput={(event) => change({ q: event.currentTarget.value })} /></label>
        <label>State <select value={of("state")} onChange={(event) => change({ state: event.currentTarget.value })}>
          {[["", "all"], ["firing", "firing"], ["pending", "to be confirmed"], ["resolved", "over"]].map(([value, name]) => <option key={value} value={value}>{name}</option>)}
        </select></label>
        <label>Severity <select value={of("severity")} onChange={(event) => change({ severity: event.currentTarget.value })}>
          <option value="">all</option>{severities.map((one) => <option key={one} value={one}>{one}</option>)}
        </select></label>
      </form>
      {found.data && found.data.items.length >= mostAlerts && <p class="muted">These are the {mostAlerts} that matter most; there are more.</p>}
      {wanted && sections.filter(([states]) => !of("state") || states.includes(of("state") as Alert["state"])).map(([states, title]) => {
        const mine = wanted.filter((alert) => states.includes(alert.state));
        const shown = isAll ? mine : mine.filter((alert, index) => index < shownFirst || alert.id === target);
        return (
          <section key={title} aria-label={title}>
            <h2>{title} <span class="count">{mine.length}</span></h2>
            {mine.length === 0 && <p>None.</p>}
            {shown.map((alert) => <AlertCard key={alert.id} alert={alert} isOpen={alert.id === target} again={found.again} />)}
            {shown.length < mine.length && <p><button type="button" onClick={() => showAll(true)}>Show {mine.length - shown.length} more</button></p>}
          </section>
        );
      })}
    </>
  );
}
