// Small pieces that several views use.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

import type { Alert, Delivery, Finding, Verdict } from "./api";
import type { Resource } from "./live";
import type { Look } from "./words";
import { ago, deliveryLook, deliveryWords, dnssecStatus, severityLook, utc, verdictStatus, verdictWords } from "./words";

const icons: Record<Look, string> = { ok: "✓", warning: "!", critical: "✕", unknown: "?", note: "i" };

export function Mark({ status, children }: { status: Look; children: ComponentChildren }) {
  return <span class={`mark ${status}`}><span class="icon" aria-hidden="true">{icons[status]}</span>{children}</span>;
}

export const VerdictMark = ({ verdict }: { verdict: Verdict | null }) =>
  <Mark status={verdictStatus(verdict)}>{verdict ? verdictWords[verdict] : "not looked at yet"}</Mark>;

export const DeliveryMark = ({ delivery }: { delivery: Delivery }) =>
  <Mark status={deliveryLook[delivery]}>{deliveryWords[delivery]}</Mark>;

export const Dnssec = ({ status }: { status: string | null }) =>
  <Mark status={dnssecStatus(status)}>{status ?? "not asked"}</Mark>;

const localTime = (at: string) => `${new Date(at).toLocaleString()} local time`;

// How long ago; the moment itself on hover.
export function When({ at }: { at: string | null }) {
  if (!at) return <span>never</span>;
  return <time dateTime={at} title={`${utc(at)} — ${localTime(at)}`}>{ago(at, Date.now())}</time>;
}

// A moment in UTC; the local time on hover.
export const Moment = ({ at, short = false }: { at: string; short?: boolean }) =>
  <time dateTime={at} title={localTime(at)}>{utc(at, short)}</time>;

export function navigate(to: string, how: { replace?: boolean } = {}) {
  history[how.replace ? "replaceState" : "pushState"](null, "", to);
  dispatchEvent(new PopStateEvent("popstate"));
}

export function Link({ to, children, current, button }: { to: string; children: ComponentChildren; current?: boolean; button?: boolean }) {
  const follow = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    navigate(to);
  };
  return <a href={to} onClick={follow} class={button ? "button" : undefined} aria-current={current ? "page" : undefined}>{children}</a>;
}

export const DomainLink = ({ name }: { name: string }) => <Link to={`/domains/${encodeURIComponent(name)}`}>{name}</Link>;
export const HostLink = ({ name }: { name: string }) => <Link to={`/mx/${encodeURIComponent(name)}`}>{name}</Link>;

// A list of names that does not grow without bounds.
export function Names({ names, of = DomainLink }: { names: string[]; of?: typeof DomainLink }) {
  const [isWhole, show] = useState(false);
  const shown = isWhole ? names : names.slice(0, 12);
  const One = of;
  return (
    <>
      {shown.map((name, index) => <span key={name}>{index > 0 && ", "}<One name={name} /></span>)}
      {shown.length < names.length && <> <button type="button" class="quiet" onClick={() => show(true)}>and {names.length - shown.length} more</button></>}
    </>
  );
}

// The address with some parameters of the query changed; empty ones go.
export function withQuery(path: string, query: URLSearchParams, changes: Record<string, string>): string {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value) next.set(name, value); else next.delete(name);
  }
  const text = next.toString();
  return text ? `${path}?${text}` : path;
}

// The way through a list that the server gives in pages; `to` makes the address of one.
export function Pages({ page, total, size, to }: { page: number; total: number; size: number; to: (changes: { page: string }) => string }) {
  const last = Math.ceil(total / size);
  if (last <= 1) return null;
  return (
    <nav class="pages" aria-label="Pages">
      {page > 1 && <Link button to={to({ page: page > 2 ? `${page - 1}` : "" })}>Previous</Link>}
      <span>Page {page} of {last}</span>
      {page < last && <Link button to={to({ page: `${page + 1}` })}>Next</Link>}
    </nav>
  );
}

export const pageOf = (query: URLSearchParams) => Math.max(1, Math.floor(Number(query.get("page"))) || 1);

// What to show while there is nothing yet, and that what is there may be old.
export function Waiting({ of }: { of: Pick<Resource<unknown>, "data" | "error" | "since"> }) {
  if (!of.error) return of.data ? null : <p class="loading muted">Loading…</p>;
  if (!of.data) return <p class="banner critical" role="alert">Nothing to show: {of.error}.</p>;
  return <p class="banner critical" role="alert">Cannot reach the agent since {utc(of.since ?? Date.now())}: {of.error}. What is shown may be old.</p>;
}

// What stands before the name of every view in the tab: whose mail is held up.
let trouble = "";
let view = "";
const setTab = () => { document.title = [trouble, view, "danelaw"].filter(Boolean).join(" · "); };
export function announce(what: string) {
  trouble = what;
  setTab();
}

export function Title({ children, of }: { children: ComponentChildren; of: string }) {
  useEffect(() => { view = of; setTab(); }, [of]);
  return <h1>{children}</h1>;
}

// The first line about a domain or an MX host: what happens to mail, since when, at how many domains, and which alert says so.
export function MailNow({ delivery, says, since, alerts, children }: {
  delivery: Delivery; says: string; since: string | null; alerts: Alert[]; children?: ComponentChildren;
}) {
  const open = alerts.filter((one) => one.state === "firing" || one.state === "pending");
  const [first] = open;
  return (
    <div class={`card ${deliveryLook[delivery]} mail`}>
      <p class="lead"><DeliveryMark delivery={delivery} /> {says}{since && <span class="muted"> Since <When at={since} />.</span>}</p>
      {children}
      {first && <p><strong>{first.state === "firing" ? "Alert:" : "Alert, to be confirmed by another look:"}</strong> <Link to={`/alerts#${first.id}`}>{first.title}</Link>{open.length > 1 && <> and {open.length - 1} more</>}</p>}
      {!first && delivery === "held-up" && <p>No alert is open about it yet.</p>}
    </div>
  );
}

export function Copyable({ text, label = "Copy" }: { text: string; label?: string }) {
  const [done, set] = useState(false);
  const copy = () => navigator.clipboard.writeText(text).then(() => { set(true); setTimeout(() => set(false), 2000); }, () => {});
  return (
    <div class="copyable">
      <pre tabIndex={0}>{text}</pre>
      {isSecureContext && <button type="button" onClick={copy}>{done ? "Copied" : label}</button>}
    </div>
  );
}

// A button whose action takes a while and may fail.
export function Act({ label, busy = "One moment…", run, disabled }: { label: string; busy?: string; run: () => Promise<unknown>; disabled?: boolean }) {
  const [state, set] = useState<{ isBusy: boolean; fault: string | null }>({ isBusy: false, fault: null });
  const act = () => {
    set({ isBusy: true, fault: null });
    run().then(() => set({ isBusy: false, fault: null }), (reason: Error) => set({ isBusy: false, fault: reason.message }));
  };
  return (
    <>
      <button type="button" disabled={disabled || state.isBusy} onClick={act}>{state.isBusy ? busy : label}</button>
      {state.fault && <span class="fault" role="alert"> {state.fault}</span>}
    </>
  );
}

export function Evidence({ evidence }: { evidence: Finding["evidence"] }) {
  const rows = Object.entries(evidence);
  if (rows.length === 0) return null;
  return (
    <details><summary>Evidence</summary>
      <dl class="evidence">
        {rows.map(([name, value]) => (
          <div key={name}><dt>{name}</dt><dd>{[value].flat().map((one) => <div key={one}><code>{one}</code></div>)}</dd></div>
        ))}
      </dl>
    </details>
  );
}

// Text of ours in which `backticks` set commands apart.
export function Prose({ text }: { text: string }) {
  return <>{text.split("`").map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}</>;
}

export function Explanation({ finding }: { finding: Finding }) {
  return (
    <>
      <p><Prose text={finding.explanation} /></p>
      {finding.senders_now && <p><strong>Senders now:</strong> <Prose text={finding.senders_now} /></p>}
      {finding.fix.length > 0 && <><p class="label">What to do</p><ol>{finding.fix.map((step) => <li key={step}><Prose text={step} /></li>)}</ol></>}
      <Evidence evidence={finding.evidence} />
      <p class="muted"><a href={`/findings/${finding.code}`}><code>{finding.code}</code></a>{finding.references.map((one) => ` · ${one}`)}</p>
    </>
  );
}

// What nobody has to act upon is one line, which opens.
export function FindingCard({ finding }: { finding: Finding }) {
  const look = severityLook(finding.severity);
  const head = <><Mark status={look}>{finding.severity}</Mark> {finding.title}</>;
  if (look === "note") return <details class="card note"><summary>{head}</summary><Explanation finding={finding} /></details>;
  return <article class={`card ${look}`}><h3>{head}</h3><Explanation finding={finding} /></article>;
}
