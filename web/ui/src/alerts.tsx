import { AlertCard } from "./alert_card";
import type { Alert, Page } from "./api";
import { Choice, Download, GroupChoice, Pages, pageOf, withQuery } from "./lists";
import { useResource } from "./live";
import { Title, Waiting } from "./parts";
import { navigate } from "./place";
import { plural, roleChoices, severities } from "./words";

const sections: [Alert["state"][], string][] = [
  [["firing"], "Firing"],
  [["pending"], "To be confirmed"],
  [["resolved", "passed"], "Over"],
];
const pageSize = 27; // cards have many parts
const mostAlerts = 500; // that the API gives

// The alert that a link leads to stands first, open, wherever it is in the list.
function Target({ id, again }: { id: string; again: () => void }) {
  const found = useResource<Alert>(`/api/v1/alerts/${encodeURIComponent(id)}`, (kind) => kind === "alert");
  return (
    <>
      <Waiting of={found} />
      {found.data && (
        <AlertCard
          alert={found.data}
          isOpen
          again={() => {
            found.again();
            again();
          }}
        />
      )}
    </>
  );
}

export function Alerts({ query }: { query: URLSearchParams }) {
  const of = (name: string) => query.get(name) ?? "";
  const filter = new URLSearchParams();
  if (of("group")) filter.set("group", of("group"));
  const path = of("group") ? `/api/v1/alerts?${filter}` : "/api/v1/alerts";
  const found = useResource<Page<Alert>>(path, (kind) => kind === "alert" || kind === "silence");
  const csv = new URLSearchParams(filter);
  for (const name of ["state", "severity", "code", "role"]) if (of(name)) csv.set(name, of(name));
  const hash = decodeURIComponent(location.hash.slice(1));
  const target = hash.includes(".") ? hash : ""; // ids have a dot; #main has none
  const wanted = found.data?.items.filter(
    (alert) =>
      alert.id !== target &&
      (!of("severity") || alert.severity === of("severity")) &&
      (!of("code") || alert.code === of("code")) &&
      (!of("role") || alert.direction === of("role")) &&
      `${alert.title} ${alert.code} ${alert.subject.name} ${alert.domains.join(" ")}`
        .toLowerCase()
        .includes(of("q").toLowerCase()),
  );
  const codes = [...new Set([...(found.data?.items.map((one) => one.code) ?? []), of("code")])].filter(Boolean).sort();
  const shown = sections
    .filter(([states]) => !of("state") || states.includes(of("state") as Alert["state"]))
    .map(([states, title]) => ({ title, items: wanted?.filter((alert) => states.includes(alert.state)) ?? [] }));
  const page = pageOf(query);
  const inPage = new Set(shown.flatMap((section) => section.items).slice((page - 1) * pageSize, page * pageSize));
  const total = shown.reduce((sum, section) => sum + section.items.length, 0);
  const to = (changes: Record<string, string>) => withQuery("/alerts", query, { page: "", ...changes });
  const change = (changes: Record<string, string>) => navigate(to(changes), { replace: true });
  return (
    <>
      <Title of="Alerts">Alerts</Title>
      {target && <Target key={target} id={target} again={found.again} />}
      <Waiting of={found} />
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          Search <input type="search" value={of("q")} onInput={(event) => change({ q: event.currentTarget.value })} />
        </label>
        <Choice
          label="State"
          value={of("state")}
          all={[
            ["firing", "firing"],
            ["pending", "to be confirmed"],
            ["resolved", "over"],
          ]}
          onChange={(state) => change({ state })}
        />
        <Choice
          label="Severity"
          value={of("severity")}
          all={severities.map((one) => [one, one])}
          onChange={(severity) => change({ severity })}
        />
        <Choice
          label="Code"
          value={of("code")}
          all={codes.map((one) => [one, one])}
          onChange={(code) => change({ code })}
        />
        <Choice label="Whose" value={of("role")} all={roleChoices} onChange={(role) => change({ role })} />
        <GroupChoice value={of("group")} onChange={(group) => change({ group })} />
        {wanted && <span role="status">{plural(total, "alert")}</span>}
        <Download path="/api/v1/alerts" query={csv} />
      </form>
      {found.data && found.data.items.length >= mostAlerts && (
        <p class="muted">These are the {mostAlerts} that matter most; there are more.</p>
      )}
      {wanted &&
        shown.map(({ title, items }) => {
          const mine = items.filter((alert) => inPage.has(alert));
          if (mine.length === 0 && items.length > 0) return null; // on another page
          return (
            <section key={title} aria-label={title}>
              <h2>
                {title} <span class="count">{items.length}</span>
              </h2>
              {items.length === 0 && <p>None.</p>}
              {mine.map((alert) => (
                <AlertCard key={alert.id} alert={alert} isOpen={false} again={found.again} />
              ))}
            </section>
          );
        })}
      <Pages page={page} total={total} size={pageSize} to={to} />
    </>
  );
}
