import type { DomainItem, Page } from "./api";
import { DayBars } from "./days";
import { Choice, Download, FindingChoice, GroupChoice, Loaded, Pages, pageOf, withQuery } from "./lists";
import { useResource } from "./live";
import { DeliveryMark, DomainLink, LastKnownAs, Link, Title, Waiting, When } from "./parts";
import { navigate } from "./place";
import { deliveries, deliveryWords, plural, roleChoices, verdictBeside, verdictWords } from "./words";

const pageSize = 50;
// What the server sorts by; the order is fixed: names rising, the worst or longest unseen first.
const sorts: Record<string, string> = { delivery: "Mail", name: "Domain", observed_at: "Last probe" };

function Head({ by, query }: { by: string; query: URLSearchParams | undefined }) {
  if (!query) return <th scope="col">{sorts[by]}</th>;
  const isMine = (query.get("sort") || "name") === by;
  return (
    <th scope="col" aria-sort={isMine ? (by === "delivery" ? "descending" : "ascending") : undefined}>
      <Link to={withQuery("/domains", query, { sort: by, page: "" })}>
        {sorts[by]}
        {isMine && <span aria-hidden="true"> ▾</span>}
      </Link>
    </th>
  );
}

export function DomainTable({
  items,
  caption,
  query,
}: {
  items: DomainItem[];
  caption: string;
  query?: URLSearchParams;
}) {
  return (
    <table class="list">
      <caption class="hidden">{caption}</caption>
      <thead>
        <tr>
          <Head by="delivery" query={query} />
          <Head by="name" query={query} />
          <th scope="col">Since</th>
          <th scope="col">Worst finding</th>
          <th scope="col">MX with DANE</th>
          <Head by="observed_at" query={query} />
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <tr key={item.domain}>
            <td>
              <DeliveryMark delivery={item.delivery} />
              {item.last_known && <LastKnownAs known={item.last_known} />}
              <div class="muted">{item.verdict ? verdictBeside(item.delivery, item.verdict) : "not probed yet"}</div>
            </td>
            <th scope="row">
              <DomainLink name={item.domain} />
              {item.group && (
                <span class="tag">
                  <Link to={withQuery("/domains", query ?? new URLSearchParams(), { group: item.group, page: "" })}>
                    {item.group}
                  </Link>
                </span>
              )}
              {item.role === "outbound" && <span class="tag">partner</span>}
              {item.alerts > 0 && <span class="tag">{plural(item.alerts, "alert")}</span>}
            </th>
            <td data-label="Since">{item.delivery_since ? <When at={item.delivery_since} /> : ""}</td>
            <td>{item.worst_finding?.title ?? ""}</td>
            <td class="number" data-label="MX with DANE">
              {item.mx_hosts === null ? "unknown" : `${item.dane_mx_hosts}/${item.mx_hosts}`}
            </td>
            <td data-label="Last probe">
              <When at={item.observed_at} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const plurals: Record<string, string> = { mx: "hosts" };
// Those that only a link sets: "of MX host mx.example.org".
const narrowings: [string, string][] = [
  ["status", "status"],
  ["mx", "that use"],
];

export function Domains({ query }: { query: URLSearchParams }) {
  const of = (name: string) => query.get(name) ?? "";
  const page = pageOf(query);
  const wanted = new URLSearchParams({ sort: of("sort") in sorts ? of("sort") : "name", limit: `${pageSize}` });
  for (const name of ["q", "delivery", "role", "group", "verdict", "code", ...narrowings.map(([one]) => one)])
    if (of(name)) wanted.set(name, of(name));
  if (page > 1) wanted.set("cursor", `${(page - 1) * pageSize}`);
  const found = useResource<Page<DomainItem>>(
    `/api/v1/domains?${wanted}`,
    (kind) => kind === "domain" || kind === "alert",
    3000,
  );
  const { data } = found;
  const to = (changes: Record<string, string>) => withQuery("/domains", query, { page: "", ...changes });
  const go = (name: string) => (value: string) => navigate(to({ [name]: value }));
  return (
    <>
      <Title of="Domains">Domains</Title>
      <Waiting of={found} />
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          Search{" "}
          <input
            type="search"
            value={of("q")}
            onInput={(event) => navigate(to({ q: event.currentTarget.value }), { replace: true })}
          />
        </label>
        <Choice
          label="Mail"
          value={of("delivery")}
          all={deliveries.map((one) => [one, deliveryWords[one]])}
          onChange={go("delivery")}
        />
        <Choice label="Whose" value={of("role")} all={roleChoices} onChange={go("role")} />
        <Choice label="Verdict" value={of("verdict")} all={Object.entries(verdictWords)} onChange={go("verdict")} />
        <FindingChoice value={of("code")} onChange={go("code")} />
        <GroupChoice value={of("group")} onChange={go("group")} />
        <label>
          Sort by{" "}
          <select value={of("sort") || "name"} onChange={(event) => navigate(to({ sort: event.currentTarget.value }))}>
            {Object.entries(sorts).map(([by, name]) => (
              <option key={by} value={by}>
                {name.toLowerCase()}
              </option>
            ))}
          </select>
        </label>
        {narrowings.map(
          ([name, text]) =>
            of(name) && (
              <span key={name}>
                {text} <strong>{of(name)}</strong> <Link to={to({ [name]: "" })}>all {plurals[name] ?? ""}</Link>
              </span>
            ),
        )}
        <Loaded of={found} says={plural(data?.total ?? 0, "domain")} />
        <Download path="/api/v1/domains" query={wanted} />
      </form>
      {data && <DomainTable items={data.items} caption="Watched domains" query={query} />}
      <Pages page={page} total={data?.total ?? 0} size={pageSize} to={to} />
      {of("group") && (
        <>
          <h2>Ninety days of this group</h2>
          <DayBars path={`/api/v1/days?days=90&group=${encodeURIComponent(of("group"))}`} isOne={false} />
        </>
      )}
    </>
  );
}
