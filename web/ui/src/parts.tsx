// Small pieces that several views use.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import type { Finding, Status, Verdict } from "./api";
import { get } from "./api";
import { ago, severityStatus, verdictStatus, verdictWords } from "./words";

const icons: Record<Status, string> = { ok: "✓", warning: "!", critical: "✕", unknown: "?" };

export function Mark({ status, children }: { status: Status; children: ComponentChildren }) {
  return <span class={`mark ${status}`}><span class="icon" aria-hidden="true">{icons[status]}</span>{children}</span>;
}

export function VerdictMark({ verdict }: { verdict: Verdict | null }) {
  return <Mark status={verdictStatus(verdict)}>{verdict ? verdictWords[verdict] : "not looked at yet"}</Mark>;
}

export function When({ at }: { at: string | null }) {
  if (!at) return <span>never</span>;
  return <time dateTime={at} title={`${at} — ${new Date(at).toLocaleString()} local time`}>{ago(at, Date.now())}</time>;
}

export function navigate(to: string) {
  history.pushState(null, "", to);
  dispatchEvent(new PopStateEvent("popstate"));
}

export function Link({ to, children, current }: { to: string; children: ComponentChildren; current?: boolean }) {
  const follow = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    navigate(to);
  };
  return <a href={to} onClick={follow} aria-current={current ? "page" : undefined}>{children}</a>;
}

// Fetches a resource now, every ten seconds while the page is looked at, and whenever `path` changes. What was there
// stays shown while the agent cannot be reached.
export function useResource<T>(path: string): { data: T | null; error: string | null; since: string | null; again: () => void } {
  const [state, set] = useState<{ path: string; data: T | null; error: string | null; since: string | null }>({ path, data: null, error: null, since: null });
  const [turn, setTurn] = useState(0);
  const latest = useRef(path);
  latest.current = path;
  useEffect(() => {
    const abort = new AbortController();
    const load = () => {
      if (document.hidden) return;
      get<T>(path, abort.signal).then(
        (data) => set({ path, data, error: null, since: null }),
        (reason: Error) => {
          if (abort.signal.aborted) return;
          set((old) => ({ path, data: old.path === path ? old.data : null, error: reason.message, since: old.since ?? new Date().toISOString() }));
        });
    };
    load();
    const timer = setInterval(load, 10_000);
    document.addEventListener("visibilitychange", load);
    return () => { abort.abort(); clearInterval(timer); document.removeEventListener("visibilitychange", load); };
  }, [path, turn]);
  const mine = state.path === path;
  return { data: mine ? state.data : null, error: mine ? state.error : null, since: mine ? state.since : null, again: () => setTurn((n) => n + 1) };
}

export function Trouble({ error, since }: { error: string | null; since: string | null }) {
  if (!error) return null;
  return <p class="banner critical" role="alert">Cannot reach the agent since {since ?? "now"}: {error}. What is shown may be old.</p>;
}

function Evidence({ evidence }: { evidence: Finding["evidence"] }) {
  const rows = Object.entries(evidence);
  if (rows.length === 0) return null;
  return (
    <details><summary>Evidence</summary>
      <div class="scroll"><table><tbody>
        {rows.map(([name, value]) => (
          <tr key={name}><th scope="row">{name}</th><td><code>{Array.isArray(value) ? value.map((one) => <div key={one}>{one}</div>) : value}</code></td></tr>
        ))}
      </tbody></table></div>
    </details>
  );
}

// Text of ours in which `backticks` set commands apart.
function Prose({ text }: { text: string }) {
  return <>{text.split("`").map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}</>;
}

export function FindingCard({ finding, children }: { finding: Finding; children?: ComponentChildren }) {
  return (
    <article class={`card ${severityStatus(finding.severity)}`}>
      <h3><Mark status={severityStatus(finding.severity)}>{finding.severity}</Mark> {finding.title}</h3>
      {children}
      <p><Prose text={finding.explanation} /></p>
      {finding.senders_now && <p><strong>Now:</strong> <Prose text={finding.senders_now} /></p>}
      {finding.fix.length > 0 && <ol>{finding.fix.map((step) => <li key={step}><Prose text={step} /></li>)}</ol>}
      <Evidence evidence={finding.evidence} />
      <p class="muted"><code>{finding.code}</code> · {finding.references.join(", ")}</p>
    </article>
  );
}
