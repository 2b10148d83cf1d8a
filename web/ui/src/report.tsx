// How mail fared over a month: the report of `danelaw report`, with the ways to have it elsewhere.

import type { Report } from "./api";
import { Choice, GroupChoice, Loaded, Pages, pageOf, withQuery } from "./lists";
import { useResource } from "./live";
import { DomainLink, Title, Waiting } from "./parts";
import { navigate } from "./place";
import { plural, roleChoices, utc } from "./words";

const pageSize = 50;
const times = ["authenticated", "refused", "open", "no_mail", "unknown", "unwatched"] as const;
const words = (name: string) => name.replace("_", " ");
const minutes = (seconds: number) => Math.round(seconds / 60).toLocaleString("en");

// The running month and a year before it, in UTC.
const months = () => {
  const now = new Date();
  return Array.from({ length: 13 }, (_, back) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back)).toISOString().slice(0, 7),
  );
};

const Cells = ({ of }: { of: Report["total"]["seconds"] }) => (
  <>
    {times.map((name) => (
      <td key={name} class="number" data-label={words(name)}>
        {minutes(of[name])}
      </td>
    ))}
  </>
);

export function ReportView({ query }: { query: URLSearchParams }) {
  const of = (name: string) => query.get(name) ?? "";
  const known = months();
  const month = of("month") || (known[1] ?? "");
  const wanted = new URLSearchParams({ month });
  for (const name of ["role", "group"]) if (of(name)) wanted.set(name, of(name));
  const path = `/api/v1/report?${wanted}`;
  const found = useResource<Report>(path, () => false, 600_000); // of months, and long to make
  const { data } = found;
  const to = (changes: Record<string, string>) => withQuery("/report", query, { page: "", ...changes });
  const go = (name: string) => (value: string) => navigate(to({ [name]: value }));
  const page = pageOf(query);
  const all = data?.domains ?? [];
  return (
    <>
      <Title of="Report">Report</Title>
      <Waiting of={found} />
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          Month{" "}
          <select value={month} onChange={(event) => go("month")(event.currentTarget.value)}>
            {[...new Set([...known, month])].map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <Choice label="Whose" value={of("role")} all={roleChoices} onChange={go("role")} />
        <GroupChoice value={of("group")} onChange={go("group")} />
        <Loaded of={found} says={plural(all.length, "domain")} />
        <a href={`${path}&format=html`}>To print</a>
        <a href={`${path}&format=text`}>Text</a>
        <a href={`${path}&format=csv`} download>
          CSV
        </a>
        <a href={path}>JSON</a>
      </form>
      {data && (
        <table class="list">
          <caption>
            Minutes from {utc(data.from, true)} to {utc(data.until, true)}
          </caption>
          <thead>
            <tr>
              <th scope="col">Domain</th>
              {times.map((name) => (
                <th key={name} scope="col">
                  {words(name)}
                </th>
              ))}
              <th scope="col">Episodes</th>
            </tr>
          </thead>
          <tbody>
            <tr>
              <th scope="row">all</th>
              <Cells of={data.total.seconds} />
              <td class="number" data-label="Episodes">
                {data.total.episodes}
              </td>
            </tr>
            {all.slice((page - 1) * pageSize, page * pageSize).map((one) => (
              <tr key={one.domain}>
                <th scope="row">
                  <DomainLink name={one.domain} />
                  {one.group && <span class="tag">{one.group}</span>}
                </th>
                <Cells of={one.seconds} />
                <td class="number" data-label="Episodes">
                  {one.episodes.length}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Pages page={page} total={all.length} size={pageSize} to={to} />
    </>
  );
}
