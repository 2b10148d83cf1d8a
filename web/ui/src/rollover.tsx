// The keys of an MX host: how they stand, their picture, and how earlier changes went.
import { useEffect, useState } from "preact/hooks";

import type { MxHost, Rollover, Timeline } from "./api";
import { hostPath, recordText } from "./api";
import { rolloverLook } from "./catalogue";
import { fitting } from "./lanes";
import { withQuery } from "./lists";
import { useResource } from "./live";
import { Copyable, Link, Mark, Moment, Waiting, When } from "./parts";
import { Picture, PictureTable } from "./picture";
import { momentOf, rfc3339 } from "./range";
import {
  cachesSentence,
  changeStatus,
  changeWords,
  differenceAdvice,
  differences,
  keysLook,
  leadWords,
  refusedFor,
  rolloverAdvice,
  rolloverSentence,
  rolloverWords,
} from "./rollover_words";

const hour = 3_600_000,
  day = 24 * hour;
const spans: [string, number][] = [
  ["2 hours", 2 * hour],
  ["1 day", day],
  ["7 days", 7 * day],
  ["30 days", 30 * day],
];

// How the keys stand, and what to do about them: only where some were seen.
function Keys({ rollover, host }: { rollover: Timeline; host: MxHost }) {
  const lines: [string, string | null | undefined][] = [
    ["The next key may go live from", rollover.safe_to_switch_at],
    ["Recommended from", rollover.recommended_switch_at],
    ["The old record may go from", rollover.safe_to_remove_at],
    ["The last cache recovers", rollover.window?.until],
  ];
  if (!host.certificate_seen) {
    return (
      <div class="card unknown">
        <p>
          <strong>Keys:</strong> <Mark status="unknown">not seen</Mark> No certificate was seen at the last probe, so
          nothing can be said about the keys it serves.
        </p>
      </div>
    );
  }
  const look = keysLook(rollover.state, host.delivery);
  const differ = differences(rollover);
  const caches = cachesSentence([rollover], host.delivery);
  // Keys that are well are no reason to do nothing while something else is to be done.
  const isCalm = rolloverLook[rollover.state] === "ok" && host.alerts.length > 0;
  const advice = rollover.state === "steady" ? "" : ` ${rolloverAdvice[rollover.state]}`;
  const hasLine = rollover.state === "mismatch" && host.alerts.length > 0;
  const todo = isCalm
    ? `First what the alert above says.${advice}`
    : hasLine
      ? "Do what the alert says: it has the line."
      : rolloverAdvice[rollover.state];
  // What was seen is not what senders find now.
  const stands =
    host.verdict === "lookup-failed" ? "Senders cannot look its records up now. As they were seen last: " : "";
  return (
    <div class={`card ${look}`}>
      <p>
        <strong>Keys:</strong> <Mark status={look}>{rolloverWords[rollover.state]}</Mark> {stands}
        {differ.length > 0 ? "The name servers give different records:" : rolloverSentence[rollover.state]}
      </p>
      {differ.length > 0 && (
        <ul class="plain">
          {differ.map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      )}
      <p>
        <strong>What to do:</strong> {differ.length > 0 ? differenceAdvice(rollover) : todo}
      </p>
      {caches && <p>{caches}</p>}
      <dl>
        {lines.map(
          ([name, at]) =>
            at && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>
                  <Moment at={at} />{" "}
                  <span class="muted">
                    <When at={at} />
                  </span>
                </dd>
              </div>
            ),
        )}
      </dl>
    </div>
  );
}

function Past({ rollover }: { rollover: Rollover }) {
  if (rollover.rollovers.length === 0) return <p>No change of key has been seen yet.</p>;
  return (
    <table class="list">
      <caption class="hidden">Changes of key so far</caption>
      <thead>
        <tr>
          <th scope="col">New key live</th>
          <th scope="col">How it went</th>
          <th scope="col">When its record came</th>
          <th scope="col">Mail refused</th>
        </tr>
      </thead>
      <tbody>
        {[...rollover.rollovers].reverse().map((one, index) => (
          <tr key={one.deployed_at}>
            <td>
              <Moment at={one.deployed_at} />
            </td>
            <td>
              <Mark status={changeStatus(one)}>{changeWords(one, index === 0 && rollover.differences.length > 0)}</Mark>
            </td>
            <td data-label="Its record came">{leadWords(one)}</td>
            <td data-label="Mail refused">
              {refusedFor(one.exposure_seconds, index === 0 && rollover.window !== null)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function Rollovers({ host, query }: { host: MxHost; query: URLSearchParams }) {
  const {
    host: name,
    tlsa: { ttl },
  } = host;
  const asked = { from: momentOf(query.get("from")), to: momentOf(query.get("to")) };
  const isFit = asked.from === null && asked.to === null;
  const [early, setEarly] = useState<number | null>(null); // what fits begins before what is given unasked
  const from0 = isFit ? early : asked.from;
  const parameters = new URLSearchParams();
  if (from0 !== null) parameters.set("from", rfc3339(from0));
  if (asked.to !== null) parameters.set("to", rfc3339(asked.to));
  const found = useResource<Timeline>(
    `${hostPath(name)}/timeline?${parameters}`,
    (kind, what) => kind === "host" && what === name,
  );
  const { data } = found;
  const fit = data ? fitting(data, ttl) : null;
  const begin = fit?.[0] ?? 0;
  useEffect(() => {
    if (data && isFit && begin < Date.parse(data.from)) setEarly(begin);
  }, [data, isFit, begin]);
  if (!data || !fit) return <Waiting of={found} />;
  const [from, until] = isFit ? fit : [asked.from ?? Date.parse(data.from), asked.to ?? Date.parse(data.until)];
  const path = `/mx/${encodeURIComponent(name)}`;
  const to = (begin: number, end: number) => withQuery(path, query, { from: rfc3339(begin), to: rfc3339(end) });
  // When to switch keys is nothing to tell of a host whose keys nobody sees.
  const shown = host.certificate_seen ? data : { ...data, safe_to_switch_at: null, recommended_switch_at: null };
  const now = Date.parse(data.now);
  const half = Math.max(60_000, (until - from) / 2);
  const current = data.records.filter((one) => one.spans.some((span) => span.until === null));
  const line = (record: string) => `${data.owner}.${ttl === null ? "" : ` ${ttl}`} IN TLSA ${record}`;
  const served = [
    ...new Set(
      data.endpoints.flatMap((one) => one.keys.filter((key) => key.until === null).map((key) => key.spki_sha256)),
    ),
  ];
  // Beside SHA2-512 senders pass them over: then the alert names what helps.
  const isPassedOver = current.some((one) => one.usage === 3 && one.selector === 1 && one.matching_type === 2);
  const missing =
    !host.certificate_seen || isPassedOver
      ? []
      : served.map((key) => `3 1 1 ${key}`).filter((text) => !current.some((one) => recordText(one) === text));
  return (
    <>
      <Waiting of={found} />
      <Keys rollover={data} host={host} />
      <h2>Records in caches, keys at the servers</h2>
      <nav class="ranges" aria-label="Range of time">
        <Link button to={withQuery(path, query, { from: "", to: "" })} current={isFit}>
          Fit
        </Link>
        {spans.map(([text, span]) => (
          <Link key={text} button to={to(now - span / 2, now + span / 2)}>
            {text}
          </Link>
        ))}
        <Link button to={to(from - half, until - half)}>
          Earlier
        </Link>
        <Link button to={to(from + half, until + half)}>
          Later
        </Link>
      </nav>
      <p class="muted">
        <Moment at={rfc3339(from)} short /> to <Moment at={rfc3339(until)} short />
      </p>
      {until > from ? <Picture timeline={shown} from={from} until={until} /> : <p>The range ends before it begins.</p>}
      <PictureTable timeline={shown} />
      <h2>Changes of key so far</h2>
      <Past rollover={data} />
      <h2>Record lines</h2>
      {current.length > 0 ? (
        <>
          <p>Published:</p>
          <Copyable text={current.map((one) => line(recordText(one))).join("\n")} />
        </>
      ) : (
        <p>No record is published.</p>
      )}
      {missing.length > 0 && (
        <>
          <p>Served, but not published as 3 1 1:</p>
          <Copyable text={missing.map(line).join("\n")} />
        </>
      )}
    </>
  );
}
