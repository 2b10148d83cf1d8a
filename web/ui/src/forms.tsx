// Parts of the forms by which people ask for something with an end.
import { useEffect, useState } from "preact/hooks";

import type { Covered } from "./api";
import { useMe } from "./me";
import { Link, Mark } from "./parts";
import { plural, severities, severityLook } from "./words";

// Without a login the name is what the browser remembers.
export const rememberedName = () => localStorage.getItem("name") ?? "";
export const rememberName = (name: string) => localStorage.setItem("name", name);

// Who asks: the name of the login, which nobody types. Only an agent without logins takes a name for what it is worth.
export function NameField({ value, onChange }: { value: string; onChange: (name: string) => void }) {
  const me = useMe();
  if (me.login !== "none") return null;
  return (
    <label>
      Your name <input value={value} onInput={(event) => onChange(event.currentTarget.value)} />
    </label>
  );
}

const spans: [number, string][] = [
  [1, "1 hour"],
  [4, "4 hours"],
  [24, "1 day"],
  [168, "7 days"],
];

export const inHours = (hours: number, from = Date.now()) =>
  `${new Date(from + hours * 3_600_000).toISOString().slice(0, 19)}Z`;

// How long something lasts; `open` names the choice without an end, if there is one.
export function Lasting({
  label,
  open,
  onChange,
}: {
  label: string;
  open?: string;
  onChange: (until: string | null) => void;
}) {
  return (
    <label>
      {label}{" "}
      <select
        defaultValue={open ? "" : "1"}
        onChange={(event) => onChange(event.currentTarget.value ? inHours(Number(event.currentTarget.value)) : null)}
      >
        {open && <option value="">{open}</option>}
        {spans.map(([hours, name]) => (
          <option key={hours} value={hours}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

const shownTime = (at: string) => at.slice(0, at.endsWith(":00Z") ? 16 : 19).replace("T", " ");
function readTime(text: string): string | null {
  const [, day, hour] = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d)?)Z?$/.exec(text.trim()) ?? [];
  const time = Date.parse(`${day}T${hour}Z`);
  return Number.isNaN(time) ? null : `${new Date(time).toISOString().slice(0, 19)}Z`;
}

// A time in UTC as everywhere on the page, not as the browser's country writes it. Tells when it can be read.
export function TimeField({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string;
  onChange: (at: string) => void;
}) {
  const [text, set] = useState(shownTime(value));
  useEffect(() => {
    if ((readTime(text) ?? "") !== value) set(shownTime(value));
  }, [value]);
  const change = (next: string) => {
    set(next);
    const at = readTime(next);
    if (at) onChange(at);
  };
  return (
    <label>
      {label} (UTC){" "}
      <input
        class="time"
        value={text}
        placeholder="2026-01-31 23:59"
        aria-invalid={text !== "" && readTime(text) === null}
        onInput={(event) => change(event.currentTarget.value)}
      />
    </label>
  );
}

// The open alerts that a silence would cover.
export function Preview({ items }: { items: Covered[] }) {
  if (items.length === 0) return <p>It covers none of the alerts that are open now.</p>;
  return (
    <>
      <p>It covers {plural(items.length, "open alert")}:</p>
      <ul class="plain">
        {[...items]
          .sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity))
          .map((one) => (
            <li key={one.id}>
              <Mark status={severityLook(one.severity)}>{one.severity}</Mark>{" "}
              <Link to={`/alerts#${one.id}`}>{one.title}</Link>
              {one.covered < one.of && ` — in part: ${one.covered} of ${one.of} domains, so people are still notified`}
            </li>
          ))}
      </ul>
    </>
  );
}
