// A planned change of key: from the certificate to the record, the time, and a silence that knows the key.
import { useEffect, useState } from "preact/hooks";

import type { FittingRecord, GateAnswer, MxHost, Page, RecordData, Silence } from "./api";
import { hostPath, post, recordText } from "./api";
import { inHours, NameField, Preview, rememberedName, rememberName, TimeField } from "./forms";
import { useResource } from "./live";
import { useMayAct } from "./me";
import { hostSays } from "./mx";
import { Act, Copyable, DeliveryMark, HostLink, Link, Mark, Moment, Title, When } from "./parts";
import { navigate } from "./place";
import { usePreview } from "./silences";

// The gate's answer, asked for again whenever the host was looked at.
function useGate(host: string, pem: string | null, lookedAt: string) {
  const [said, set] = useState<GateAnswer | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  useEffect(() => {
    let isWanted = true;
    if (!pem) {
      set(null);
      return;
    }
    post<GateAnswer>(`${hostPath(host)}/gate`, { pem }).then(
      (answer) => {
        if (isWanted) {
          set(answer);
          setFault(null);
        }
      },
      (reason: Error) => {
        if (isWanted) setFault(reason.message);
      },
    );
    return () => {
      isWanted = false;
    };
  }, [host, pem, lookedAt]);
  return { said, fault };
}

function Gate({ said, fault }: { said: GateAnswer | null; fault: string | null }) {
  if (fault)
    return (
      <p class="fault" role="alert">
        {fault}
      </p>
    );
  if (!said) return <p class="muted">Asking the gate…</p>;
  return (
    <div role="status">
      {said.answer === "yes" && (
        <p>
          <Mark status="ok">yes</Mark> The certificate may go live now
          {said.recommended && (
            <>
              ; recommended from <Moment at={said.recommended} />
            </>
          )}
          .
        </p>
      )}
      {said.answer === "not-before" && said.not_before && (
        <p>
          <Mark status="warning">wait</Mark> Not before <Moment at={said.not_before} />
          {said.recommended && (
            <>
              ; recommended from <Moment at={said.recommended} />
            </>
          )}
          .
        </p>
      )}
      {said.answer === "never" && (
        <p>
          <Mark status="critical">not published</Mark> Senders would refuse it: its record is not given by every name
          server. Publish it beside the present ones first
          {said.not_before_then && (
            <>
              ; if that is done now, the certificate may go live from <Moment at={said.not_before_then} />
            </>
          )}
          .
        </p>
      )}
      {said.answer === "unknown" && (
        <p>
          <Mark status="unknown">unknown</Mark> What is published could not be determined.
        </p>
      )}
      <ul>
        {said.why.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      {said.shown && (
        <p>
          This certificate is the one that {said.shown.by || "somebody"} showed <When at={said.shown.at} />.
        </p>
      )}
      <p class="muted">
        As of the last probe, <When at={said.observed_at} />.
      </p>
    </div>
  );
}

// When the CA suggests to renew what the host presents now.
function Suggested({ renewals }: { renewals: MxHost["renewals"] }) {
  return (
    <>
      {renewals.map(
        (one) =>
          one.from &&
          one.until && (
            <p key={one.certificate}>
              {one.urgent && <Mark status="warning">urgent</Mark>} The CA suggests to renew the present certificate
              between <Moment at={one.from} short /> and <Moment at={one.until} short />
              {one.moved_from && (
                <>
                  ; before, it suggested <Moment at={one.moved_from} short />
                </>
              )}
              .
            </p>
          ),
      )}
    </>
  );
}

function Window({ host, record }: { host: string; record: FittingRecord }) {
  const [starts, setStarts] = useState(() => inHours(0));
  const [ends, setEnds] = useState(() => inHours(4));
  const [by, setBy] = useState(rememberedName);
  const [comment, setComment] = useState("");
  const [made, setMade] = useState<Silence | null>(null);
  const wanted = {
    matchers: [{ name: "mx", value: host, is_regex: false, is_equal: true }],
    starts_at: starts,
    ends_at: ends,
    created_by: by,
    comment: comment || "planned rollover",
    expected_key: record.data,
  };
  const preview = usePreview({ ...wanted, created_by: "", comment: "" });
  const run = () => {
    rememberName(by);
    return post<Silence>("/api/v1/silences", wanted).then(setMade);
  };
  if (made)
    return (
      <p role="status">
        <Mark status="ok">planned</Mark> From <Moment at={made.starts_at} short /> to <Moment at={made.ends_at} short />{" "}
        nobody is notified of trouble with this key. <Link to="/silences">All silences</Link>
      </p>
    );
  return (
    <form class="wish" onSubmit={(event) => event.preventDefault()} aria-label="Window">
      <TimeField label="From" value={starts} onChange={setStarts} />
      <TimeField label="To" value={ends} onChange={setEnds} />
      <NameField value={by} onChange={setBy} />
      <label>
        Comment <input value={comment} onInput={(event) => setComment(event.currentTarget.value)} />
      </label>
      <div class="preview" role="status">
        {preview.fault && <p class="fault">{preview.fault}</p>}
        {preview.items && <Preview items={preview.items} />}
      </div>
      <p>
        <Act label="Plan it" disabled={preview.fault !== null} run={run} />
      </p>
    </form>
  );
}

const lineOf = ({ host, tlsa: { owner, ttl } }: MxHost, record: RecordData) =>
  `${owner || `_25._tcp.${host}`}.${ttl === null ? "" : ` ${ttl}`} IN TLSA ${recordText(record)}`;

export function Plan({ query }: { query: URLSearchParams }) {
  const host = (query.get("mx") ?? "").trim().toLowerCase();
  const mayAct = useMayAct();
  const [pem, setPem] = useState("");
  const [records, setRecords] = useState<FittingRecord[] | null>(null);
  const found = useResource<MxHost>(host ? hostPath(host) : null, (kind, what) => kind === "host" && what === host);
  const isKnown = found.data?.host === host && !found.error;
  const read = () => post<Page<FittingRecord>>("/api/v1/tlsa", { pem }).then(({ items }) => setRecords(items));
  const [own] = records ?? [];
  const seen = isKnown ? found.data : null;
  const gate = useGate(host, own && seen ? pem : null, seen?.observed_at ?? "");
  const isPublished = gate.said?.answer === "yes" || gate.said?.answer === "not-before";
  return (
    <>
      <Title of="Plan a rollover">Plan a rollover</Title>
      <ol class="plan">
        <li>
          <h2>Which host?</h2>
          <label>
            MX host{" "}
            <input
              value={host}
              spellcheck={false}
              onInput={(event) =>
                navigate(`/plan?mx=${encodeURIComponent(event.currentTarget.value)}`, { replace: true })
              }
            />
          </label>
          {host && found.error && (
            <p class="fault" role="alert">
              {found.error}
            </p>
          )}
          {isKnown && (
            <p>
              <Mark status="ok">watched</Mark> <HostLink name={host} />, {found.data?.addresses.join(", ")}
            </p>
          )}
          {seen && seen.delivery !== "fine" && (
            <p>
              <DeliveryMark delivery={seen.delivery} /> {hostSays(seen)}
            </p>
          )}
          {isKnown && found.data && <Suggested renewals={found.data.renewals} />}
        </li>
        <li>
          <h2>Which certificate?</h2>
          <label class="wide">
            The new certificate in PEM, as the server will send it; never the private key
            <textarea
              rows={6}
              spellcheck={false}
              value={pem}
              placeholder="-----BEGIN CERTIFICATE-----"
              onInput={(event) => {
                setPem(event.currentTarget.value);
                setRecords(null);
              }}
            />
          </label>
          <p>
            {mayAct ? (
              <Act label="Read it" disabled={!pem.trim()} run={read} />
            ) : (
              "Whoever may operate can have it read."
            )}
          </p>
          {own && (
            <p role="status">
              <Mark status="ok">read</Mark> {own.subject}, until <Moment at={own.not_after} short />
            </p>
          )}
        </li>
        {own && seen && (
          <>
            <li>
              <h2>{isPublished ? "Its record is published" : "Publish its record beside the present ones"}</h2>
              {gate.said && gate.said.records.length > 0 && (
                <Copyable text={gate.said.records.map((one) => lineOf(seen, one)).join("\n")} />
              )}
              {gate.said?.records.length === 0 && <p>Which line that is follows when the host has been probed.</p>}
            </li>
            <li>
              <h2>Wait until every cache has it</h2>
              <Gate {...gate} />
              <p>Let the deploy hook ask, just before:</p>
              <Copyable text={`danelaw gate --config danelaw.yaml --host ${host} fullchain.pem`} />
            </li>
            {mayAct && (
              <li>
                <h2>Notify nobody of what is planned</h2>
                <p>
                  In this window trouble with the new key of {host} is silent. Of any other key that is refused people
                  are notified at once.
                </p>
                <Window key={own.data} host={host} record={own} />
              </li>
            )}
          </>
        )}
      </ol>
    </>
  );
}
