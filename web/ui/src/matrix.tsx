// The sessions of a domain, one row an MX host: how many went as its verdict says, and those that did not. A session opens
// to its evidence; the address of the page says which one is open, and what is shown.
import { Fragment } from "preact";

import type { Domain, Endpoint, Host } from "./api";
import { withQuery } from "./lists";
import { HostLink, Link, Mark, VerdictMark } from "./parts";
import { navigate } from "./place";
import { Evidence } from "./session";
import type { Look } from "./words";
import { isQuiet, plural, verdictStatus, verdictWords } from "./words";

const keyWords: Record<string, string> = {
  default: "default handshake",
  rsa: "RSA only",
  ecdsa: "ECDSA only",
  eddsa: "EdDSA only",
};

const idOf = (host: string, endpoint: Endpoint) => `${host}|${endpoint.address}|${endpoint.key_type}`;
const isTrouble = (host: Host) =>
  host.endpoints.some((one) => verdictStatus(one.verdict) !== "ok" && !isQuiet(host, one));

function Session({
  host,
  endpoint,
  open,
  toggle,
}: {
  host: Host;
  endpoint: Endpoint;
  open: string;
  toggle: (id: string) => void;
}) {
  const id = idOf(host.host, endpoint);
  const look: Look = isQuiet(host, endpoint) ? "note" : verdictStatus(endpoint.verdict);
  return (
    <button type="button" class="cell" aria-expanded={id === open} onClick={() => toggle(id)}>
      <Mark status={look}>{verdictWords[endpoint.verdict]}</Mark> {endpoint.address},{" "}
      {keyWords[endpoint.key_type] ?? endpoint.key_type}
    </button>
  );
}

function Row({ host, query, path }: { host: Host; query: URLSearchParams; path: string }) {
  const open = query.get("cell") ?? "";
  const isWhole = query.get("all") === host.host;
  const alike = host.endpoints.filter((one) => one.verdict === host.verdict);
  const shown = isWhole
    ? host.endpoints
    : host.endpoints.filter((one) => one.verdict !== host.verdict || idOf(host.host, one) === open);
  const opened = host.endpoints.filter((one) => idOf(host.host, one) === open);
  const toggle = (id: string) => navigate(withQuery(path, query, { cell: id === open ? "" : id }), { replace: true });
  const hasTrouble = isTrouble(host);
  const good = verdictStatus(host.verdict);
  const look = good === "ok" && hasTrouble ? "warning" : good;
  return (
    <>
      <tr>
        <th scope="row">
          <HostLink name={host.host} />
        </th>
        <td>
          {host.endpoints.length === 0 ? (
            <VerdictMark verdict={host.verdict} />
          ) : (
            <Mark status={look}>
              {alike.length}/{host.endpoints.length} {good === "ok" ? "ok" : verdictWords[host.verdict]}
            </Mark>
          )}
        </td>
        <td>
          {shown.map((one, index) => (
            <Session key={`${idOf(host.host, one)}${index}`} host={host} endpoint={one} open={open} toggle={toggle} />
          ))}
          {alike.length > 0 && (
            <Link quiet replace to={withQuery(path, query, { all: isWhole ? "" : host.host })}>
              {isWhole ? "show what differs" : `show ${plural(host.endpoints.length, "session")}`}
            </Link>
          )}
        </td>
      </tr>
      {opened.length > 0 && (
        <tr class="evidence-row">
          <td colSpan={3}>
            {opened.map((one, index) => (
              <Evidence key={index} host={host} endpoint={one} />
            ))}
          </td>
        </tr>
      )}
    </>
  );
}

export function Matrix({ domain, query }: { domain: Domain; query: URLSearchParams }) {
  const path = `/domains/${encodeURIComponent(domain.domain)}`;
  if (domain.hosts.every((host) => host.endpoints.length === 0)) return <p>No session was held at the last probe.</p>;
  const isNarrow = query.get("trouble") === "1";
  const shown = domain.hosts.filter((host) => !isNarrow || isTrouble(host));
  return (
    <>
      {domain.hosts.length > 1 && (
        <p>
          <label>
            <input
              type="checkbox"
              checked={isNarrow}
              onChange={(event) =>
                navigate(withQuery(path, query, { trouble: event.currentTarget.checked ? "1" : "" }), { replace: true })
              }
            />{" "}
            only trouble
          </label>
        </p>
      )}
      {shown.length === 0 && <p>No host has trouble.</p>}
      {shown.length > 0 && (
        <table class="list matrix">
          <caption class="hidden">The sessions with every MX host</caption>
          <thead>
            <tr>
              <th scope="col">MX host</th>
              <th scope="col">Sessions</th>
              <th scope="col">What differs</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((host) => (
              <Fragment key={host.host}>
                <Row host={host} query={query} path={path} />
              </Fragment>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}
