import type { FindingItem, Page } from "./api";
import { useResource } from "./live";
import { DomainLink, Link, Mark, navigate, pageOf, Pages, Title, Waiting, withQuery } from "./parts";
import { plural, severities, severityLook } from "./words";

const pageSize = 100;

export function Findings({ query }: { query: URLSearchParams }) {
  const of = (name: string) => query.get(name) ?? "";
  const page = pageOf(query);
  const wanted = new URLSearchParams({ code: of("code"), severity: of("severity"), domain: of("domain"), limit: `${pageSize}`, cursor: `${(page - 1) * pageSize}` });
  const found = useResource<Page<FindingItem>>(`/api/v1/findings?${wanted}`, (kind) => kind === "domain", 3000);
  const { data } = found;
  const to = (changes: Record<string, string>) => withQuery("/findings", query, { page: "", ...changes });
  const codes = [...new Set([...(data?.items.map((one) => one.code) ?? []), ...(of("code") ? [of("code")] : [])])].sort();
  return (
    <>
      <Title of="Findings">Findings</Title>
      <Waiting of={found} />
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label>Severity <select value={of("severity")} onChange={(event) => navigate(to({ severity: event.currentTarget.value }))}>
          <option value="">all</option>{severities.map((one) => <option key={one} value={one}>{one}</option>)}
        </select></label>
        <label>Code <select value={of("code")} onChange={(event) => navigate(to({ code: event.currentTarget.value }))}>
          <option value="">all</option>{codes.map((one) => <option key={one} value={one}>{one}</option>)}
        </select></label>
        {of("domain") && <span>of {of("domain")} <Link to={to({ domain: "" })}>of all</Link></span>}
        {data && <span role="status">{plural(data.total ?? 0, "finding")}</span>}
      </form>
      {data && (
        <table class="list">
          <caption class="hidden">What is found now</caption>
          <thead><tr><th scope="col">Severity</th><th scope="col">Domain</th><th scope="col">Finding</th><th scope="col">Code</th></tr></thead>
          <tbody>{data.items.map((one, index) => (
            <tr key={`${one.domain}${one.code}${one.subject.name}${index}`}>
              <td><Mark status={severityLook(one.severity)}>{one.severity}</Mark></td>
              <th scope="row"><DomainLink name={one.domain} /></th>
              <td>{one.title}</td>
              <td><a href={`/findings/${one.code}`}><code>{one.code}</code></a></td>
            </tr>))}
          </tbody>
        </table>
      )}
      <Pages page={page} total={data?.total ?? 0} size={pageSize} to={to} />
    </>
  );
}
