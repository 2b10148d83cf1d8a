// What our own Postfix' log says of mail to a domain or through a host, and what Postfix is told of exceptions.
import type { Disagreements, Exceptions, HostDeliveries, OwnDeliveries, OwnPostfix, ProposedPartners } from "./api";
import { domainPath, hostPath, post, remove } from "./api";
import { useResource } from "./live";
import { useMayAct } from "./me";
import { Act, HostLink, Link, Mark, Title, VerdictMark, Waiting, When } from "./parts";
import { plural } from "./words";

const levels: Record<string, string> = {
  verified: "authenticated (Verified)",
  trusted: "authenticated, MX not signed, or by a public CA (Trusted)",
  untrusted: "encrypted, not authenticated (Untrusted)",
  anonymous: "encrypted without a certificate (Anonymous)",
  none: "in the clear",
  unknown: "TLS unknown: smtp_tls_loglevel is 0, or not seen",
};

const setbacks: Record<string, string> = {
  certificate: "the certificate matches no TLSA record",
  "starttls-missing": "TLS is required and was not offered",
  "starttls-refused": "TLS was offered and then refused",
  handshake: "TLS could not be set up",
  "tlsa-lookup": "TLSA records could not be looked up",
  "dane-demanded": "our Postfix demands DANE, and there is none",
  "own-policy": "our Postfix could not learn its own TLS policy",
  "name-lookup": "MX or addresses could not be looked up",
  unreachable: "no connection",
  server: "the server refuses, for reasons of its own",
  other: "another reason",
};

type Hop = Pick<OwnDeliveries, "last_sent" | "deferred_since" | "setback">;

function Queue({ of }: { of: Pick<OwnDeliveries, "waiting" | "oldest_waiting_since"> }) {
  if (of.waiting === 0) return null;
  return (
    <Mark status="warning">
      {plural(of.waiting, "message")} waiting, the oldest came <When at={of.oldest_waiting_since} />
    </Mark>
  );
}

function Sent({ of }: { of: Hop }) {
  const sent = Object.entries(of.last_sent).sort((a, b) => b[1].localeCompare(a[1]));
  return (
    <>
      {of.deferred_since && (
        <li>
          <Mark status="critical">deferred</Mark> since <When at={of.deferred_since} />
          {of.setback && `: ${setbacks[of.setback] ?? of.setback}`}
        </li>
      )}
      {sent.map(([level, at]) => (
        <li key={level}>
          {levels[level] ?? level}: last <When at={at} />
        </li>
      ))}
    </>
  );
}

// Null where no log is followed, and where there was no mail.
export function useDeliveriesTo(name: string): OwnDeliveries | null {
  const { data } = useResource<OwnDeliveries>(
    `${domainPath(name)}/deliveries`,
    (kind, what) => kind === "domain" && what === name,
    10_000,
  );
  return data?.last_at ? data : null;
}

// Whatever a probe meets: our own mail waits.
export function OwnQueueTo({ of: data }: { of: OwnDeliveries | null }) {
  if (!data || data.waiting === 0) return null;
  return (
    <p>
      Our own mail to it waits all the same: <Queue of={data} />
      {data.setback && `: ${setbacks[data.setback] ?? data.setback}`}
    </p>
  );
}

export function OwnDeliveriesTo({ of: data }: { of: OwnDeliveries | null }) {
  if (!data) return null;
  return (
    <section aria-label="Our own deliveries">
      <h2>Our own deliveries</h2>
      <p>
        {plural(data.messages_a_month, "message")} delivered in 30 days, says our Postfix. <Queue of={data} />
      </p>
      <ul class="plain">
        <Sent of={data} />
      </ul>
      {data.hosts.map((one) => (
        <div key={one.host}>
          <h3>
            <HostLink name={one.host} />
          </h3>
          <ul class="plain">
            <Sent of={one} />
            {one.waiting > 0 && (
              <li>
                <Queue of={one} />
              </li>
            )}
          </ul>
        </div>
      ))}
    </section>
  );
}

export function OwnDeliveriesThrough({ name }: { name: string }) {
  const { data } = useResource<HostDeliveries>(
    `${hostPath(name)}/deliveries`,
    (kind, what) => kind === "host" && what === name,
    10_000,
  );
  if (!data || data.items.length === 0) return null;
  return (
    <section aria-label="Our own deliveries">
      <h2>Our own deliveries</h2>
      {data.items.map((one) => (
        <div key={one.domain}>
          <h3>
            <Link to={`/domains/${encodeURIComponent(one.domain)}`}>{one.domain}</Link>
          </h3>
          <ul class="plain">
            <Sent of={one} />
            {one.waiting > 0 && (
              <li>
                <Queue of={one} />
              </li>
            )}
          </ul>
        </div>
      ))}
    </section>
  );
}

function ExceptionList() {
  const mayAct = useMayAct();
  const found = useResource<Exceptions>("/api/v1/exceptions", () => true, 3000);
  const { data } = found;
  return (
    <>
      <h2>Exceptions</h2>
      <Waiting of={found} />
      {data && !data.served && <p class="muted">postfix.policy_socket is not configured: Postfix is told nothing.</p>}
      {data && data.items.length === 0 && <p>There are none: every partner's DANE counts.</p>}
      {data && data.items.length > 0 && (
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Partner</th>
              <th scope="col">Answer</th>
              <th scope="col">Until</th>
              <th scope="col">Postfix asked</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {data.items.map((one) => (
              <tr key={one.domain}>
                <td>
                  <Link to={`/domains/${encodeURIComponent(one.domain)}`}>{one.domain}</Link>
                </td>
                <td data-label="Answer">
                  <code>{one.answer.trim()}</code>
                </td>
                <td data-label="Until">
                  <When at={one.until} />
                </td>
                <td data-label="Postfix asked">
                  {one.asked === 0 ? "never" : `${plural(one.asked, "time")}, last `}
                  {one.asked > 0 && <When at={one.last_asked_at} />}
                </td>
                <td>
                  {mayAct && (
                    <Act label="End it" run={() => remove(`${domainPath(one.domain)}/exception`).then(found.again)} />
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function Proposals() {
  const mayAct = useMayAct();
  const found = useResource<ProposedPartners>("/api/v1/partners", (kind) => kind === "domain", 10_000);
  const { data } = found;
  return (
    <>
      <h2>Partners not yet watched</h2>
      <Waiting of={found} />
      {data && data.items.length === 0 && <p>None of the domains that our mail goes to.</p>}
      {data && data.items.length > 0 && (
        <ul class="plain">
          {data.items.map((one) => (
            <li key={one.domain}>
              <strong>{one.domain}</strong> {plural(one.messages_a_month, "message")} a month
              {one.dane && " · has DANE"}{" "}
              {mayAct && (
                <Act
                  label={`+ watch ${one.domain}`}
                  done="watched from now on"
                  run={() => post("/api/v1/domains", { domain: one.domain }).then(found.again)}
                />
              )}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function DisagreementList() {
  const found = useResource<Disagreements>("/api/v1/deliveries/disagreements?limit=100", () => true, 10_000);
  const { data } = found;
  return (
    <>
      <h2>Disagreements</h2>
      <Waiting of={found} />
      {data && data.items.length === 0 && <p>None: every delivery went as its verdict said.</p>}
      {data && data.items.length > 0 && (
        <ul class="plain">
          {data.items.map((one) => (
            <li key={`${one.at} ${one.domain} ${one.host}`}>
              <When at={one.at} /> to <Link to={`/domains/${encodeURIComponent(one.domain)}`}>{one.domain}</Link>
              {one.host && (
                <>
                  {" "}
                  through <HostLink name={one.host} />
                </>
              )}
              : {one.status}, {one.setback ? (setbacks[one.setback] ?? one.setback) : (levels[one.level] ?? one.level)}
              {"; "}
              we said <VerdictMark verdict={one.verdict} />, as of <When at={one.looked_at} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

export function PostfixView() {
  const found = useResource<OwnPostfix>("/api/v1/deliveries", () => true, 5000);
  const { data } = found;
  return (
    <>
      <Title of="Postfix">Our own Postfix</Title>
      <Waiting of={found} />
      {data && !data.follows_log && <p>No log is followed: postfix.log is not configured.</p>}
      {data?.log_fault && (
        <p>
          <Mark status="warning">the log cannot be read</Mark> {data.log_fault}
        </p>
      )}
      {data?.follows_log && (
        <ul class="plain">
          <li>
            {data.agreement.ratio === null
              ? "No delivery could be held against a verdict in the last seven days."
              : `${data.agreement.foretold} of ${data.agreement.compared} deliveries of the last seven days went as our verdict said (${(100 * data.agreement.ratio).toFixed(1)} %).`}
          </li>
          <li>
            {plural(data.waiting, "message")} waiting
            {data.oldest_waiting_since && (
              <>
                , the oldest came <When at={data.oldest_waiting_since} />
              </>
            )}
          </li>
          <li>
            last line of the log: <When at={data.last_line_at} />
          </li>
        </ul>
      )}
      <ExceptionList />
      {data?.follows_log && <DisagreementList />}
      {data?.follows_log && <Proposals />}
    </>
  );
}
