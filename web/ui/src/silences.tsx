import { useEffect, useState } from "preact/hooks";

import type { Alert, Covered, Matcher, Page, Silence, WantedSilence } from "./api";
import { post, remove } from "./api";
import { inHours, NameField, Preview, rememberedName, rememberName, TimeField } from "./forms";
import { useResource } from "./live";
import { useMayAct } from "./me";
import { Act, Link, Mark, Moment, Title, Waiting, When } from "./parts";
import { navigate } from "./place";

const labels = ["mx", "domain", "code", "severity", "direction", "group", "owner", "zone", "check", "alertname"];
const kindLabels: Record<string, string> = {
  host: "mx",
  domain: "domain",
  owner: "owner",
  zone: "zone",
  monitor: "check",
};
const relations: [string, string][] = [
  ["=", "is"],
  ["!=", "is not"],
  ["=~", "matches"],
  ["!~", "does not match"],
];

// Matchers stand in the address as ?m=mx=mx.example.org, with Alertmanager's operators.
const relationOf = (one: Matcher) => `${one.is_equal ? (one.is_regex ? "=" : "") : "!"}${one.is_regex ? "~" : "="}`;
const textOf = (one: Matcher) => `${one.name}${relationOf(one)}${one.value}`;
function parsed(text: string): Matcher {
  const [, name = "", relation = "=", value = ""] = /^(\w*)(=~|!~|!=|=)(.*)$/s.exec(text) ?? [];
  return { name, value, is_regex: relation.endsWith("~"), is_equal: !relation.startsWith("!") };
}

export function matchersOf(alert: Alert): Matcher[] {
  const plain = (name: string, value: string): Matcher => ({ name, value, is_regex: false, is_equal: true });
  return [plain("code", alert.code), plain(kindLabels[alert.subject.kind] ?? "mx", alert.subject.name)];
}
export const silenceLink = (matchers: Matcher[]) =>
  `/silences?${new URLSearchParams(matchers.map((one) => ["m", textOf(one)]))}`;

// What `wanted` would cover, asked a moment after the last change; or what is wrong with it.
export function usePreview(wanted: WantedSilence | null): { items: Covered[] | null; fault: string | null } {
  const [state, set] = useState<{ items: Covered[] | null; fault: string | null }>({ items: null, fault: null });
  const text = wanted && JSON.stringify(wanted);
  useEffect(() => {
    if (!text) {
      set({ items: null, fault: null });
      return;
    }
    const timer = setTimeout(() => {
      post<Page<Covered>>("/api/v1/silences/preview", JSON.parse(text)).then(
        ({ items }) => set({ items, fault: null }),
        (reason: Error) => set({ items: null, fault: reason.message }),
      );
    }, 300);
    return () => clearTimeout(timer);
  }, [text]);
  return state;
}

function MatcherFields({
  matcher,
  index,
  onChange,
  onRemove,
}: {
  matcher: Matcher;
  index: number;
  onChange: (one: Matcher) => void;
  onRemove: (() => void) | null;
}) {
  const relate = (relation: string) =>
    onChange({ ...matcher, is_regex: relation.endsWith("~"), is_equal: !relation.startsWith("!") });
  return (
    <div class="matcher">
      <select
        aria-label={`Label ${index + 1}`}
        value={matcher.name}
        onChange={(event) => onChange({ ...matcher, name: event.currentTarget.value })}
      >
        {labels.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
      <select
        aria-label={`Relation ${index + 1}`}
        value={relationOf(matcher)}
        onChange={(event) => relate(event.currentTarget.value)}
      >
        {relations.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
      <input
        aria-label={`Value ${index + 1}`}
        value={matcher.value}
        onInput={(event) => onChange({ ...matcher, value: event.currentTarget.value })}
      />
      {onRemove && (
        <button type="button" aria-label={`Remove matcher ${index + 1}`} onClick={onRemove}>
          −
        </button>
      )}
    </div>
  );
}

function NewSilence({ query, done }: { query: URLSearchParams; done: () => void }) {
  const given = query.getAll("m").map(parsed);
  const matchers = given.length > 0 ? given : [parsed("mx=")];
  const [ends, setEnds] = useState(() => inHours(4));
  const [by, setBy] = useState(rememberedName);
  const [comment, setComment] = useState("");
  const change = (next: Matcher[]) => navigate(silenceLink(next), { replace: true });
  const replaced = (index: number, one: Matcher | null) =>
    matchers.flatMap((old, at) => (at === index ? (one ? [one] : []) : [old]));
  const isWhole = matchers.every((one) => one.name && one.value);
  const wanted = { matchers, ends_at: ends, created_by: by, comment };
  const preview = usePreview(isWhole ? { matchers, ends_at: ends, created_by: "", comment: "" } : null);
  const run = () => {
    rememberName(by);
    return post<Silence>("/api/v1/silences", wanted).then(() => {
      navigate("/silences", { replace: true });
      setComment("");
      done();
    });
  };
  return (
    <form class="wish" onSubmit={(event) => event.preventDefault()} aria-label="New silence">
      <fieldset>
        <legend>Silence alerts of which all of this is true</legend>
        {matchers.map((one, index) => (
          <MatcherFields
            key={index}
            matcher={one}
            index={index}
            onChange={(next) => change(replaced(index, next))}
            onRemove={matchers.length > 1 ? () => change(replaced(index, null)) : null}
          />
        ))}
        <button type="button" onClick={() => change([...matchers, parsed("domain=")])}>
          Add a condition
        </button>
      </fieldset>
      <TimeField label="Expires at" value={ends} onChange={setEnds} />
      <NameField value={by} onChange={setBy} />
      <label>
        Comment <input value={comment} onInput={(event) => setComment(event.currentTarget.value)} />
      </label>
      <div class="preview" role="status">
        {!isWhole && <p class="muted">Fill in each value to see what it covers.</p>}
        {preview.fault && <p class="fault">{preview.fault}</p>}
        {isWhole && preview.items && <Preview items={preview.items} />}
      </div>
      <p>
        <Act label="Silence" disabled={!isWhole || preview.fault !== null} run={run} />
      </p>
    </form>
  );
}

function SilenceRow({ silence, again }: { silence: Silence; again: () => void }) {
  const mayAct = useMayAct();
  return (
    <tr>
      <td>
        <Mark status={silence.state === "active" ? "warning" : "note"}>{silence.state}</Mark>
      </td>
      <td>
        {silence.matchers.map((one) => (
          <div key={textOf(one)}>
            <code>{textOf(one)}</code>
          </div>
        ))}
        {silence.expected_key && (
          <div>
            planned rollover to the key <code>{silence.expected_key}</code>
          </div>
        )}
      </td>
      <td data-label="Since">
        <When at={silence.starts_at} />
      </td>
      <td data-label="Expires">
        <When at={silence.ends_at} />{" "}
        <span class="muted">
          <Moment at={silence.ends_at} short />
        </span>
      </td>
      <td>{[silence.created_by, silence.comment].filter(Boolean).join(": ")}</td>
      <td>
        {silence.state !== "ended" && mayAct && (
          <Act label="End it" run={() => remove(`/api/v1/silences/${encodeURIComponent(silence.id)}`).then(again)} />
        )}
      </td>
    </tr>
  );
}

export function Silences({ query }: { query: URLSearchParams }) {
  const mayAct = useMayAct();
  const found = useResource<Page<Silence>>("/api/v1/silences", (kind) => kind === "silence");
  const items = [...(found.data?.items ?? [])].sort(
    (a, b) => Number(a.state === "ended") - Number(b.state === "ended"),
  );
  return (
    <>
      <Title of="Silences">Silences</Title>
      <Waiting of={found} />
      <p>
        Nobody is notified of alerts that a silence covers. For a change of key <Link to="/plan">plan a rollover</Link>:
        that is silent about the expected key only.
      </p>
      {found.data && items.length === 0 && <p>None.</p>}
      {items.length > 0 && (
        <table class="list">
          <caption class="hidden">Silences</caption>
          <thead>
            <tr>
              <th scope="col">State</th>
              <th scope="col">Covers</th>
              <th scope="col">Since</th>
              <th scope="col">Expires</th>
              <th scope="col">Why</th>
              <th scope="col">
                <span class="hidden">Action</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map((one) => (
              <SilenceRow key={one.id} silence={one} again={found.again} />
            ))}
          </tbody>
        </table>
      )}
      {mayAct && (
        <>
          <h2>New silence</h2>
          <NewSilence query={query} done={found.again} />
        </>
      )}
    </>
  );
}
