import type { Delivery, DomainItem, Page } from "./api";
import { useResource } from "./live";
import { DeliveryMark, DomainLink, Link, navigate, pageOf, Pages, Title, Waiting, When, withQuery } from "./parts";
import { deliveries, deliveryWords, plural, verdictWords } from "./words";

const pageSize = 100;
// What the server sorts by; the order is fixed: names rising, the worst or longest unseen first.
const sorts: Record<string, string> = { delivery: "Mail", name: "Domain", observed_at: "Last look" };

function Head({ by, query }: { by: string; query: URLSearchParams | undefined }) {
  if (!query) return <th scope="col">{sorts[by]}</th>;
  const isMine = (query.get("sort") || "name") === by;
  return (
    <th scope="col" aria-sort={isMine ? (by === "delivery" ? "descending" : "ascending") : undefined}>
      <Link to={withQuery("/domains", query, { sort: by, page: "" })}>{sorts[by]}{isMine && <span aria-hidden="true"> ▾</span>}</Link>
    </th>
  );
}

export function DomainTable({ items, caption, query }: { items: DomainItem[]; caption: string; query?: URLSearchParams }) {
  return (
    <table class="list">
      <caption class="hidden">{caption}</caption>
      <thead><tr>
        <Head by="delivery" query={query} /><Head by="name" query={query} />
        <th scope="col">Since</th><th scope="col">Worst finding</th><th scope="col">MX with DANE</th>
        <Head by="observed_at" query={query} />
      </tr></thead>
      <tbody>
        {items.map((item) => (
          <tr key={item.domain}>
            <td><DeliveryMark delivery={item.delivery} /><div class="muted">{item.verdict ? verdictWords[item.verdict] : "not looked at yet"}</div></td>
            <th scope="row"><DomainLink name={item.domain} />{item.group && <span class="tag"><Link to={withQuery("/domains", query ?? new URLSearchParams(), { group: item.group, page: "" })}>{item.group}</Link></span>}{item.role === "outbound" && <span class="tag">partner</span>}{item.alerts > 0 && <span class="tag">{plural(item.alerts, "alert")}</span>}</th>
            <td data-label="Since">{item.delivery_since ? <When at={item.delivery_since} /> : ""}</td>
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
  const wanted = new URLSearchParams({ q: of("q"), status: of("status"), delivery: of("delivery"), role: of("role"), group: of("group"), sort: of("sort") in sorts ? of("sort") : "name", limit: `${pageSize}` });
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
        <label>Mail <select value={of("delivery")} onChange={(event) => navigate(to({ delivery: event.currentTarget.value }))}>
          {["", ...deliveries].map((one) => <option key={one} value={one}>{deliveryWords[one as Delivery] ?? "all"}</option>)}
        </select></label>
        <label>Whose <select value={of("role")} onChange={(event) => navigate(to({ role: event.currentTarget.value }))}>
          {[["", "all"], ["inbound", "ours"], ["outbound", "partners"]].map(([one, name]) => <option key={one} value={one}>{name}</option>)}
        </select></label>
        <label>Sort by <select value={of("sort") || "name"} onChange={(event) => navigate(to({ sort: event.currentTarget.value }))}>
          {Object.entries(sorts).map(([by, name]) => <option key={by} value={by}>{name.toLowerCase()}</option>)}
        </select></label>
        {of("status") && <span>Status <strong>{of("status")}</strong> <Link to={to({ status: "" })}>any status</Link></span>}
        {of("group") && <span>Group <strong>{of("group")}</strong> <Link to={to({ group: "" })}>all groups</Link></span>}
        {data && <span role="status">{plural(data.total ?? 0, "domain")}</span>}
      </form>
      {data && <DomainTable items={data.items} caption="Watched domains" query={query} />}
      <Pages page={page} total={data?.total ?? 0} size={pageSize} to={to} />
    </>
  );
}
