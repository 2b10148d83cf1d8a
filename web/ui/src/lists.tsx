// What lists have in common: filters in the address, pages, counts, names that may be thousands.
import { useState } from "preact/hooks";

import type { FindingPage, Page } from "./api";
import { get } from "./api";
import type { Resource } from "./live";
import { useResource } from "./live";
import { useGroups } from "./me";
import { DomainLink, Link } from "./parts";

// The address with some parameters of the query changed; empty ones go.
export function withQuery(path: string, query: URLSearchParams, changes: Record<string, string>): string {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value) next.set(name, value);
    else next.delete(name);
  }
  const text = next.toString();
  return text ? `${path}?${text}` : path;
}

// One of the filters of a list; "" is all.
export function Choice({
  label,
  value,
  all,
  onChange,
}: {
  label: string;
  value: string;
  all: [string, string][];
  onChange: (value: string) => void;
}) {
  return (
    <label>
      {label}{" "}
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">all</option>
        {all.map(([one, name]) => (
          <option key={one} value={one}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

export function GroupChoice({ value, onChange }: { value: string; onChange: (group: string) => void }) {
  const groups = useGroups();
  if (groups.length === 0) return null;
  return <Choice label="Group" value={value} all={groups.map((one) => [one, one])} onChange={onChange} />;
}

const never = () => false;

// One of the codes that are found anywhere now; a link may ask for several, which are one trouble.
export function FindingChoice({ value, onChange }: { value: string; onChange: (code: string) => void }) {
  const { data } = useResource<FindingPage>("/api/v1/findings?limit=1", never);
  const codes = [...new Set([...(data?.codes ?? []), value])].filter(Boolean).sort();
  return (
    <Choice
      label="Finding"
      value={value}
      all={codes.map((one) => [one, one.replaceAll(",", ", ")])}
      onChange={onChange}
    />
  );
}

// A list that is followed, newest first, with its older pages behind it. What is new moves the first page on, over the second:
// `nameOf` tells one item from another.
export function useOlder<T>(path: string | null, found: Resource<Page<T>>, nameOf: (one: T) => string) {
  const [older, set] = useState<{ path: string | null; items: T[]; next: string | null } | null>(null);
  const mine = older?.path === path ? older : null;
  const both = [...(found.data?.items ?? []), ...(mine?.items ?? [])];
  const next = mine ? mine.next : (found.data?.next ?? null);
  const more = () =>
    get<Page<T>>(`${path}&cursor=${next}`).then((page) =>
      set({ path, items: [...(mine?.items ?? []), ...page.items], next: page.next }),
    );
  return { items: [...new Map(both.map((one) => [nameOf(one), one])).values()], next, more };
}

export const Older = ({ next, more }: { next: string | null; more: () => void }) =>
  next && (
    <p>
      <button type="button" onClick={more}>
        Older
      </button>
    </p>
  );

// The way through a list that the server gives in pages; `to` makes the address of one.
export function Pages({
  page,
  total,
  size,
  to,
}: {
  page: number;
  total: number;
  size: number;
  to: (changes: { page: string }) => string;
}) {
  const last = Math.ceil(total / size);
  if (last <= 1) return null;
  return (
    <nav class="pages" aria-label="Pages">
      {page > 1 && (
        <Link button to={to({ page: page > 2 ? `${page - 1}` : "" })}>
          Previous
        </Link>
      )}
      <span>
        Page {page} of {last}
      </span>
      {page < last && (
        <Link button to={to({ page: `${page + 1}` })}>
          Next
        </Link>
      )}
    </nav>
  );
}

export const pageOf = (query: URLSearchParams) => Math.max(1, Math.floor(Number(query.get("page"))) || 1);

// How much a list has; that it is another list's while this one is fetched.
export const Loaded = ({ of, says }: { of: Pick<Resource<unknown>, "data" | "isLoading">; says: string }) => (
  <span role="status" class={of.isLoading ? "loading" : undefined}>
    {of.isLoading ? "Loading…" : of.data ? says : ""}
  </span>
);

// What is listed, all of it, for a spreadsheet.
export function Download({ path, query }: { path: string; query: URLSearchParams }) {
  const all = new URLSearchParams(query);
  for (const name of ["limit", "cursor"]) all.delete(name);
  all.set("format", "csv");
  return (
    <a href={`${path}?${all}`} download>
      CSV
    </a>
  );
}

// A list of names: the first ones as links; all of them, which may be thousands, as one text. `count`: where more are meant
// than are given.
export function Names({
  names,
  count = names.length,
  most = 12,
  all,
}: {
  names: string[];
  count?: number;
  most?: number; // that are links
  all?: string; // address of a list of them
}) {
  const [isWhole, show] = useState(false);
  const shown = names.slice(0, most);
  const rest = count - shown.length;
  return (
    <>
      {shown.map((name, index) => (
        <span key={name}>
          {index > 0 && ", "}
          <DomainLink name={name} />
        </span>
      ))}
      {rest > 0 && " "}
      {rest > 0 &&
        (all ? (
          <Link to={all}>and {rest} more</Link>
        ) : names.length < count ? (
          `and ${rest} more`
        ) : (
          <button type="button" class="quiet" aria-expanded={isWhole} onClick={() => show(!isWhole)}>
            and {rest} more
          </button>
        ))}
      {isWhole && (
        <pre class="names" tabIndex={0}>
          {names.join("\n")}
        </pre>
      )}
    </>
  );
}
