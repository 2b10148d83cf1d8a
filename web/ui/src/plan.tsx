// A planned change of key: from the certificate to the record, the time, and a silence that knows the key.
import { useState } from "preact/hooks";

import type { FittingRecord, MxHost, Page, Silence, Timeline } from "./api";
import { hostPath, post, recordText } from "./api";
import { useResource } from "./live";
import { Act, Copyable, HostLink, Link, Mark, Moment, navigate, Title, Waiting, When } from "./parts";
import { usePreview } from "./silences";
import { inHours, Preview, rememberedName, rememberName, TimeField } from "./wishes";

// How far the record is on its way into every cache.
function Progress({ timeline, record }: { timeline: Timeline; record: FittingRecord }) {
  const published = timeline.records.find((one) => recordText(one) === recordText(record));
  const span = published?.spans.find((one) => one.until === null);
  const isServed = timeline.endpoints.some((one) => one.keys.some((key) => key.until === null && key.spki_sha256 === record.data));
  if (isServed) return <p><Mark status="ok">live</Mark> The key is served already; state: {timeline.state}.</p>;
  if (!span) return <p><Mark status="critical">not published</Mark> Publish the record beside the present ones first. Senders would refuse the key now.</p>;
  const safe = timeline.safe_to_switch_at;
  if (safe && Date.parse(safe) > Date.parse(timeline.now)) {
    return <p><Mark status="warning">wait</Mark> Published, seen at all name servers <When at={span.from} />. Caches may lack it until <Moment at={safe} />{timeline.recommended_switch_at && <>; recommended from <Moment at={timeline.recommended_switch_at} /></>}.</p>;
  }
  return <p><Mark status="ok">ready</Mark> Published since <Moment at={span.from} />; every cache has it{timeline.recommended_switch_at && Date.parse(timeline.recommended_switch_at) > Date.parse(timeline.now) && <>; recommended from <Moment at={timeline.recommended_switch_at} /></>}.</p>;
}

function Window({ host, record }: { host: string; record: FittingRecord }) {
  const [starts, setStarts] = useState(() => inHours(0));
  const [ends, setEnds] = useState(() => inHours(4));
  const [by, setBy] = useState(rememberedName);
  const [comment, setComment] = useState("");
  const [made, setMade] = useState<Silence | null>(null);
  const wanted = {
    matchers: [{ name: "mx", value: host, is_regex: false, is_equal: true }], starts_at: starts, ends_at: ends, created_by: by,
    comment: comment || "planned rollover", expected_key: record.data,
  };
  const preview = usePreview({ ...wanted, created_by: "", comment: "" });
  const run = () => {
    rememberName(by);
    return post<Silence>("/api/v1/silences", wanted).then(setMade);
  };
  if (made) return <p role="status"><Mark status="ok">planned</Mark> From <Moment at={made.starts_at} short /> to <Moment at={made.ends_at} short /> nobody is told of trouble with this key. <Link to="/silences">All silences</Link></p>;
  return (
    <form class="wish" onSubmit={(event) => event.preventDefault()} aria-label="Window">
      <TimeField label="From" value={starts} onChange={setStarts} />
      <TimeField label="To" value={ends} onChange={setEnds} />
      <label>Your name <input value={by} onInput={(event) => setBy(event.currentTarget.value)} /></label>
      <label>Comment <input value={comment} onInput={(event) => setComment(event.currentTarget.value)} /></label>
      <div class="preview" role="status">
        {preview.fault && <p class="fault">{preview.fault}</p>}
        {preview.items && <Preview items={preview.items} />}
      </div>
      <p><Act label="Plan it" disabled={preview.fault !== null} run={run} /></p>
    </form>
  );
}

export function Plan({ query }: { query: URLSearchParams }) {
  const host = (query.get("mx") ?? "").trim().toLowerCase();
  const [pem, setPem] = useState("");
  const [records, setRecords] = useState<FittingRecord[] | null>(null);
  const found = useResource<MxHost>(host ? hostPath(host) : null, () => false);
  const isKnown = found.data?.host === host && !found.error;
  const timeline = useResource<Timeline>(isKnown && found.data?.rollover ? `${hostPath(host)}/timeline` : null, (kind, what) => kind === "host" && what === host);
  const read = () => post<Page<FittingRecord>>("/api/v1/tlsa", { pem }).then(({ items }) => setRecords(items));
  const [own] = records ?? [];
  return (
    <>
      <Title of="Plan a rollover">Plan a rollover</Title>
      <ol class="plan">
        <li>
          <h2>Which host?</h2>
          <label>MX host <input value={host} spellcheck={false} onInput={(event) => navigate(`/plan?mx=${encodeURIComponent(event.currentTarget.value)}`, { replace: true })} /></label>
          {host && found.error && <p class="fault" role="alert">{found.error}</p>}
          {isKnown && <p><Mark status="ok">watched</Mark> <HostLink name={host} />, {found.data?.addresses.join(", ")}</p>}
        </li>
        <li>
          <h2>Which certificate?</h2>
          <label class="wide">The new certificate in PEM, as the server will send it; never the private key
            <textarea rows={6} spellcheck={false} value={pem} placeholder="-----BEGIN CERTIFICATE-----" onInput={(event) => { setPem(event.currentTarget.value); setRecords(null); }} />
          </label>
          <p><Act label="Read it" disabled={!pem.trim()} run={read} /></p>
          {own && <p role="status"><Mark status="ok">read</Mark> {own.subject}, until <Moment at={own.not_after} short /></p>}
        </li>
        {own && isKnown && found.data && (
          <>
            <li>
              <h2>Publish its record beside the present ones</h2>
              <Copyable text={`${found.data.tlsa.owner || `_25._tcp.${host}`}.${found.data.tlsa.ttl === null ? "" : ` ${found.data.tlsa.ttl}`} IN TLSA ${recordText(own)}`} />
            </li>
            <li>
              <h2>Wait until every cache has it</h2>
              <Waiting of={timeline} />
              {timeline.data ? <Progress timeline={timeline.data} record={own} /> : !found.data.rollover && <p>No TLSA records have been seen at this host yet.</p>}
              <p>Before the certificate goes live, let the deploy hook ask; it looks at every name server anew:</p>
              <Copyable text={`danelaw gate --config danelaw.yaml --host ${host} fullchain.pem`} />
            </li>
            <li>
              <h2>Tell nobody of what is planned</h2>
              <p>In this window trouble with the new key of {host} is silent. Any other key that is refused is told at once.</p>
              <Window key={own.data} host={host} record={own} />
            </li>
          </>
        )}
      </ol>
    </>
  );
}
