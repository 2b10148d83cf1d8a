// The MX hosts of the watched domains: how they fare, how many depend on them, what comes next.
import type { Delivery, MxItem, Page, Verdict } from "./api";
import { Choice, Download, FindingChoice, GroupChoice, Loaded, Pages, pageOf, withQuery } from "./lists";
import { useResource } from "./live";
import { DeliveryMark, HostLink, LastKnownAs, Link, Mark, Title, Waiting, When } from "./parts";
import { navigate } from "./place";
import { keysLook, rolloverWords } from "./rollover_words";
import {
  deadlineWords,
  deliveries,
  deliveryWords,
  hostSentence,
  plural,
  roleChoices,
  verdictBeside,
  verdictWords,
} from "./words";

const pageSize = 50;
const sorts = [
  ["delivery", "mail"],
  ["name", "name"],
  ["domains", "domains"],
  ["next_deadline_at", "next deadline"],
] as const;

export function Hosts({ query }: { query: URLSearchParams }) {
  const of = (name: string) => query.get(name) ?? "";
  const page = pageOf(query);
  const wanted = new URLSearchParams({ limit: `${pageSize}` });
  for (const name of ["q", "delivery", "state", "rolling", "verdict", "code", "role", "group", "sort"])
    if (of(name)) wanted.set(name, of(name));
  if (page > 1) wanted.set("cursor", `${(page - 1) * pageSize}`);
  const found = useResource<Page<MxItem>>(`/api/v1/mx?${wanted}`, (kind) => kind === "host" || kind === "domain", 3000);
  const { data } = found;
  const to = (changes: Record<string, string>) => withQuery("/mx", query, { page: "", ...changes });
  return (
    <>
      <Title of="MX hosts">MX hosts</Title>
      <p class="muted">
        <Link to="/certificates">Certificates issued</Link>, which no host presented when they were shown
      </p>
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
          all={deliveries.map((one: Delivery) => [one, deliveryWords[one]])}
          onChange={(delivery) => navigate(to({ delivery }))}
        />
        <Choice
          label="Keys"
          value={of("state")}
          all={Object.entries(rolloverWords)}
          onChange={(state) => navigate(to({ state }))}
        />
        <Choice
          label="Verdict"
          value={of("verdict")}
          all={Object.entries(verdictWords).filter(([one]) => hostSentence[one as Verdict])}
          onChange={(verdict) => navigate(to({ verdict }))}
        />
        <FindingChoice value={of("code")} onChange={(code) => navigate(to({ code }))} />
        <Choice label="Whose" value={of("role")} all={roleChoices} onChange={(role) => navigate(to({ role }))} />
        <GroupChoice value={of("group")} onChange={(group) => navigate(to({ group }))} />
        <label>
          Sort by{" "}
          <select
            value={of("sort") || "delivery"}
            onChange={(event) => navigate(to({ sort: event.currentTarget.value }))}
          >
            {sorts.map(([by, name]) => (
              <option key={by} value={by}>
                {name}
              </option>
            ))}
          </select>
        </label>
        {of("rolling") && (
          <span>
            whose change of key is under way <Link to={to({ rolling: "" })}>all hosts</Link>
          </span>
        )}
        <Loaded of={found} says={plural(data?.total ?? data?.items.length ?? 0, "MX host")} />
        <Download path="/api/v1/mx" query={wanted} />
      </form>
      {data && data.items.length > 0 && (
        <table class="list">
          <caption class="hidden">MX hosts of watched domains</caption>
          <thead>
            <tr>
              <th scope="col">Mail</th>
              <th scope="col">MX host</th>
              <th scope="col">Since</th>
              <th scope="col">Domains</th>
              <th scope="col">Keys</th>
              <th scope="col">Next deadline</th>
            </tr>
          </thead>
          <tbody>
            {data.items.map((one) => (
              <tr key={one.host}>
                <td>
                  <DeliveryMark delivery={one.delivery} />
                  {one.last_known && <LastKnownAs known={one.last_known} />}
                  <div class="muted">{one.verdict ? verdictBeside(one.delivery, one.verdict) : "not known now"}</div>
                </td>
                <th scope="row">
                  <HostLink name={one.host} />
                </th>
                <td data-label="Since">{one.delivery_since ? <When at={one.delivery_since} /> : ""}</td>
                <td class="number" data-label="Domains">
                  <Link to={`/domains?mx=${encodeURIComponent(one.host)}`}>{one.domains}</Link>
                  {one.held_up ? `, ${one.held_up} held up` : ""}
                </td>
                <td data-label="Keys">
                  {one.state ? <Mark status={keysLook(one.state, one.delivery)}>{rolloverWords[one.state]}</Mark> : ""}
                </td>
                <td data-label="Next deadline">
                  {one.next_deadline ? (
                    <>
                      <When at={one.next_deadline.at} />:{" "}
                      {deadlineWords[one.next_deadline.kind] ?? one.next_deadline.kind}
                    </>
                  ) : (
                    ""
                  )}
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
