// Two moments of a domain side by side, as sets.
import { useEffect, useState } from "preact/hooks";

import type { Event, Page } from "./api";
import { domainPath, get } from "./api";
import { elements, subjectWords } from "./facts";
import { TimeField } from "./forms";
import { DomainField } from "./history";
import { withQuery } from "./lists";
import { DomainLink, Mark, Moment, Title } from "./parts";
import { navigate } from "./place";
import { momentOf, rfc3339 } from "./range";
import { eventWords, plural } from "./words";

type State = Map<string, Event>;
const mostPages = 20;

// What was known at a moment: of each subject what was seen first at the latest by then.
async function stateAt(domain: string, at: number, signal: AbortSignal): Promise<State> {
  const state: State = new Map();
  let next: string | null = "";
  for (let page = 0; page < mostPages && next !== null; ++page) {
    const query = new URLSearchParams({ limit: "500", to: rfc3339(at) });
    if (next) query.set("cursor", next);
    const found: Page<Event> = await get<Page<Event>>(`${domainPath(domain)}/history?${query}`, signal);
    for (const event of found.items) {
      const key = `${event.kind} ${event.subject}`;
      if (!state.has(key)) state.set(key, event);
    }
    next = found.next;
  }
  return state;
}

function Side({ event, other, sign }: { event: Event | undefined; other: Event | undefined; sign: "+" | "−" }) {
  if (!event) return <span class="muted">not known</span>;
  const theirs = new Set(other ? elements(other) : []);
  const all = elements(event);
  if (all.length === 0) return <span class="muted">none</span>;
  return (
    <ul class="diff">
      {all.map((one) => {
        const isNew = !theirs.has(one);
        return (
          <li key={one} class={isNew ? (sign === "+" ? "added" : "removed") : undefined}>
            <span class="sign">{isNew ? sign : " "}</span>
            {isNew && <span class="hidden">{sign === "+" ? "added: " : "removed: "}</span>}
            {one}
          </li>
        );
      })}
    </ul>
  );
}

function Compared({ a, b }: { a: State; b: State }) {
  const [isWhole, showAll] = useState(false);
  const keys = [...new Set([...a.keys(), ...b.keys()])].sort();
  const same = (key: string) => {
    const [x, y] = [a.get(key), b.get(key)];
    return x && y && elements(x).join("\n") === elements(y).join("\n");
  };
  const changed = keys.filter((key) => !same(key));
  const shown = isWhole ? keys : changed;
  return (
    <>
      <p role="status">
        <Mark status={changed.length > 0 ? "warning" : "ok"}>
          {changed.length > 0 ? plural(changed.length, "difference") : "no difference"}
        </Mark>{" "}
        in {plural(keys.length, "fact")}{" "}
        <label>
          <input type="checkbox" checked={isWhole} onChange={(event) => showAll(event.currentTarget.checked)} /> show
          what is the same, too
        </label>
      </p>
      {shown.length > 0 && (
        <table class="list sides">
          <caption class="hidden">The two moments</caption>
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col">First</th>
              <th scope="col">Second</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((key) => {
              const [x, y] = [a.get(key), b.get(key)];
              const one = (x ?? y) as Event;
              return (
                <tr key={key}>
                  <th scope="row">
                    {eventWords[one.kind] ?? one.kind}
                    <div class="muted">{subjectWords(one)}</div>
                  </th>
                  <td data-label="First">
                    <Side event={x} other={y} sign="−" />
                  </td>
                  <td data-label="Second">
                    <Side event={y} other={x} sign="+" />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </>
  );
}

export function Diff({ query }: { query: URLSearchParams }) {
  const domain = query.get("domain") ?? "";
  const [opened] = useState(Date.now);
  const a = momentOf(query.get("a")) ?? opened - 86_400_000,
    b = momentOf(query.get("b")) ?? opened;
  const [states, set] = useState<{ a: State; b: State } | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  useEffect(() => {
    if (!domain) return;
    const abort = new AbortController();
    Promise.all([stateAt(domain, a, abort.signal), stateAt(domain, b, abort.signal)]).then(
      ([x, y]) => {
        set({ a: x, b: y });
        setFault(null);
      },
      (reason: Error) => {
        if (!abort.signal.aborted) {
          set(null);
          setFault(reason.message);
        }
      },
    );
    return () => abort.abort();
  }, [domain, a, b]);
  const change = (name: string) => (at: string) =>
    navigate(withQuery("/diff", query, { [name]: at }), { replace: true });
  return (
    <>
      <Title of={domain ? `Two moments of ${domain}` : "Two moments"}>
        Two moments
        {domain && (
          <>
            {" "}
            of <DomainLink name={domain} />
          </>
        )}
      </Title>
      <DomainField query={query} path="/diff" />
      {domain && (
        <>
          <div class="filters">
            <TimeField label="First" value={rfc3339(a)} onChange={change("a")} />
            <TimeField label="Second" value={rfc3339(b)} onChange={change("b")} />
          </div>
          <p class="muted">
            What was known at <Moment at={rfc3339(a)} /> and at <Moment at={rfc3339(b)} />.
          </p>
          {fault && (
            <p class="banner critical" role="alert">
              Nothing to show: {fault}.
            </p>
          )}
          {!states && !fault && <p class="loading muted">Loading…</p>}
          {states && <Compared a={states.a} b={states.b} />}
        </>
      )}
      {!domain && <p>Name a watched domain to see what was known of it at two moments.</p>}
    </>
  );
}
