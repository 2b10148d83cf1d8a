// What happened to all domains, newest first: alerts, acts, keys, verdicts, and what danelaw itself went through.

import type { HappeningItem, Page } from "./api";
import { Choice, Download, FindingChoice, GroupChoice, Names, Older, useOlder, withQuery } from "./lists";
import { useResource } from "./live";
import { HostLink, Link, Moment, Waiting } from "./parts";
import { navigate } from "./place";
import { roleChoices, verdictWords } from "./words";

const pageSize = 50;
const kinds: [string, string][] = [
  ["alert", "alerts"],
  ["act", "acts"],
  ["key,records", "keys and records"],
  ["verdict", "verdicts"],
  ["ours", "danelaw itself"],
];
const kindWords: Record<string, string> = {
  alert: "alert",
  act: "act",
  key: "key",
  records: "records",
  verdict: "verdict",
  ours: "danelaw itself",
};

export function Events({ query }: { query: URLSearchParams }) {
  const of = (name: string) => query.get(name) ?? "";
  const wanted = new URLSearchParams({ limit: `${pageSize}` });
  for (const name of ["kind", "verdict", "code", "group", "role", "from", "to"])
    if (of(name)) wanted.set(name, of(name));
  const path = `/api/v1/history?${wanted}`;
  const found = useResource<Page<HappeningItem>>(path, () => true, 5000);
  const { items, next, more } = useOlder(
    path,
    found,
    (one) => `${one.at} ${one.kind} ${one.subject.name} ${one.title}`,
  );
  const go = (name: string) => (value: string) => navigate(withQuery("/history", query, { [name]: value }));
  return (
    <>
      <Waiting of={found} />
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <Choice label="What" value={of("kind")} all={kinds} onChange={go("kind")} />
        <Choice label="Verdict" value={of("verdict")} all={Object.entries(verdictWords)} onChange={go("verdict")} />
        <FindingChoice value={of("code")} onChange={go("code")} />
        <Choice label="Whose" value={of("role")} all={roleChoices} onChange={go("role")} />
        <GroupChoice value={of("group")} onChange={go("group")} />
        <Download path="/api/v1/history" query={wanted} />
      </form>
      {found.data && items.length === 0 && <p>Nothing has happened in that time.</p>}
      {items.length > 0 && (
        <table class="list">
          <caption class="hidden">Events, newest first</caption>
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">What</th>
              <th scope="col">Event</th>
              <th scope="col">Domains</th>
            </tr>
          </thead>
          <tbody>
            {items.map((one, index) => (
              <tr key={`${one.at}${one.kind}${one.subject.name}${index}`}>
                <td>
                  <Moment at={one.at} />
                </td>
                <td>
                  {kindWords[one.kind] ?? one.kind}
                  {one.kind === "alert" && ` ${one.to}`}
                </td>
                <th scope="row">
                  {one.alert ? (
                    <Link to={`/alerts#${one.alert}`}>{one.title}</Link>
                  ) : one.subject.kind === "host" ? (
                    <>
                      <HostLink name={one.subject.name} />: {one.title}
                    </>
                  ) : (
                    one.title
                  )}
                </th>
                <td data-label="Domains">
                  <Names names={one.domains.slice(0, 3)} count={one.domains_count} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Older next={next} more={more} />
    </>
  );
}
