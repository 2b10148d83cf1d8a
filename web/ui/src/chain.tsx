// The way of a mail as people think of it: domain → MX → addresses → TLSA ↔ certificate, and how far DNSSEC vouches.
import type { ComponentChildren } from "preact";

import type { Domain, Host } from "./api";
import { Dnssec, HostLink, Mark, VerdictMark } from "./parts";
import { dnssecStatus, outcomeWords, plural } from "./words";

const sources: Record<string, string> = {
  mx: "MX",
  implicit: "no MX: the domain is its own host",
  null: "null MX: takes no mail",
  none: "no MX",
};

// One step; `dnssec` is how the step to it is secured: undefined where DNSSEC has no part.
function Step({
  name,
  dnssec,
  children,
}: {
  name: string;
  dnssec?: string | null | undefined;
  children: ComponentChildren;
}) {
  return (
    <li class={`step ${dnssec === undefined ? "" : dnssecStatus(dnssec)}`}>
      {dnssec !== undefined && (
        <span class="bond">
          <Dnssec status={dnssec} />
        </span>
      )}
      <div class="stop">
        <span class="label">{name}</span>
        {children}
      </div>
    </li>
  );
}

function certificateOf(host: Host) {
  const leaves = new Map(
    host.endpoints.flatMap((one) =>
      one.chain[0] ? [[one.chain[0].sha256, { leaf: one.chain[0], verdict: one.verdict }] as const] : [],
    ),
  );
  return [...leaves.values()];
}

function HostChain({ domain, host }: { domain: Domain; host: Host }) {
  const addresses = [...host.addresses.a, ...host.addresses.aaaa];
  const { records } = host.tlsa;
  const matching = records.filter((one) => one.matched).length;
  const leaves = certificateOf(host);
  return (
    <ol class="chain" aria-label={`From ${domain.domain} by ${host.host} to the certificate`}>
      {domain.mx?.source === "service" ? (
        <Step name="Service">
          <HostLink name={host.host} />
        </Step>
      ) : (
        <>
          <Step name="Domain">
            <strong>{domain.domain}</strong>
          </Step>
          <Step
            name={domain.mx?.source === "mx" ? `MX ${host.preference}` : (sources[domain.mx?.source ?? ""] ?? "MX")}
            dnssec={domain.mx?.dnssec}
          >
            <HostLink name={host.host} />
          </Step>
        </>
      )}
      <Step name="Addresses" dnssec={host.addresses.dnssec}>
        {addresses.length > 0
          ? addresses.map((one) => <div key={one}>{one}</div>)
          : (outcomeWords[host.addresses.outcome] ?? host.addresses.outcome)}
        {host.addresses.cname.length > 0 && <div class="muted">through {host.addresses.cname.join(" → ")}</div>}
      </Step>
      <Step name="TLSA" dnssec={host.tlsa.dnssec}>
        {records.length > 0
          ? plural(records.length, "record")
          : host.tlsa.outcome === "absent"
            ? "none published"
            : host.tlsa.outcome === "not-queried"
              ? "not asked for: the addresses do not allow it"
              : "lookup fails"}
        {records.length > 0 && leaves.length > 0 && (
          <div>
            <Mark status={matching > 0 ? "ok" : "critical"}>
              {matching > 0 ? plural(matching, "matches", "match") : "none matches"}
            </Mark>
          </div>
        )}
        {records.length > 0 && leaves.length === 0 && (
          <div class="muted">no certificate to hold against {records.length === 1 ? "it" : "them"}</div>
        )}
      </Step>
      <Step name="Certificate">
        {leaves.length === 0 && <span>none seen</span>}
        {leaves.map(({ leaf, verdict }) => (
          <div key={leaf.sha256}>
            {leaf.subject || "(no subject)"}
            <div class="muted">until {leaf.not_after.slice(0, 10)}</div>
            {leaves.length > 1 && <VerdictMark verdict={verdict} />}
          </div>
        ))}
      </Step>
    </ol>
  );
}

export function Chains({ domain }: { domain: Domain }) {
  if (domain.hosts.length > 0)
    return (
      <>
        {domain.hosts.map((host) => (
          <HostChain key={host.host} domain={domain} host={host} />
        ))}
      </>
    );
  const { mx } = domain;
  return (
    <ol class="chain" aria-label={`From ${domain.domain} to nowhere`}>
      <Step name="Domain">
        <strong>{domain.domain}</strong>
      </Step>
      <Step name="MX" dnssec={mx?.dnssec ?? null}>
        {mx
          ? mx.outcome === "failed"
            ? "lookup fails"
            : (sources[mx.source] ?? outcomeWords[mx.outcome] ?? mx.outcome)
          : "not asked yet"}
        {mx?.detail && <div class="muted">{mx.detail}</div>}
      </Step>
    </ol>
  );
}
