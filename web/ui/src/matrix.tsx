// MX × address × key type; a cell opens to its evidence, and the address of the page says which one is open.
import { Fragment } from "preact";

import type { Certificate, Domain, Endpoint, Host } from "./api";
import { recordText } from "./api";
import { Copyable, HostLink, Mark, Moment, navigate, VerdictMark, withQuery } from "./parts";

const stages = ["connect", "banner", "ehlo", "starttls", "handshake", "ehlo-tls", "done"];
const keyWords: Record<string, string> = { default: "default handshake", rsa: "RSA only", ecdsa: "ECDSA only", eddsa: "EdDSA only" };

const idOf = (host: string, endpoint: Endpoint) => `${host}|${endpoint.address}|${endpoint.key_type}`;

// How far it went, and every word.
function Session({ endpoint }: { endpoint: Endpoint }) {
  const words = endpoint.smtp.transcript ?? [];  // a report may be older than the agent
  const end = stages.indexOf(endpoint.stage);
  const lines: [string, string | null][] = [
    ["connect", `${endpoint.address} port ${endpoint.port}`],
    ["banner", null],
    ["ehlo", endpoint.starttls === null ? null : endpoint.starttls ? "STARTTLS is offered" : "STARTTLS is not offered"],
    ["starttls", null],
    ["handshake", endpoint.tls && `${endpoint.tls.version}, ${endpoint.tls.cipher}`],
    ["ehlo-tls", null],
  ];
  return (
    <>
      <ol class="steps">
        {lines.map(([stage, said], index) => index <= end && (
          <li key={stage}>
            <Mark status={index < end ? "ok" : "critical"}>{stage}{index === end && ": it ended here"}</Mark>{said && <> <code>{said}</code></>}
          </li>))}
        {endpoint.smtp.detail && <li>{endpoint.smtp.detail}</li>}
      </ol>
      {words.length > 0 && (
        <>
          <p class="muted">S is the server, C is danelaw.</p>
          <pre class="transcript">{words.join("\n")}</pre>
        </>)}
    </>
  );
}

function CertificateChain({ chain }: { chain: Certificate[] }) {
  return (
    <ol class="certificates">
      {chain.map((one) => (
        <li key={one.sha256}>
          <strong>{one.subject || "(no subject)"}</strong> <span class="muted">issued by {one.issuer || "(no issuer)"}</span>
          <div>from <Moment at={one.not_before} short /> until <Moment at={one.not_after} short /></div>
          {one.dns_names.length > 0 && <div>names: {one.dns_names.join(", ")}</div>}
          <div>key <code>{one.spki_sha256}</code></div>
        </li>
      ))}
    </ol>
  );
}

function Records({ host, endpoint }: { host: Host; endpoint: Endpoint }) {
  if (host.tlsa.records.length === 0) return <p>There are none.</p>;
  const matched = endpoint.matched && recordText(endpoint.matched);
  return (
    <ul class="plain">
      {host.tlsa.records.map((record) => {
        const text = recordText(record);
        return (
          <li key={text}>
            {!record.usable ? <Mark status="warning">unusable: {record.unusable_because}</Mark>
              : text === matched ? <Mark status="ok">matched at depth {endpoint.matched?.depth}</Mark> : endpoint.chain.length === 0 ? <Mark status="unknown">no certificate was seen</Mark> : <Mark status={matched ? "unknown" : "critical"}>not what matched</Mark>}
            {" "}<code>{text}</code>
          </li>);
      })}
    </ul>
  );
}

function Evidence({ host, endpoint }: { host: Host; endpoint: Endpoint }) {
  return (
    <div class="opened">
      <section><h4>Session: {endpoint.reason}</h4><Session endpoint={endpoint} /></section>
      <section><h4>TLSA records</h4><Records host={host} endpoint={endpoint} /></section>
      <section><h4>Chain</h4>{endpoint.chain.length > 0 ? <CertificateChain chain={endpoint.chain} /> : <p>No certificate was seen.</p>}</section>
      {endpoint.chain[0] && host.tlsa.owner && !endpoint.matched && (
        <section><h4>The record that would fit</h4><Copyable text={`${host.tlsa.owner}. IN TLSA 3 1 1 ${endpoint.chain[0].spki_sha256}`} /></section>
      )}
    </div>
  );
}

function Row({ host, address, kinds, query, path }: { host: Host; address: string; kinds: string[]; query: URLSearchParams; path: string }) {
  const mine = host.endpoints.filter((one) => one.address === address);
  const open = query.get("cell") ?? "";
  const opened = mine.filter((one) => idOf(host.host, one) === open);
  const toggle = (id: string) => navigate(withQuery(path, query, { cell: id === open ? "" : id }), { replace: true });
  return (
    <>
      <tr>
        <th scope="row"><HostLink name={host.host} /><div>{address}</div></th>
        {kinds.map((kind) => {
          // More than one where back-ends behind the address differ.
          const shown = mine.filter((one) => one.key_type === kind);
          const id = `${host.host}|${address}|${kind}`;
          if (shown.length === 0) return <td key={kind} data-label={keyWords[kind] ?? kind}><span class="muted">no such key</span></td>;
          return (
            <td key={kind} data-label={keyWords[kind] ?? kind}>
              <button type="button" class="cell" aria-expanded={id === open} onClick={() => toggle(id)}>
                {shown.map((one, index) => <span key={index} class="line"><VerdictMark verdict={one.verdict} /></span>)}
                <span class="muted">{shown[0]?.reason}</span>
              </button>
            </td>);
        })}
      </tr>
      {opened.length > 0 && <tr class="evidence-row"><td colSpan={kinds.length + 1}>{opened.map((one, index) => <Evidence key={index} host={host} endpoint={one} />)}</td></tr>}
    </>
  );
}

export function Matrix({ domain, query }: { domain: Domain; query: URLSearchParams }) {
  const kinds = [...new Set(domain.hosts.flatMap((host) => host.endpoints.map((one) => one.key_type)))];
  const path = `/domains/${encodeURIComponent(domain.domain)}`;
  if (kinds.length === 0) return <p>No session yet.</p>;
  return (
    <table class="list matrix">
      <caption class="hidden">Every address of every MX host with every kind of key</caption>
      <thead><tr><th scope="col">MX and address</th>{kinds.map((kind) => <th key={kind} scope="col">{keyWords[kind] ?? kind}</th>)}</tr></thead>
      <tbody>
        {domain.hosts.map((host) => (
          <Fragment key={host.host}>
            {[...new Set(host.endpoints.map((one) => one.address))].map((address) => <Row key={address} host={host} address={address} kinds={kinds} query={query} path={path} />)}
          </Fragment>))}
      </tbody>
    </table>
  );
}
