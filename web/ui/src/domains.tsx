import { useState } from "preact/hooks";

import type { DomainItem, Page } from "./api";
import { Link, Mark, navigate, Trouble, useResource, VerdictMark, When } from "./parts";

export function DomainTable({ items, caption }: { items: DomainItem[]; caption: string }) {
  return (
    <div class="scroll">
      <table class="list">
        <caption class="hidden">{caption}</caption>
        <thead><tr><th scope="col">Status</th><th scope="col">Domain</th><th scope="col">Mail</th><th scope="col">Worst finding</th><th scope="col">MX with DANE</th><th scope="col">Last look</th></tr></thead>
        <tbody>
          {items.map((item) => (
            <tr key={item.domain}>
              <td><Mark status={item.status}>{item.status}</Mark></td>
              <th scope="row"><Link to={`/domains/${encodeURIComponent(item.domain)}`}>{item.domain}</Link>{item.role === "outbound" && <span class="muted"> outbound</span>}</th>
              <td><VerdictMark verdict={item.verdict} /></td>
              <td>{item.worst_finding ? item.worst_finding.title : ""}</td>
              <td class="number">{item.dane_mx_hosts}/{item.mx_hosts}</td>
              <td><When at={item.observed_at} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Domains({ query }: { query: URLSearchParams }) {
  const q = query.get("q") ?? "";
  const status = query.get("status") ?? "";
  const [cursors, setCursors] = useState<string[]>([]);
  const cursor = cursors[cursors.length - 1] ?? "";
  const wanted = new URLSearchParams({ q, status, limit: "100" });
  if (cursor) wanted.set("cursor", cursor);
  const { data, error, since } = useResource<Page<DomainItem>>(`/api/v1/domains?${wanted}`);
  const change = (name: string, value: string) => {
    const next = new URLSearchParams(query);
    if (value) next.set(name, value); else next.delete(name);
    setCursors([]);
    navigate(`/domains?${next}`);
  };
  return (
    <>
      <h1>Domains</h1>
      <Trouble error={error} since={since} />
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label>Search <input type="search" value={q} onInput={(event) => change("q", event.currentTarget.value)} /></label>
        <label>Status <select value={status} onChange={(event) => change("status", event.currentTarget.value)}>
          {["", "critical", "warning", "unknown", "ok"].map((one) => <option key={one} value={one}>{one || "all"}</option>)}
        </select></label>
        {data && <span role="status">{data.total} domains</span>}
      </form>
      {data && <DomainTable items={data.items} caption="Watched domains" />}
      <p class="pages">
        {cursors.length > 0 && <button type="button" onClick={() => setCursors(cursors.slice(0, -1))}>Previous</button>}
        {data?.next && <button type="button" onClick={() => setCursors([...cursors, data.next ?? ""])}>Next</button>}
      </p>
    </>
  );
}
