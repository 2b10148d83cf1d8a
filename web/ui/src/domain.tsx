import { useState } from "preact/hooks";

import type { Certificate, Domain, Endpoint, Host, Split } from "./api";
import { checkNow } from "./api";
import { FindingCard, Mark, Trouble, useResource, VerdictMark, When } from "./parts";
import { senderWords, verdictSentence, verdictStatus, verdictWords } from "./words";

function Splits({ splits }: { splits: Split[] }) {
  if (splits.length === 0) return null;
  return <ul>{splits.map((split) => <li key={split.sender}>For {senderWords[split.sender] ?? split.sender}: {verdictWords[split.verdict]}.</li>)}</ul>;
}

function Dnssec({ status }: { status: string | null }) {
  const mark = status === "secure" ? "ok" : status === "insecure" ? "warning" : status === "bogus" ? "critical" : "unknown";
  return <Mark status={mark}>{status ?? "not asked"}</Mark>;
}

function Chain({ chain }: { chain: Certificate[] }) {
  return (
    <ol class="chain">
      {chain.map((one) => (
        <li key={one.sha256}>{one.subject || "(no subject)"}, issued by {one.issuer || "(no issuer)"}, until <time dateTime={one.not_after}>{one.not_after}</time>
          {one.dns_names.length > 0 && <div>names: {one.dns_names.join(", ")}</div>}
          <div><code>3 1 1 {one.spki_sha256}</code></div>
        </li>
      ))}
    </ol>
  );
}

function Cell({ endpoint }: { endpoint: Endpoint }) {
  return (
    <details>
      <summary><VerdictMark verdict={endpoint.verdict} /></summary>
      <dl>
        <dt>Reason</dt><dd>{endpoint.reason}; the session ended at {endpoint.stage}</dd>
        {endpoint.tls && <><dt>TLS</dt><dd>{endpoint.tls.version}, {endpoint.tls.cipher}</dd></>}
        {endpoint.matched && <><dt>Matched</dt><dd><code>{endpoint.matched.usage} {endpoint.matched.selector} {endpoint.matched.matching_type} {endpoint.matched.data}</code></dd></>}
        {endpoint.smtp.banner && <><dt>Banner</dt><dd><code>{endpoint.smtp.banner}</code></dd></>}
        {endpoint.smtp.last_reply && <><dt>Last reply</dt><dd><code>{endpoint.smtp.last_reply}</code></dd></>}
        {endpoint.smtp.detail && <><dt>Detail</dt><dd>{endpoint.smtp.detail}</dd></>}
        {endpoint.chain.length > 0 && <><dt>Chain</dt><dd><Chain chain={endpoint.chain} /></dd></>}
      </dl>
    </details>
  );
}

function HostView({ host }: { host: Host }) {
  const addresses = [...new Set(host.endpoints.map((endpoint) => endpoint.address))];
  const kinds = [...new Set(host.endpoints.map((endpoint) => endpoint.key_type))];
  const all = [...host.addresses.a, ...host.addresses.aaaa];
  return (
    <section class="host" aria-label={`MX host ${host.host}`}>
      <h3>MX {host.preference} {host.host} <VerdictMark verdict={host.verdict} /></h3>
      <Splits splits={host.splits} />
      <dl>
        <dt>Addresses</dt><dd><Dnssec status={host.addresses.dnssec} /> {all.length > 0 ? all.join(", ") : host.addresses.outcome}
          {host.addresses.cname.length > 0 && <> through {host.addresses.cname.join(" → ")}</>}</dd>
        <dt>TLSA</dt><dd>{host.tlsa.owner ? <><Dnssec status={host.tlsa.dnssec} /> <code>{host.tlsa.owner}</code> {host.tlsa.outcome === "answer" ? `TTL ${host.tlsa.ttl} s` : host.tlsa.outcome}{host.tlsa.detail && `: ${host.tlsa.detail}`}</> : "not asked for: the addresses do not allow it"}</dd>
      </dl>
      {host.tlsa.records.length > 0 && (
        <div class="scroll"><table>
          <caption class="hidden">TLSA records of {host.host}</caption>
          <thead><tr><th scope="col">Record</th><th scope="col">State</th></tr></thead>
          <tbody>{host.tlsa.records.map((record) => (
            <tr key={`${record.usage}${record.selector}${record.matching_type}${record.data}`}>
              <td><code>{record.usage} {record.selector} {record.matching_type} {record.data}</code></td>
              <td>{!record.usable ? <Mark status="warning">unusable: {record.unusable_because}</Mark> : record.matched ? <Mark status="ok">matches</Mark> : <Mark status="warning">matches nothing</Mark>}</td>
            </tr>))}
          </tbody>
        </table></div>
      )}
      {addresses.length > 0 && (
        <div class="scroll"><table class="matrix">
          <caption>Every address with every kind of key</caption>
          <thead><tr><th scope="col">Address</th>{kinds.map((kind) => <th key={kind} scope="col">{kind} handshake</th>)}</tr></thead>
          <tbody>{addresses.map((address) => (
            <tr key={address}><th scope="row">{address}</th>
              {kinds.map((kind) => {
                // More than one where back-ends behind the address differ.
                const shown = host.endpoints.filter((one) => one.address === address && one.key_type === kind);
                return <td key={kind}>{shown.length > 0 ? shown.map((endpoint, index) => <Cell key={index} endpoint={endpoint} />) : <span class="muted">no such key</span>}</td>;
              })}
            </tr>))}
          </tbody>
        </table></div>
      )}
    </section>
  );
}

export function DomainView({ name }: { name: string }) {
  const path = `/api/v1/domains/${encodeURIComponent(name)}`;
  const { data, error, since, again } = useResource<Domain>(path);
  const [asked, setAsked] = useState<string | null>(null);
  const ask = () => checkNow(name).then(() => { setAsked("A look is under way."); setTimeout(again, 1500); }, (reason: Error) => setAsked(`Not started: ${reason.message}`));
  return (
    <>
      <h1>{name}</h1>
      <Trouble error={error} since={since} />
      {data && (
        <>
          <p class="lead"><Mark status={verdictStatus(data.verdict)}>{data.verdict ?? "unknown"}</Mark> {data.verdict ? verdictSentence[data.verdict] : "Not looked at yet."}</p>
          <Splits splits={data.splits} />
          <p>Last look <When at={data.observed_at} />, next <When at={data.next_check_at} />. <button type="button" onClick={ask}>Check now</button> <span role="status">{asked}</span> <a href={path}>JSON</a></p>
          <h2>Findings</h2>
          {data.findings.length === 0 && <p>None.</p>}
          {data.findings.map((finding, index) => <FindingCard key={`${finding.code}${finding.subject.name}${index}`} finding={finding} />)}
          <h2>From the domain to the certificate</h2>
          {data.mx && <dl><dt>MX</dt><dd><Dnssec status={data.mx.dnssec} /> {data.mx.source === "implicit" ? "none: the domain is its own host" : data.mx.source === "null" ? "null MX" : data.mx.outcome}{data.mx.detail && `: ${data.mx.detail}`}</dd></dl>}
          {data.hosts.map((host) => <HostView key={host.host} host={host} />)}
        </>
      )}
    </>
  );
}
