import type { DomainItem, Page } from "./api";
import { useResource } from "./live";
import { DomainLink, Link, Mark, navigate, pageOf, Pages, Title, VerdictMark, Waiting, When, withQuery } from "./parts";
import { plural } from "./words";

const pageSize = 100;
// What the server sorts by; the order is fixed: names rising, the worst or longest unseen first.
const sorts: Record<string, string> = { name: "Domain", status: "Status", observed_at: "Last look" };

function Head({ by, query }: { by: string; query: URLSearchParams | undefined }) {
  if (!query) return <th scope="col">{sorts[by]}</th>;
  const isMine = (query.get("sort") || "name") === by;
  return (
    <th scope="col" aria-sort={isMine ? (by === "status" ? "descending" : "ascending") : undefined}>
      <Link to={withQuery("/domains", query, { sort: by, page: "" })}>{sorts[by]}{isMine && <span aria-hidden="true"> ▾</span>}</Link>
    </th>
  );
}

export function DomainTable({ items, caption, query }: { items: DomainItem[]; caption: string; query?: URLSearchParams }) {
  return (
    <table class="list">
      <caption class="hidden">{caption}</caption>
      <thead><tr>
        <Head by="status" query={query} /><Head by="name" query={query} />
        <th scope="col">Mail</th><th scope="col">Worst finding</th><th scope="col">MX with DANE</th>
        <Head by="observed_at" query={query} />
      </tr></thead>
      <tbody>
        {items.map((item) => (
          <tr key={item.domain}>
            <td><Mark status={item.status}>{item.status}</Mark></td>
            <th scope="row"><DomainLink name={item.domain} />{item.group && <span class="tag"><Link to={withQuery("/domains", query ?? new URLSearchParams(), { group: item.group, page: "" })}>{item.group}</Link></span>}{item.role === "outbound" && <span class="tag">outbound</span>}{item.alerts > 0 && <span class="tag">{plural(item.alerts, "alert")}</span>}</th>
            <td><VerdictMark verdict={item.verdict} /></td>
            <td>{item.worst_finding?.title ?? ""}</td>
            <td class="number" data-label="MX with DANE">{item.dane_mx_hosts}/{item.mx_hosts}</td>
            <td data-label="Last look"><When at={item.observed_at} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function Domains({ query }: { query: URLSearchParams }) {
  const of = (name: string) => query.get(name) ?? "";
  const page = pageOf(query);
  const wanted = new URLSearchParams({ q: of("q"), status: of("status"), group: of("group"), sort: of("sort") in sorts ? of("sort") : "name", limit: `${pageSize}` });
  if (page > 1) wanted.set("cursor", `${(page - 1) * pageSize}`);
  const found = useResource<Page<DomainItem>>(`/api/v1/domains?${wanted}`, (kind) => kind === "domain" || kind === "alert", 3000);
  const { data } = found;
  const to = (changes: Record<string, string>) => withQuery("/domains", query, { page: "", ...changes });
  return (
    <>
      <Title of="Domains">Domains</Title>
      <Waiting of={found} />
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label>Search <input type="search" value={of("q")} onInput={(event) => navigate(to({ q: event.currentTarget.value }), { replace: true })} /></label>
        <label>Status <select value={of("status")} onChange={(event) => navigate(to({ status: event.currentTarget.value }))}>
          {["", "critical", "warning", "unknown", "ok"].map((one) => <option key={one} value={one}>{one || "all"}</option>)}
        </select></label>
        <label>Sort by <select value={of("sort") || "name"} onChange={(event) => navigate(to({ sort: event.currentTarget.value }))}>
          {Object.entries(sorts).map(([by, name]) => <option key={by} value={by}>{name.toLowerCase()}</option>)}
        </select></label>
        {of("group") && <span>Group <strong>{of("group")}</strong> <Link to={to({ group: "" })}>all groups</Link></span>}
        {data && <span role="status">{plural(data.total ?? 0, "domain")}</span>}
      </form>
      {data && <DomainTable items={data.items} caption="Watched domains" query={query} />}
      <Pages page={page} total={data?.total ?? 0} size={pageSize} to={to} />
    </>
  );
}
