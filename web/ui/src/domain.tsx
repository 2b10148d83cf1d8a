import { useEffect, useState } from "preact/hooks";

import type { Domain, Partner, Rollover, Verdict } from "./api";
import { domainPath, get, post, remove } from "./api";
import { AlertLine } from "./alerts";
import { Chains } from "./chain";
import type { Resource } from "./live";
import { useResource } from "./live";
import { Matrix } from "./matrix";
import { Act, Copyable, FindingCard, HostLink, Link, MailNow, Mark, Moment, Title, Waiting, When } from "./parts";
import { senderWords } from "./catalogue";
import { keysLook, rolloverSentence, verdictSentence, verdictStatus, verdictWords } from "./words";

// Which senders fare otherwise than the reference sender, and at which hosts.
function Splits({ domain }: { domain: Domain }) {
  const senders = new Map<string, { whole: Verdict | null; hosts: string[] }>();
  const of = (sender: string) => senders.get(sender) ?? senders.set(sender, { whole: null, hosts: [] }).get(sender)!;
  for (const { sender, verdict } of domain.splits) of(sender).whole = verdict;
  for (const host of domain.hosts) for (const { sender, verdict } of host.splits) of(sender).hosts.push(`${host.host}: ${verdictWords[verdict]}`);
  return (
    <ul class="splits">{[...senders].map(([sender, { whole, hosts }]) => (
      <li key={sender}>{whole && <><Mark status={verdictStatus(whole)}>{verdictWords[whole]}</Mark> for </>}{senderWords[sender] ?? sender} <span class="muted">{hosts.join("; ")}</span></li>))}
    </ul>
  );
}

// Asks for a look now, and says when it is done.
function CheckNow({ domain, resource }: { domain: Domain; resource: Resource<Domain> }) {
  const [asked, ask] = useState<string | null>(null);
  const [says, say] = useState("");
  useEffect(() => {
    if (asked === null || domain.observed_at === asked) return;
    ask(null);
    say("A new look has been taken.");
  }, [asked, domain.observed_at]);
  useEffect(() => {
    if (asked === null) return;
    const timer = setInterval(resource.again, 2000);  // the event may come while there is no stream
    return () => clearInterval(timer);
  }, [asked]);
  const run = () => post(`${domainPath(domain.domain)}/check`).then(
    () => { ask(domain.observed_at ?? ""); say("Looking: DNS, SMTP, TLS…"); },
    (reason: Error) => say(`Not started: ${reason.message}`));
  return (
    <>
      <button type="button" disabled={asked !== null} onClick={run}>{asked !== null ? "Looking…" : "Check now"}</button>
      {asked !== null && <progress aria-label="A look is under way" />}
      <span role="status" class="muted">{says}</span>
    </>
  );
}

function PartnerView({ name, partner, again }: { name: string; partner: Partner; again: () => void }) {
  const path = `${domainPath(name)}/exception`;
  const { exception, proposed_exception: proposed, postmaster_text: text } = partner;
  return (
    <>
      <h2>Our partner's domain</h2>
      {!text && !exception && !proposed && <p>Nothing holds up our mail to them: there is nothing to tell and nothing to except.</p>}
      {exception && (
        <>
          <p><Mark status="warning">exception in force</Mark> since <When at={exception.made_at} />, until <Moment at={exception.until} short />. Remove this line from Postfix's <code>smtp_tls_policy_maps</code> when the partner is well again:</p>
          <Copyable text={exception.line} />
          <p><Act label="I have removed it" run={() => remove(path).then(again)} /></p>
        </>
      )}
      {!exception && proposed && (
        <>
          <p>To let mail through meanwhile, put this line into Postfix's <code>smtp_tls_policy_maps</code>. It weakens the protection of that mail: danelaw asks for its removal once the partner is well, or at <Moment at={proposed.until} short />.</p>
          <Copyable text={proposed.line} />
          <p><Act label="I have put it in" run={() => post(path).then(again)} /></p>
        </>
      )}
      {text && <details open={!exception}><summary>What to write to their postmaster</summary><Copyable text={text} label="Copy the letter" /></details>}
    </>
  );
}

// What happens to mail, in a sentence; at risk: by what.
function says(domain: Domain): string {
  if (!domain.verdict) return "Not looked at yet.";
  if (domain.delivery === "unknown") return verdictSentence.unknown;
  const [worst] = domain.findings;
  return `${verdictSentence[domain.verdict]}${domain.delivery === "at-risk" && worst ? ` At risk: ${worst.title}.` : ""}`;
}

// How the keys of a host stand; nothing of it is told as true now while no certificate was seen.
function Keys({ domain, rollover: one }: { domain: Domain; rollover: Rollover }) {
  const isSeen = domain.hosts.some((host) => host.host === one.host && host.endpoints.some((endpoint) => endpoint.chain.length > 0));
  if (!isSeen) return <><Mark status="unknown">keys not seen</Mark> <HostLink name={one.host} />: no certificate was seen at the last look, so nothing can be said about the keys it serves.</>;
  return <><Mark status={keysLook(one.state, domain.delivery)}>{one.state}</Mark> <HostLink name={one.host} />: {rolloverSentence[one.state]}</>;
}

function Raw({ path }: { path: string }) {
  const [text, set] = useState("");
  const load = () => get<unknown>(path).then((json) => set(JSON.stringify(json, null, 2)), (reason: Error) => set(reason.message));
  return <details onToggle={(event) => { if (event.currentTarget.open) load(); }}><summary>Raw JSON</summary><p><a href={path}>{path}</a></p><pre tabIndex={0}>{text}</pre></details>;
}

export function DomainView({ name, query }: { name: string; query: URLSearchParams }) {
  const path = domainPath(name);
  const found = useResource<Domain>(path, (kind, what) => kind === "alert" || (kind === "domain" && what === name));
  const { data } = found;
  const alerts = data?.alerts.filter((one) => one.state === "firing" || one.state === "pending") ?? [];
  const ask = encodeURIComponent(name);
  return (
    <>
      <Title of={name}>{name}</Title>
      <Waiting of={found} />
      {data && (
        <>
          <MailNow delivery={data.delivery} since={data.delivery_since} alerts={data.alerts} says={says(data)}>
            <p class="muted">{data.role === "outbound" ? "A partner's domain" : "Our domain"}{data.group && `, of the group ${data.group}`}; verdict: <code>{data.verdict ?? "none yet"}</code>.</p>
          </MailNow>
          <Splits domain={data} />
          <p class="actions">
            <span>Last look <When at={data.observed_at} />, next <When at={data.next_check_at} />.</span>
            <CheckNow domain={data} resource={found} />
            <Link button to={`/history?domain=${ask}`}>History</Link>
            <Link button to={`/diff?domain=${ask}`}>Compare two moments</Link>
          </p>
          {alerts.length > 0 && <><h2>Alerts</h2><ul class="plain">{alerts.map((alert) => <AlertLine key={alert.id} alert={alert} />)}</ul></>}
          <h2>From the domain to the certificate</h2>
          <Chains domain={data} />
          {data.rollover && (
            <ul class="plain">{data.rollover.hosts.map((one) => (
              <li key={one.host}><Keys domain={data} rollover={one} /></li>))}
            </ul>
          )}
          <h2>Findings</h2>
          {data.findings.length === 0 && <p>None.</p>}
          {data.findings.map((finding, index) => <FindingCard key={`${finding.code}${finding.subject.name}${index}`} finding={finding} />)}
          <h2>Every address with every kind of key</h2>
          <Matrix domain={data} query={query} />
          {data.partner && <PartnerView name={name} partner={data.partner} again={found.again} />}
          <h2>For machines</h2>
          <Raw path={path} />
        </>
      )}
    </>
  );
}
