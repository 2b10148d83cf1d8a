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

const LastKnown = ({ known }: { known: AgentStatus["last_known"] }) =>
  known && (
    <>
      {" "}
      Last known, <When at={known.at} />: {inWords(known.delivery)}.
    </>
  );

// Since the start nobody knows yet whether danelaw can see.
const NotCheckedYet = ({ status }: { status: AgentStatus }) => (
  <div class="banner unknown" role="status">
    Nothing has been checked yet: danelaw started <When at={status.started_at} />.
    <LastKnown known={status.last_known} />
  </div>
);

export function OwnFaultBanner({ status }: { status: AgentStatus | null }) {
  const fault = status && faultOf(status);
  if (status && !fault && !status.self_checked) return <NotCheckedYet status={status} />;
  if (!status || !fault) return null;
  const isBlind = countOf(status, "unknown") * 2 > status.config.domains;
  return (
    <div class="banner critical" role="alert">
      <strong>danelaw cannot see{isBlind ? "" : " everything"}</strong> since <Moment at={fault.since} short />:{" "}
      {fault.what}.
      <LastKnown known={status.last_known} /> <Link to="/status">Self-checks</Link>
    </div>
  );
}
