// One alert, as a line and as a card: what happened, what to do, who was notified.
import { useEffect, useState } from "preact/hooks";

import type { Alert } from "./api";
import { get, post, remove } from "./api";
import { Explanation } from "./finding_card";
import { Lasting, NameField, rememberedName, rememberName } from "./forms";
import { Ladder } from "./ladder";
import { Names } from "./lists";
import { useMayAct } from "./me";
import { Act, Link, Mark, When } from "./parts";
import { WhatNow } from "./remedy";
import { matchersOf, silenceLink } from "./silences";
import { plural, severityLook } from "./words";

const path = (alert: Alert) => `/api/v1/alerts/${encodeURIComponent(alert.id)}`;

function Since({ alert }: { alert: Alert }) {
  switch (alert.state) {
    case "pending":
      return (
        <>
          first seen <When at={alert.first_seen_at} />, to be confirmed by another probe
        </>
      );
    case "firing":
      return (
        <>
          opened <When at={alert.opened_at} />
        </>
      );
    case "resolved":
      return (
        <>
          over <When at={alert.resolved_at} />, opened <When at={alert.opened_at} />
        </>
      );
    case "passed":
      return (
        <>
          went away <When at={alert.resolved_at} />, before it was confirmed
        </>
      );
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
    <li>
      <Mark status={severityLook(alert.severity)}>{alert.severity}</Mark>{" "}
      <Link to={`/alerts#${alert.id}`}>{alert.title}</Link>{" "}
      <span class="muted">
        <Since alert={alert} />
      </span>
      <Tags alert={alert} />
    </li>
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
      <NameField value={by} onChange={setBy} />
      <label>
        Comment <input value={comment} onInput={(event) => setComment(event.currentTarget.value)} />
      </label>
      <Lasting label="Lasts" open="until the alert is over" onChange={setUntil} />
      <p>
        <Act label="Acknowledge it" run={run} />
      </p>
    </form>
  );
}

function Notified({ alert }: { alert: Alert }) {
  const [detail, set] = useState<Alert | null>(null);
  useEffect(() => {
    get<Alert>(path(alert)).then(set, () => {});
  }, [alert.id, alert.told_at]);
  if (!detail) return <p class="muted">Loading…</p>;
  if (!detail.notices?.length) return <p>Nobody was notified{alert.silenced ? ": it is silenced" : ""}.</p>;
  return (
    <table class="list">
      <caption class="hidden">Who was notified</caption>
      <thead>
        <tr>
          <th scope="col">Notification</th>
          <th scope="col">By</th>
          <th scope="col">Decided</th>
          <th scope="col">Delivered</th>
        </tr>
      </thead>
      <tbody>
        {detail.notices.map((one, index) => (
          <tr key={index}>
            <td>{one.event}</td>
            <td>{one.notifier}</td>
            <td data-label="Decided">
              <When at={one.decided_at} />
            </td>
            <td data-label="Delivered">
              {one.delivered_at ? (
                <When at={one.delivered_at} />
              ) : (
                <Mark status="warning">{one.fault ?? "on its way"}</Mark>
              )}
              {one.attempts > 0 && ` after ${plural(one.attempts, "attempt")} that failed`}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function AlertCard({ alert, isOpen, again }: { alert: Alert; isOpen: boolean; again: () => void }) {
  const mayAct = useMayAct();
  const [isAcking, ack] = useState(false);
  const [isShown, show] = useState(isOpen);
  useEffect(() => {
    if (isOpen) show(true);
  }, [isOpen]);
  const count = alert.domains_count ?? alert.domains.length;
  const isCurrent = alert.state === "firing" || alert.state === "pending";
  const look = isCurrent ? severityLook(alert.severity) : "note";
  return (
    <article id={alert.id} class={`card ${look} ${isOpen ? "target" : ""}`} tabIndex={-1}>
      <div class="head">
        <h3>
          <Mark status={look}>{alert.severity}</Mark> {alert.title}
          <Tags alert={alert} />
        </h3>
        {isCurrent && mayAct && (
          <p class="actions">
            {alert.state === "firing" &&
              (alert.acknowledged ? (
                <Act label="Take the acknowledgement back" run={() => remove(`${path(alert)}/ack`).then(again)} />
              ) : (
                <button type="button" aria-expanded={isAcking} onClick={() => ack(!isAcking)}>
                  Acknowledge…
                </button>
              ))}
            <Link button to={silenceLink(matchersOf(alert))}>
              Silence…
            </Link>
          </p>
        )}
      </div>
      <p>
        <span class="muted">
          <Since alert={alert} />; last seen <When at={alert.last_seen_at} /> · <code>{alert.code}</code>
        </span>
        {alert.domains.length > 0 && (
          <>
            {" "}
            · {plural(count, "domain")}: <Names names={alert.domains} count={count} most={4} />
          </>
        )}
      </p>
      {alert.acknowledged && (
        <p>
          <strong>Acknowledged</strong>
          {alert.acknowledged.by && ` by ${alert.acknowledged.by}`} <When at={alert.acknowledged.at} />
          {alert.acknowledged.until && (
            <>
              , expires <When at={alert.acknowledged.until} />
            </>
          )}
          {alert.acknowledged.comment && `: ${alert.acknowledged.comment}`}
        </p>
      )}
      {isAcking && !alert.acknowledged && (
        <Acknowledge
          alert={alert}
          done={() => {
            ack(false);
            again();
          }}
        />
      )}
      {alert.evidence["sender-reports"] !== undefined && (
        <p>
          <strong>Senders say</strong> {String(alert.evidence["sender-reports"])}
        </p>
      )}
      {isCurrent && <WhatNow alert={alert} mayAct={mayAct} />}
      {alert.consequences && alert.consequences.length > 0 && (
        <>
          <p class="label">What follows from it</p>
          <ul>
            {alert.consequences.map((one) => (
              <li key={one.code}>{one.title}</li>
            ))}
          </ul>
        </>
      )}
      <details open={isShown} onToggle={(event) => show(event.currentTarget.open)}>
        <summary>What it means, what to do, who was notified</summary>
        {isShown && (
          <>
            <Explanation finding={alert} withRemedy={!isCurrent} />
            {alert.opened_at && <Ladder alert={alert} />}
            <h4>Who was notified</h4>
            <Notified alert={alert} />
          </>
        )}
      </details>
    </article>
  );
}
