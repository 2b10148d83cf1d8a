import { useEffect, useState } from "preact/hooks";
import { AlertLine } from "./alert_card";
import type { Domain, Finding, Rollover, Verdict } from "./api";
import { domainPath, get, post } from "./api";
import { senderWeights, senderWords, verdictSentence } from "./catalogue";
import { Chains } from "./chain";
import { DayBars } from "./days";
import { OwnDeliveriesTo, OwnQueueTo, useDeliveriesTo } from "./deliveries";
import { FindingCard } from "./finding_card";
import type { Resource } from "./live";
import { useResource } from "./live";
import { Matrix } from "./matrix";
import { useMayAct } from "./me";
import { PartnerView } from "./partner";
import { DeliveryMark, HostLink, Link, MailNow, Mark, Title, Waiting, When } from "./parts";
import { differences, keysLook, rolloverSentence, rolloverWords, withCaches } from "./rollover_words";
import { SendersView } from "./senders";
import {
  delivers,
  isRare,
  isService,
  plural,
  serviceSentence,
  verdictBeside,
  verdictStatus,
  verdictWords,
} from "./words";

interface Split {
  sender: string;
  verdict: Verdict;
  weight?: string;
}

// Which senders fare otherwise than the reference sender, and at which hosts. Where that one gets through, what only rare
// classes meet is no news.
function Splits({ domain }: { domain: Domain }) {
  interface Class {
    whole: Verdict | null;
    hosts: string[];
    isRare: boolean;
  }
  const senders = new Map<string, Class>();
  const of = (split: Split) => {
    const known = senders.get(split.sender) ?? { whole: null, hosts: [], isRare: isRare(split) };
    senders.set(split.sender, known);
    return known;
  };
  for (const split of domain.splits) of(split).whole = split.verdict;
  for (const host of domain.hosts)
    for (const split of host.splits) of(split).hosts.push(`${host.host}: ${verdictWords[split.verdict]}`);
  const isSound = delivers(domain.verdict);
  const all = [...senders];
  const rare = all.filter(([, one]) => isSound && one.isRare);
  const list = (some: [string, Class][]) => (
    <ul class="splits">
      {some.map(([sender, { whole, hosts, isRare: isQuiet }]) => (
        <li key={sender}>
          {whole && (
            <>
              <Mark status={isSound && isQuiet ? "note" : verdictStatus(whole)}>{verdictWords[whole]}</Mark> for{" "}
            </>
          )}
          {senderWords[sender] ?? sender} <span class="muted">{hosts.join("; ")}</span>
          {senderWeights[sender] && (
            <span class="muted">
              {" "}
              ({senderWeights[sender].weight}: {senderWeights[sender].source}, {senderWeights[sender].year})
            </span>
          )}
        </li>
      ))}
    </ul>
  );
  return (
    <>
      {list(all.filter((one) => !rare.includes(one)))}
      {rare.length > 0 && (
        <details class="muted">
          <summary>
            {plural(rare.length, "rare class of senders fares", "rare classes of senders fare")} otherwise
          </summary>
          {list(rare)}
        </details>
      )}
    </>
  );
}

// Asks for a look now, and says when it is done.
function CheckNow({ domain, resource }: { domain: Domain; resource: Resource<Domain> }) {
  const [asked, ask] = useState<string | null>(null);
  const [says, say] = useState("");
  useEffect(() => {
    if (asked === null || domain.observed_at === asked) return;
    ask(null);
    say("Probed again.");
  }, [asked, domain.observed_at]);
  useEffect(() => {
    if (asked === null) return;
    const timer = setInterval(resource.again, 2000); // the event may come while there is no stream
    return () => clearInterval(timer);
  }, [asked]);
  const run = () =>
    post(`${domainPath(domain.domain)}/check`).then(
      () => {
        ask(domain.observed_at ?? "");
        say("Probing DNS, SMTP and TLS…");
      },
      (reason: Error) => say(`Not started: ${reason.message}`),
    );
  if (!useMayAct()) return null;
  return (
    <>
      <button type="button" disabled={asked !== null} onClick={run}>
        {asked !== null ? "Probing…" : "Check now"}
      </button>
      {asked !== null && <progress aria-label="A probe is under way" />}
      <span role="status" class="muted">
        {says}
      </span>
    </>
  );
}

// What happens to mail, in a sentence; at risk: by what.
function says(domain: Domain): string {
  if (!domain.verdict) return "Not probed yet.";
  if (domain.delivery === "unknown") return verdictSentence.unknown;
  const [worst] = domain.findings;
  const now = (isService(domain.domain) && serviceSentence[domain.verdict]) || verdictSentence[domain.verdict];
  const taking = domain.hosts.filter((host) => delivers(host.verdict));
  const followed = domain.rollover?.hosts?.filter((one) => taking.some((host) => host.host === one.host)) ?? [];
  if (delivers(domain.verdict) && followed.length === taking.length) {
    const told = withCaches(now, followed, domain.delivery);
    if (told !== now) return told;
  }
  return `${now}${domain.delivery === "at-risk" && worst ? ` At risk: ${worst.title}.` : ""}`;
}

// The domain as it was seen when it could last be told, where it cannot be told now.
function lastKnown(domain: Domain): (Domain & { observed_at: string }) | null {
  const { last_known: known } = domain;
  return known
    ? { ...domain, mx: known.mx ?? domain.mx, hosts: known.hosts ?? [], observed_at: known.observed_at }
    : null;
}

const Stale = ({ at }: { at: string }) => (
  <p class="muted">
    Could not be determined now. This is the last known state, <When at={at} />.
  </p>
);

// How the keys of a host stand; nothing of it is told as true now while no certificate was seen.
function Keys({ domain, rollover: one }: { domain: Domain; rollover: Rollover }) {
  const isSeen = domain.hosts.some(
    (host) => host.host === one.host && host.endpoints.some((endpoint) => endpoint.chain.length > 0),
  );
  if (!isSeen)
    return (
      <>
        <Mark status="unknown">keys not seen</Mark> <HostLink name={one.host} />: no certificate was seen at the last
        probe, so nothing can be said about the keys it serves.
      </>
    );
  return (
    <>
      <Mark status={keysLook(one.state, domain.delivery)}>{rolloverWords[one.state]}</Mark> <HostLink name={one.host} />
      : {differences(one).join(" ") || rolloverSentence[one.state]}
    </>
  );
}

// What follows from another finding stands below that one: of the same subject, or of a host of the domain.
function byCause(findings: Finding[]): { finding: Finding; consequences: Finding[] }[] {
  const causeOf = (one: Finding) => {
    const causes = findings.filter((other) => !other.consequence_of && other.code === one.consequence_of);
    return causes.find((other) => other.subject.name === one.subject.name) ?? causes[0];
  };
  return findings
    .filter((one) => !causeOf(one))
    .map((finding) => ({ finding, consequences: findings.filter((one) => causeOf(one) === finding) }));
}

function Raw({ path }: { path: string }) {
  const [text, set] = useState("");
  const load = () =>
    get<unknown>(path).then(
      (json) => set(JSON.stringify(json, null, 2)),
      (reason: Error) => set(reason.message),
    );
  return (
    <details
      onToggle={(event) => {
        if (event.currentTarget.open) load();
      }}
    >
      <summary>Raw JSON</summary>
      <p>
        <a href={path}>{path}</a>
      </p>
      <pre tabIndex={0}>{text}</pre>
    </details>
  );
}

export function DomainView({ name, query }: { name: string; query: URLSearchParams }) {
  const path = domainPath(name);
  const found = useResource<Domain>(path, (kind, what) => kind === "alert" || (kind === "domain" && what === name));
  const { data } = found;
  const deliveries = useDeliveriesTo(name);
  const known = data && lastKnown(data);
  const alerts = data?.alerts.filter((one) => one.state === "firing" || one.state === "pending") ?? [];
  const ask = encodeURIComponent(name);
  return (
    <>
      <Title of={name}>{name}</Title>
      <Waiting of={found} />
      {data && (
        <>
          <MailNow
            delivery={data.delivery}
            since={data.delivery_since}
            alerts={data.alerts}
            worst={data.severity ?? undefined}
            says={says(data)}
          >
            {data.last_known && (
              <p>
                Last known, <When at={data.last_known.observed_at} />:{" "}
                <DeliveryMark delivery={data.last_known.delivery} />,{" "}
                {data.last_known.verdict && verdictBeside(data.last_known.delivery, data.last_known.verdict)}.
              </p>
            )}
            <OwnQueueTo of={deliveries} />
            <p class="muted">
              {data.role === "outbound" ? "A partner's " : "Our "}
              {isService(name) ? "service, which mail programs use" : "domain"}
              {data.group && `, of the group ${data.group}`}.
            </p>
          </MailNow>
          <Splits domain={data} />
          <p class="actions">
            <span>
              Last probe <When at={data.observed_at} />, next <When at={data.next_check_at} />.
            </span>
            <CheckNow domain={data} resource={found} />
            <Link button to={`/history?domain=${ask}`}>
              History
            </Link>
            <Link button to={`/diff?domain=${ask}`}>
              Compare two moments
            </Link>
          </p>
          {alerts.length > 0 && (
            <>
              <h2>Alerts</h2>
              <ul class="plain">
                {alerts.map((alert) => (
                  <AlertLine key={alert.id} alert={alert} />
                ))}
              </ul>
            </>
          )}
          <h2>From the domain to the certificate</h2>
          {known && <Stale at={known.observed_at} />}
          <div class={known ? "stale" : undefined}>
            <Chains domain={known ?? data} />
          </div>
          {data.rollover && (
            <ul class="plain">
              {data.rollover.hosts?.map((one) => (
                <li key={one.host}>
                  <Keys domain={data} rollover={one} />
                </li>
              ))}
            </ul>
          )}
          <h2>Findings</h2>
          {data.findings.length === 0 && <p>None.</p>}
          {byCause(data.findings).map(({ finding, consequences }, index) => (
            <FindingCard
              key={`${finding.code}${finding.subject.name}${index}`}
              finding={finding}
              consequences={consequences}
            />
          ))}
          <h2>Sessions</h2>
          {known && <Stale at={known.observed_at} />}
          <div class={known ? "stale" : undefined}>
            <Matrix domain={known ?? data} query={query} />
          </div>
          {data.partner && (
            <PartnerView name={name} partner={data.partner} delivery={data.delivery} again={found.again} />
          )}
          {!isService(name) && (
            <>
              <SendersView path={path} />
              <OwnDeliveriesTo of={deliveries} />
            </>
          )}
          <h2>Ninety days</h2>
          <DayBars path={`${path}/days?days=90`} isOne />
          <h2>For machines</h2>
          <Raw path={path} />
        </>
      )}
    </>
  );
}
