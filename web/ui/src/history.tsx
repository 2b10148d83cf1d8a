import { useEffect, useState } from "preact/hooks";

import type { HistoryPage } from "./api";
import { domainPath } from "./api";
import { Events } from "./events";
import { subjectWords, summary } from "./facts";
import { TimeField } from "./forms";
import { Older, useOlder, withQuery } from "./lists";
import { useResource } from "./live";
import { DomainLink, Link, Moment, Title, Waiting, When } from "./parts";
import { navigate } from "./place";
import { momentOf, rfc3339 } from "./range";
import { eventWords, plural } from "./words";

const pageSize = 100;

export function DomainField({ query, path }: { query: URLSearchParams; path: string }) {
  const [name, set] = useState(query.get("domain") ?? "");
  useEffect(() => set(query.get("domain") ?? ""), [query.get("domain")]);
  return (
    <form
      class="filters"
      onSubmit={(event) => {
        event.preventDefault();
        navigate(withQuery(path, query, { domain: name.trim().toLowerCase() }));
      }}
    >
      <label>
        Domain{" "}
        <input type="search" value={name} spellcheck={false} onInput={(event) => set(event.currentTarget.value)} />
      </label>
      <button type="submit">Show</button>
    </form>
  );
}

export function History({ query }: { query: URLSearchParams }) {
  const domain = query.get("domain") ?? "";
  const from = momentOf(query.get("from")),
    to = momentOf(query.get("to"));
  const wanted = new URLSearchParams({ limit: `${pageSize}` });
  if (from !== null) wanted.set("from", rfc3339(from));
  if (to !== null) wanted.set("to", rfc3339(to));
  const path = domain ? `${domainPath(domain)}/history?${wanted}` : null;
  const found = useResource<HistoryPage>(
    path,
    (kind, name) => kind === "host" || (kind === "domain" && name === domain),
    3000,
  );
  const { items, next, more } = useOlder(path, found, (event) => `${event.at} ${event.kind} ${event.subject}`);
  const change = (name: string) => (at: string) =>
    navigate(withQuery("/history", query, { [name]: at }), { replace: true });
  const diff = (at: string) => `/diff?${new URLSearchParams({ domain, a: rfc3339(Date.parse(at) - 1000), b: at })}`;
  return (
    <>
      <Title of={domain ? `History of ${domain}` : "History"}>
        {domain ? (
          <>
            History of <DomainLink name={domain} />
          </>
        ) : (
          "History"
        )}
      </Title>
      <DomainField query={query} path="/history" />
      {!domain && (
        <p>
          <Link to="/report">Report of a month</Link>
        </p>
      )}
      {domain && (
        <div class="filters">
          <TimeField label="From" value={from === null ? "" : rfc3339(from)} onChange={change("from")} />
          <TimeField label="To" value={to === null ? "" : rfc3339(to)} onChange={change("to")} />
          {(from ?? to) !== null && <Link to={withQuery("/history", query, { from: "", to: "" })}>All times</Link>}
          <Link to={`/diff?domain=${encodeURIComponent(domain)}`}>Compare two moments</Link>
        </div>
      )}
      {path && <Waiting of={found} />}
      {!domain && <Events query={query} />}
      {path && found.data && items.length === 0 && <p>Nothing changed in that time.</p>}
      {path && items.length > 0 && (
        <table class="list">
          <caption>{plural(items.length, "change")}, newest first</caption>
          <thead>
            <tr>
              <th scope="col">Since</th>
              <th scope="col">What</th>
              <th scope="col">Of</th>
              <th scope="col">Became</th>
              <th scope="col">Until</th>
            </tr>
          </thead>
          <tbody>
            {items.map((event) => (
              <tr key={`${event.at}${event.kind}${event.subject}`}>
                <td>
                  <Moment at={event.at} />
                </td>
                <td>{eventWords[event.kind] ?? event.kind}</td>
                <th scope="row">{subjectWords(event)}</th>
                <td class="facts">{summary(event)}</td>
                <td data-label="Until">
                  {event.current ? (
                    "still so"
                  ) : (
                    <>
                      last seen <When at={event.last_seen_at} />
                    </>
                  )}{" "}
                  <Link to={diff(event.at)}>compare</Link>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {path &&
        found.data?.summed?.map((sum) => (
          <p key={`${sum.kind}${sum.subject}`}>
            {eventWords[sum.kind] ?? sum.kind} of {sum.subject} changed so often, as at every probe, that{" "}
            {plural(sum.versions, "older change")} from <When at={sum.from} /> to <When at={sum.until} />{" "}
            {sum.versions === 1 ? "is" : "are"} only counted.
          </p>
        ))}
      <Older next={path && next} more={more} />
    </>
  );
}
