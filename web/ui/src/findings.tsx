// What is found now, by cause: one row however many domains share it.
import type { Cause, FindingItem, FindingPage } from "./api";
import { Choice, Download, GroupChoice, Loaded, Pages, pageOf, withQuery } from "./lists";
import { useResource } from "./live";
import { DomainLink, HostLink, Link, Mark, Title, Waiting, When } from "./parts";
import { navigate } from "./place";
import { plural, roleChoices, severities, severityLook, verdictWords } from "./words";

const pageSize = 50;

const isCause = (one: Cause | FindingItem): one is Cause => "domains_count" in one;

const kindWords: Record<string, string> = { host: "MX host", owner: "name", monitor: "check" };
const following = (titles: string[]) => `From it ${titles.length === 1 ? "follows" : "follow"}: ${titles.join("; ")}.`;

function Where({ one }: { one: Cause | FindingItem }) {
  if (!isCause(one)) return <DomainLink name={one.domain} />;
  const { kind, name } = one.subject;
  if (one.subjects_count > 1) return <span>{plural(one.subjects_count, kindWords[kind] ?? kind)}</span>;
  return kind === "host" ? (
    <HostLink name={name} />
  ) : kind === "domain" ? (
    <DomainLink name={name} />
  ) : (
    <span>{name}</span>
  );
}

function Affected({ one, query }: { one: Cause | FindingItem; query: URLSearchParams }) {
  if (!isCause(one)) return <span>1</span>;
  const of = new URLSearchParams({ code: one.codes.join(",") });
  for (const name of ["role", "group", "verdict"]) if (query.get(name)) of.set(name, query.get(name) ?? "");
  if (one.subject.kind === "host" && one.subjects_count === 1) of.set("mx", one.subject.name);
  const [first] = one.domains;
  return one.domains_count === 1 && first ? (
    <DomainLink name={first} />
  ) : (
    <Link to={`/domains?${of}`}>{plural(one.domains_count, "domain")}</Link>
  );
}

export function Findings({ query }: { query: URLSearchParams }) {
  const of = (name: string) => query.get(name) ?? "";
  const page = pageOf(query);
  const wanted = new URLSearchParams({ limit: `${pageSize}`, cursor: `${(page - 1) * pageSize}` });
  if (!of("domain")) wanted.set("group_by", "cause");
  for (const name of ["code", "severity", "domain", "verdict", "role", "group"])
    if (of(name)) wanted.set(name, of(name));
  const found = useResource<FindingPage>(`/api/v1/findings?${wanted}`, (kind) => kind === "domain", 3000);
  const { data } = found;
  const to = (changes: Record<string, string>) => withQuery("/findings", query, { page: "", ...changes });
  const go = (name: string) => (value: string) => navigate(to({ [name]: value }));
  const codes = [...new Set([...(data?.codes ?? []), of("code")])].filter(Boolean).sort();
  const [first] = data?.items ?? [];
  return (
    <>
      <Title of="Findings">Findings</Title>
      <Waiting of={found} />
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <Choice
          label="Severity"
          value={of("severity")}
          all={severities.map((one) => [one, one])}
          onChange={go("severity")}
        />
        <Choice label="Code" value={of("code")} all={codes.map((one) => [one, one])} onChange={go("code")} />
        <Choice label="Verdict" value={of("verdict")} all={Object.entries(verdictWords)} onChange={go("verdict")} />
        <Choice label="Whose" value={of("role")} all={roleChoices} onChange={go("role")} />
        <GroupChoice value={of("group")} onChange={go("group")} />
        {of("domain") && (
          <span>
            of {of("domain")} <Link to={to({ domain: "" })}>of all</Link>
          </span>
        )}
        <Loaded of={found} says={plural(data?.total ?? 0, first && isCause(first) ? "cause" : "finding")} />
        <Download path="/api/v1/findings" query={wanted} />
      </form>
      {data && (
        <table class="list">
          <caption class="hidden">What is found now</caption>
          <thead>
            <tr>
              <th scope="col">Severity</th>
              <th scope="col">Where</th>
              <th scope="col">Finding</th>
              <th scope="col">Domains</th>
              <th scope="col">Since</th>
              <th scope="col">Code</th>
            </tr>
          </thead>
          <tbody>
            {data.items.map((one, index) => (
              <tr key={`${one.code}${one.subject.name}${index}`} class={one.last_known ? "stale" : undefined}>
                <td>
                  <Mark status={severityLook(one.severity)}>{one.severity}</Mark>
                </td>
                <th scope="row">
                  <Where one={one} />
                </th>
                <td>
                  {one.title}
                  {one.last_known && (
                    <div class="muted">
                      last known, <When at={one.last_known.observed_at} />
                    </div>
                  )}
                  {isCause(one) && one.consequences.length > 0 && (
                    <div class="muted">{following(one.consequence_titles)}</div>
                  )}
                </td>
                <td class="number" data-label="Domains">
                  <Affected one={one} query={query} />
                </td>
                <td data-label="Since">{one.since && <When at={one.since} />}</td>
                <td>
                  <a href={`/findings/${one.code}`}>
                    <code>{one.code}</code>
                  </a>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Pages page={page} total={data?.total ?? 0} size={pageSize} to={to} />
    </>
  );
}
