// What one session showed: every step, the records it was held against, the chain.

import type { Certificate, Endpoint, Host } from "./api";
import { recordText } from "./api";
import { Copyable, Mark, Moment } from "./parts";

const stages = ["connect", "banner", "ehlo", "starttls", "handshake", "ehlo-tls", "done"];
// How far it went, and every word.
function Session({ endpoint }: { endpoint: Endpoint }) {
  const words = endpoint.smtp.transcript ?? []; // a report may be older than the agent
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
        {lines.map(
          ([stage, said], index) =>
            index <= end && (
              <li key={stage}>
                <Mark status={index < end ? "ok" : "critical"}>
                  {stage}
                  {index === end && ": it ended here"}
                </Mark>
                {said && (
                  <>
                    {" "}
                    <code>{said}</code>
                  </>
                )}
              </li>
            ),
        )}
        {endpoint.smtp.detail && <li>{endpoint.smtp.detail}</li>}
      </ol>
      {words.length > 0 && (
        <>
          <p class="muted">S is the server, C is danelaw.</p>
          <pre class="transcript">{words.join("\n")}</pre>
        </>
      )}
    </>
  );
}

function CertificateChain({ chain }: { chain: Certificate[] }) {
  return (
    <ol class="certificates">
      {chain.map((one) => (
        <li key={one.sha256}>
          <strong>{one.subject || "(no subject)"}</strong>{" "}
          <span class="muted">issued by {one.issuer || "(no issuer)"}</span>
          <div>
            from <Moment at={one.not_before} short /> until <Moment at={one.not_after} short />
          </div>
          {one.dns_names.length > 0 && <div>names: {one.dns_names.join(", ")}</div>}
          <div>
            key <code>{one.spki_sha256}</code>
          </div>
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
            {!record.usable ? (
              <Mark status="warning">unusable: {record.unusable_because}</Mark>
            ) : text === matched ? (
              <Mark status="ok">matched at depth {endpoint.matched?.depth}</Mark>
            ) : endpoint.chain.length === 0 ? (
              <Mark status="unknown">no certificate was seen</Mark>
            ) : (
              <Mark status={matched ? "unknown" : "critical"}>not what matched</Mark>
            )}{" "}
            <code>{text}</code>
          </li>
        );
      })}
    </ul>
  );
}

export function Evidence({ host, endpoint }: { host: Host; endpoint: Endpoint }) {
  return (
    <div class="opened">
      <section>
        <h4>
          Session{" "}
          <span class="muted">
            <code>{endpoint.reason}</code>
          </span>
        </h4>
        <Session endpoint={endpoint} />
      </section>
      <section>
        <h4>TLSA records</h4>
        <Records host={host} endpoint={endpoint} />
      </section>
      <section>
        <h4>Chain</h4>
        {endpoint.chain.length > 0 ? <CertificateChain chain={endpoint.chain} /> : <p>No certificate was seen.</p>}
      </section>
      {endpoint.chain[0] && host.tlsa.owner && !endpoint.matched && (
        <section>
          <h4>The record that would fit</h4>
          <Copyable text={`${host.tlsa.owner}. IN TLSA 3 1 1 ${endpoint.chain[0].spki_sha256}`} />
        </section>
      )}
    </div>
  );
}
