// One alert, as a line and as a card: what happened, what to do, who was notified.
import type { ComponentChildren } from "preact";
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
      {alert.direction === "outbound" && <span class="tag">partner</span>}
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

function Actions({
  alert,
  isAcking,
  ack,
  again,
}: {
  alert: Alert;
  isAcking: boolean;
  ack: (is: boolean) => void;
  again: () => void;
}) {
  if (!useMayAct()) return null;
  return (
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
  );
}

const isCurrent = ({ state }: Alert) => state === "firing" || state === "pending";

interface Card {
  alert: Alert;
  isOpen: boolean;
  isFolded?: boolean; // one of many: a line, until it is asked for
  again: () => void;
}

export function AlertCard({ alert, isOpen, isFolded = false, again }: Card) {
  const [isUnfolded, unfold] = useState(false);
  const look = isCurrent(alert) ? severityLook(alert.severity) : "note";
  const title = (
    <>
      <Mark status={look}>{alert.severity}</Mark> {alert.title}
      <Tags alert={alert} />
    </>
  );
  return (
    <article id={alert.id} class={`card ${look} ${isOpen ? "target" : ""}`} tabIndex={-1}>
      {isFolded ? (
        <details open={isUnfolded} onToggle={(event) => unfold(event.currentTarget.open)}>
          <summary>
            {title}{" "}
            <span class="muted">
              <Since alert={alert} /> · <code>{alert.code}</code>
            </span>
          </summary>
          {isUnfolded && <Body alert={alert} isOpen={isOpen} again={again} />}
        </details>
      ) : (
        <Body alert={alert} isOpen={isOpen} again={again} title={title} />
      )}
    </article>
  );
}

// `title`: where it does not stand above already.
function Body({ alert, isOpen, again, title }: Card & { title?: ComponentChildren }) {
  const mayAct = useMayAct();
  const [isAcking, ack] = useState(false);
  const [isShown, show] = useState(isOpen);
  useEffect(() => {
    if (isOpen) show(true);
  }, [isOpen]);
  const count = alert.domains_count ?? alert.domains.length;
  return (
    <>
      <div class="head">
        {title && <h3>{title}</h3>}
        {isCurrent(alert) && <Actions alert={alert} isAcking={isAcking} ack={ack} again={again} />}
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
      {isCurrent(alert) && <WhatNow alert={alert} mayAct={mayAct} />}
      {alert.consequences && alert.consequences.length > 0 && (
        <>
          <p class="label">What belongs to it</p>
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
            <Explanation finding={alert} withRemedy={!isCurrent(alert)} />
            {alert.opened_at && <Ladder alert={alert} />}
            <h4>Who was notified</h4>
            <Notified alert={alert} />
          </>
        )}
      </details>
    </>
  );
}
