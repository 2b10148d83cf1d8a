import type { MxHost } from "./api";
import { hostPath } from "./api";
import { OwnDeliveriesThrough } from "./deliveries";
import { Names } from "./lists";
import { useResource } from "./live";
import { DeliveryMark, Link, MailNow, Title, Waiting, When } from "./parts";
import { Places } from "./places";
import { Rollovers } from "./rollover";
import { withCaches } from "./rollover_words";
import { SendersView } from "./senders";
import { delivers, hostSentence, isService, plural, serviceSentence, verdictBeside } from "./words";

// "12 watched domains use it; mail to 11 of them is held up"
function dependants({ domains, delivery, held_up: held }: MxHost): string {
  const use = plural(domains.length, "watched domain uses it", "watched domains use it");
  if (domains.length === 0) return "No watched domain is known to use it";
  if (held === 0)
    return delivery === "held-up" ? `${use}, and other hosts take ${domains.length === 1 ? "its" : "their"} mail` : use;
  return `${use}; mail to ${held === domains.length ? (held === 1 ? "it" : "all of them") : `${held} of them`} is held up`;
}

const unknownHost = "Unknown: could not be determined from here; nothing is concluded about the host.";

// What happens to mail there; and what happens to that of senders whose caches lag behind.
export function hostSays({ host, verdict, delivery, rollover, worst_finding: worst }: MxHost): string {
  const now = (verdict && (isService(host) ? serviceSentence : hostSentence)[verdict]) ?? unknownHost;
  const told = verdict && delivers(verdict) && rollover ? withCaches(now, [rollover], delivery) : now;
  return told === now && delivery === "at-risk" && worst ? `${now} At risk: ${worst.title}.` : told;
}

export function HostView({ name, query }: { name: string; query: URLSearchParams }) {
  const found = useResource<MxHost>(hostPath(name), (kind, what) => kind === "host" && what === name);
  const { data } = found;
  return (
    <>
      <Title of={name}>
        {isService(name) ? "Service" : "MX host"} {name}
      </Title>
      <Waiting of={found} />
      {data && (
        <>
          <MailNow
            delivery={data.delivery}
            since={data.delivery_since}
            alerts={data.alerts}
            worst={data.worst_finding?.severity}
            says={hostSays(data)}
          >
            {data.last_known && (
              <p>
                Last known, <When at={data.last_known.observed_at} />:{" "}
                <DeliveryMark delivery={data.last_known.delivery} />,{" "}
                {data.last_known.verdict && verdictBeside(data.last_known.delivery, data.last_known.verdict)}.
              </p>
            )}
            {isService(name) ? (
              <p>
                <Link to={`/domains/${encodeURIComponent(name)}`}>Sessions, findings and history</Link>
              </p>
            ) : (
              <p>
                {dependants(data)}
                {data.domains.length > 0 && (
                  <>
                    : <Names names={data.domains} all={`/domains?mx=${encodeURIComponent(data.host)}`} />
                  </>
                )}
              </p>
            )}
          </MailNow>
          <p class="actions">
            <span>
              {data.addresses.join(", ") || "no address"}. Last probe <When at={data.observed_at} />.
            </span>
            <Link button to={`/plan?mx=${encodeURIComponent(name)}`}>
              Plan a rollover
            </Link>
          </p>
          {data.rollover ? (
            <Rollovers host={data} query={query} />
          ) : (
            <p>
              {data.rollover === null
                ? "No TLSA records have been seen: there is no rollover to follow."
                : "It has not been probed since danelaw started: nothing is said of its keys yet."}
            </p>
          )}
          <Places of={data.vantages} />
          {!isService(name) && (
            <>
              <SendersView path={hostPath(name)} />
              <OwnDeliveriesThrough name={name} />
            </>
          )}
        </>
      )}
    </>
  );
}
