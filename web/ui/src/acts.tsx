// Who did what: acknowledgements, silences, checks and the like, newest first.

import type { ActItem, Page } from "./api";
import { Choice, Download, Older, useOlder, withQuery } from "./lists";
import { useResource } from "./live";
import { DomainLink, Link, Mark, Moment, Title, Waiting } from "./parts";
import { navigate } from "./place";
import { actWords } from "./words";

const pageSize = 50;

function Subject({ of }: { of: ActItem["subject"] }) {
  switch (of.kind) {
    case "domain":
      return <DomainLink name={of.name} />;
    case "alert":
      return <Link to={`/alerts#${of.name}`}>{of.title ?? "an alert that is not known any more"}</Link>;
    case "silence":
      return <>{of.title ? `the silence for ${of.title}` : "a silence that is over"}</>;
    case "key":
      return <span title={of.name}>the key {of.name.slice(0, 12)}…</span>;
    default:
      return <>{of.name ? `${of.kind} ${of.name}` : of.kind}</>;
  }
}

export function Acts({ query }: { query: URLSearchParams }) {
  const of = (name: string) => query.get(name) ?? "";
  const wanted = new URLSearchParams({ limit: `${pageSize}` });
  for (const name of ["by", "act", "from", "to"]) if (of(name)) wanted.set(name, of(name));
  const path = `/api/v1/acts?${wanted}`;
  const found = useResource<Page<ActItem>>(path, (kind) => kind === "act");
  const { items, next, more } = useOlder(path, found, (one) => `${one.at} ${one.act} ${one.subject.name}`);
  const change = (changes: Record<string, string>) => navigate(withQuery("/acts", query, changes), { replace: true });
  return (
    <>
      <Title of="Audit">Who did what</Title>
      <Waiting of={found} />
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          By <input type="search" value={of("by")} onInput={(event) => change({ by: event.currentTarget.value })} />
        </label>
        <Choice label="Act" value={of("act")} all={Object.entries(actWords)} onChange={(act) => change({ act })} />
        <Download path="/api/v1/acts" query={wanted} />
      </form>
      {found.data && items.length === 0 && <p>Nobody has done anything yet.</p>}
      {items.length > 0 && (
        <table class="list">
          <caption class="hidden">Acts, newest first</caption>
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">Who</th>
              <th scope="col">Did what</th>
              <th scope="col">To what</th>
              <th scope="col">Comment</th>
            </tr>
          </thead>
          <tbody>
            {items.map((one, index) => (
              <tr key={`${one.at}${index}`}>
                <td>
                  <Moment at={one.at} />
                </td>
                <th scope="row">
                  {one.by || "unnamed"}
                  {one.login === "none" && one.by && <span class="tag">says so</span>}
                </th>
                <td>
                  {actWords[one.act] ?? one.act}
                  {one.fault && (
                    <div>
                      <Mark status="warning">refused: {one.fault}</Mark>
                    </div>
                  )}
                </td>
                <td>
                  <Subject of={one.subject} />
                </td>
                <td>{one.comment}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Older next={next} more={more} />
    </>
  );
}
