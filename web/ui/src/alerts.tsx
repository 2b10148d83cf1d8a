import { AlertCard } from "./alert_card";
import type { Alert, AlertPage } from "./api";
import { Choice, Download, GroupChoice, Loaded, Pages, pageOf, withQuery } from "./lists";
import { useResource } from "./live";
import { Title, Waiting } from "./parts";
import { navigate } from "./place";
import { plural, roleChoices, severities } from "./words";

const sections: [Alert["state"][], string][] = [
  [["firing"], "Firing"],
  [["pending"], "To be confirmed"],
  [["resolved", "passed"], "Over"],
];
const pageSize = 16; // cards have many parts
const fewCards = 3; // more of them hide each other: then each is a line

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
  const page = pageOf(query);
  const wanted = new URLSearchParams({ limit: `${pageSize}` });
  for (const name of ["q", "severity", "code", "role", "group"]) if (of(name)) wanted.set(name, of(name));
  const asked = sections.find(([states]) => states.includes(of("state") as Alert["state"]));
  if (asked) wanted.set("state", asked[0].join(","));
  if (page > 1) wanted.set("cursor", `${(page - 1) * pageSize}`);
  const found = useResource<AlertPage>(`/api/v1/alerts?${wanted}`, (kind) => kind === "alert" || kind === "silence");
  const { data } = found;
  const hash = decodeURIComponent(location.hash.slice(1));
  const target = hash.includes(".") ? hash : ""; // ids have a dot; #main has none
  const codes = [...new Set([...(data?.codes ?? []), of("code")])].filter(Boolean).sort();
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
        <Loaded of={found} says={plural(data?.total ?? 0, "alert")} />
        <Download path="/api/v1/alerts" query={wanted} />
      </form>
      {data &&
        sections.map(([states, title]) => {
          const count = states.reduce((sum, state) => sum + (data.states[state] ?? 0), 0);
          const mine = data.items.filter((alert) => states.includes(alert.state));
          if (asked && asked[1] !== title) return null;
          if (mine.length === 0 && count > 0) return null; // on another page
          return (
            <section key={title} aria-label={title}>
              <h2>
                {title} <span class="count">{count}</span>
              </h2>
              {count === 0 && <p>None.</p>}
              {mine
                .filter((alert) => alert.id !== target)
                .map((alert) => (
                  <AlertCard
                    key={alert.id}
                    alert={alert}
                    isOpen={false}
                    isFolded={data.items.length > fewCards}
                    again={found.again}
                  />
                ))}
            </section>
          );
        })}
      <Pages page={page} total={data?.total ?? 0} size={pageSize} to={to} />
    </>
  );
}
