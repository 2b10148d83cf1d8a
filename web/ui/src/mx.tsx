import type { MxHost, Rollover, Timeline } from "./api";
import { hostPath, recordText } from "./api";
import { useResource } from "./live";
import { Copyable, Link, MailNow, Mark, Moment, Names, Title, Waiting, When, withQuery } from "./parts";
import { Picture, PictureTable } from "./picture";
import { momentOf, rfc3339 } from "./range";
import { gradeStatus, gradeWords, hostSentence, keysLook, plural, rolloverAdvice, rolloverSentence, verdictSentence } from "./words";

const hour = 3_600_000, day = 24 * hour;
const spans: [string, number][] = [["2 hours", 2 * hour], ["1 day", day], ["7 days", 7 * day], ["30 days", 30 * day]];

// The range that shows the latest change whole: small where much happens, two weeks where nothing does.
function fitting(timeline: Timeline): [number, number] {
  const now = Date.parse(timeline.now);
  const moments = [
    ...timeline.records.flatMap((one) => one.spans.flatMap((span) => [span.from, span.until, span.cached_until])),
    ...timeline.endpoints.flatMap((one) => one.keys.flatMap((key) => [key.from, key.until])),
    ...timeline.failing.flatMap((one) => [one.from, one.until]),
    ...timeline.gaps.flatMap((one) => [one.from, one.until]),
    timeline.safe_to_switch_at, timeline.recommended_switch_at, timeline.safe_to_remove_at,
  ].flatMap((at) => (at ? [Date.parse(at)] : []));
  for (const [, span] of spans.slice(0, 3)) {
    const near = moments.filter((at) => Math.abs(at - now) <= span);
    if (near.length === 0) continue;
    const begin = Math.min(...near, now), end = Math.max(...near, now);
    const margin = Math.max((end - begin) / 8, 60_000);
    return [begin - margin, end + margin];
  }
  return [now - 7 * day, now + 7 * day];
}

// How the keys stand, and what to do about them: only where some were seen.
function Keys({ rollover, host }: { rollover: Rollover; host: MxHost }) {
  const lines: [string, string | null | undefined][] = [
    ["The next key may go live from", rollover.safe_to_switch_at], ["Recommended from", rollover.recommended_switch_at],
    ["The old record may go from", rollover.safe_to_remove_at], ["The last cache recovers", rollover.window?.until],
  ];
  const share = rollover.failing_share ?? 0;
  if (!host.certificate_seen) {
    return (
      <div class="card unknown">
        <p><strong>Keys:</strong> <Mark status="unknown">not seen</Mark> No certificate was seen at the last look, so nothing can be said about the keys it serves.</p>
      </div>
    );
  }
  const look = keysLook(rollover.state, host.delivery);
  return (
    <div class={`card ${look}`}>
      <p><strong>Keys:</strong> <Mark status={look}>{rollover.state}</Mark> {rolloverSentence[rollover.state]}</p>
      <p><strong>What to do:</strong> {rolloverAdvice[rollover.state]}</p>
      {share > 0 && <p>{Math.round(share * 1000) / 10} % of caches hold a set that refuses what is served now{rollover.window && <>, since <Moment at={rollover.window.from} /></>}{rollover.window && !rollover.window.until && "; no end is in sight"}.</p>}
      <dl>{lines.map(([name, at]) => at && <div key={name}><dt>{name}</dt><dd><Moment at={at} /> <span class="muted"><When at={at} /></span></dd></div>)}</dl>
    </div>
  );
}

function Past({ rollover }: { rollover: Rollover }) {
  if (rollover.rollovers.length === 0) return <p>No change of key has been seen yet.</p>;
  return (
    <table class="list">
      <caption class="hidden">Changes of key so far</caption>
      <thead><tr><th scope="col">New key live</th><th scope="col">How it went</th><th scope="col">Record before key</th><th scope="col">Mail refused for</th></tr></thead>
      <tbody>{[...rollover.rollovers].reverse().map((one) => (
        <tr key={one.deployed_at}>
          <td><Moment at={one.deployed_at} /></td>
          <td><Mark status={gradeStatus(one.grade)}>{gradeWords[one.grade] ?? one.grade}</Mark></td>
          <td data-label="Record before key">{one.lead[0] === null ? "unknown" : one.lead[0] === one.lead[1] ? `${one.lead[0]} s` : `${one.lead[0]} to ${one.lead[1] ?? "?"} s`}</td>
          <td data-label="Mail refused for">{one.exposure_seconds === null ? "unknown" : `${one.exposure_seconds} s of a cache's time`}</td>
        </tr>))}
      </tbody>
    </table>
  );
}

function Rollovers({ host, query }: { host: MxHost; query: URLSearchParams }) {
  const { host: name, tlsa: { ttl } } = host;
  const asked = { from: momentOf(query.get("from")), to: momentOf(query.get("to")) };
  const parameters = new URLSearchParams();
  if (asked.from !== null) parameters.set("from", rfc3339(asked.from));
  if (asked.to !== null) parameters.set("to", rfc3339(asked.to));
  const found = useResource<Timeline>(`${hostPath(name)}/timeline?${parameters}`, (kind, what) => kind === "host" && what === name);
  const { data } = found;
  if (!data) return <Waiting of={found} />;
  const fit = fitting(data);
  const isFit = asked.from === null && asked.to === null;
  const [from, until] = isFit ? fit : [asked.from ?? Date.parse(data.from), asked.to ?? Date.parse(data.until)];
  const path = `/mx/${encodeURIComponent(name)}`;
  const to = (begin: number, end: number) => withQuery(path, query, { from: rfc3339(begin), to: rfc3339(end) });
  // When to switch keys is nothing to tell of a host whose keys nobody sees.
  const shown = host.certificate_seen ? data : { ...data, safe_to_switch_at: null, recommended_switch_at: null };
  const now = Date.parse(data.now);
  const half = Math.max(60_000, (until - from) / 2);
  const current = data.records.filter((one) => one.spans.some((span) => span.until === null));
  const line = (record: string) => `${data.owner}.${ttl === null ? "" : ` ${ttl}`} IN TLSA ${record}`;
  const served = [...new Set(data.endpoints.flatMap((one) => one.keys.filter((key) => key.until === null).map((key) => key.spki_sha256)))];
  const missing = !host.certificate_seen ? [] : served.map((key) => `3 1 1 ${key}`).filter((text) => !current.some((one) => recordText(one) === text));
  return (
    <>
      <Waiting of={found} />
      <Keys rollover={data} host={host} />
      <h2>Records in caches, keys at the servers</h2>
      <nav class="ranges" aria-label="Range of time">
        <Link button to={withQuery(path, query, { from: "", to: "" })} current={isFit}>Fit</Link>
        {spans.map(([text, span]) => <Link key={text} button to={to(now - span / 2, now + span / 2)}>{text}</Link>)}
        <Link button to={to(from - half, until - half)}>Earlier</Link><Link button to={to(from + half, until + half)}>Later</Link>
      </nav>
      <p class="muted"><Moment at={rfc3339(from)} short /> to <Moment at={rfc3339(until)} short /></p>
      {until > from ? <Picture timeline={shown} from={from} until={until} /> : <p>The range ends before it begins.</p>}
      <PictureTable timeline={shown} />
      <h2>Changes of key so far</h2>
      <Past rollover={data} />
      <h2>Record lines</h2>
      {current.length > 0 ? <><p>Published:</p><Copyable text={current.map((one) => line(recordText(one))).join("\n")} /></> : <p>No record is published.</p>}
      {missing.length > 0 && <><p>3 1 1 of the keys served that is not among them:</p><Copyable text={missing.map(line).join("\n")} /></>}
    </>
  );
}

// "12 watched domains use it; mail to 11 of them is held up"
function dependants({ domains, delivery, held_up: held }: MxHost): string {
  const use = plural(domains.length, "watched domain uses it", "watched domains use it");
  if (domains.length === 0) return "No watched domain is known to use it";
  if (held === 0) return delivery === "held-up" ? `${use}, and other hosts take ${domains.length === 1 ? "its" : "their"} mail` : use;
  return `${use}; mail to ${held === domains.length ? (held === 1 ? "it" : "all of them") : `${held} of them`} is held up`;
}

export function HostView({ name, query }: { name: string; query: URLSearchParams }) {
  const found = useResource<MxHost>(hostPath(name), (kind, what) => kind === "host" && what === name);
  const { data } = found;
  return (
    <>
      <Title of={name}>MX host {name}</Title>
      <Waiting of={found} />
      {data && (
        <>
          <MailNow delivery={data.delivery} since={data.delivery_since} alerts={data.alerts} says={(data.verdict && hostSentence[data.verdict]) ?? verdictSentence.unknown}>
            <p>{dependants(data)}{data.domains.length > 0 && <>: <Names names={data.domains} /></>}</p>
          </MailNow>
          <p class="actions">
            <span>{data.addresses.join(", ") || "no address"}. Last look <When at={data.observed_at} />.</span>
            <Link button to={`/plan?mx=${encodeURIComponent(name)}`}>Plan a rollover</Link>
          </p>
          {data.rollover ? <Rollovers host={data} query={query} /> : <p>No TLSA records have been seen: there is no rollover to follow.</p>}
        </>
      )}
    </>
  );
}
