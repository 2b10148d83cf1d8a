// When danelaw itself is what is broken: said on every view, with what was known before.
import type { AgentStatus, Known } from "./api";
import { Link, Moment, When } from "./parts";
import { checkWords, countOf, deliveries, deliveryWords } from "./words";

// Which of our own faults keeps us from seeing, if any; it is the agent that says so.
export function faultOf({ blind }: AgentStatus): { what: string; since: string } | null {
  if (!blind) return null;
  const what =
    blind.resolvers.length > 0
      ? `resolver ${blind.resolvers.join(", ")} gives no answer`
      : blind.causes.map((one) => `${checkWords[one.check] ?? one.check}: ${one.detail ?? "degraded"}`).join("; ");
  return { what, since: blind.since };
}

const inWords = (delivery: Known["delivery"]) =>
  deliveries
    .map((one) => [one, delivery[one].inbound + delivery[one].outbound] as const)
    .filter(([, count]) => count > 0)
    .map(([one, count]) => `${count} ${deliveryWords[one]}`)
    .join(", ");

export function OwnFaultBanner({ status }: { status: AgentStatus | null }) {
  const fault = status && faultOf(status);
  if (!status || !fault) return null;
  const known = status.last_known;
  const isBlind = countOf(status, "unknown") * 2 > status.config.domains;
  return (
    <div class="banner critical" role="alert">
      <strong>danelaw cannot see{isBlind ? "" : " everything"}</strong> since <Moment at={fault.since} short />:{" "}
      {fault.what}.
      {known && (
        <>
          {" "}
          Last known, <When at={known.at} />: {inWords(known.delivery)}.
        </>
      )}{" "}
      <Link to="/status">Self-checks</Link>
    </div>
  );
}
