// What an alert rests on: the argument from the root key to the verdict, step by step, and the evidence to take along.
import { useState } from "preact/hooks";

import type { Alert, Explanation } from "./api";
import { get } from "./api";
import { Mark, Moment } from "./parts";
import type { Look } from "./words";

const looks: Record<Explanation["observations"][number]["steps"][number]["standing"], Look> = {
  proven: "ok",
  seen: "note",
  follows: "note",
  refuted: "critical",
};

function Steps({ explanation }: { explanation: Explanation }) {
  return (
    <>
      <p>
        <Mark status={explanation.is_proven ? "ok" : "warning"}>{explanation.is_proven ? "holds" : "not proven"}</Mark>{" "}
        {explanation.conclusion}
      </p>
      {explanation.observations.map((one) => (
        <section key={`${one.target} ${one.observed_at}`} aria-label={`Evidence of ${one.target}`}>
          <h5>
            {one.target}, seen <Moment at={one.observed_at} /> by {one.agent} from {one.vantage}
          </h5>
          <ol class="ladder">
            {one.steps.map((step, index) => (
              <li key={index}>
                <Mark status={looks[step.standing]}>{step.standing}</Mark> {step.what}
              </li>
            ))}
          </ol>
        </section>
      ))}
      <p class="muted">
        Proven: by signatures, verified again now. Seen: by whoever looked. Follows: from both, by RFC 7672.
      </p>
    </>
  );
}

// Asked for when it is opened: signatures are verified for it.
export function Ladder({ alert }: { alert: Alert }) {
  const path = `/api/v1/alerts/${encodeURIComponent(alert.id)}`;
  const [found, set] = useState<Explanation | null>(null);
  const [fault, say] = useState<string | null>(null);
  const [isAsked, ask] = useState(false);
  const open = (isOpen: boolean) => {
    if (!isOpen || isAsked) return;
    ask(true);
    get<Explanation>(`${path}/explanation`).then(set, (error) => say(String(error.message ?? error)));
  };
  return (
    <details onToggle={(event) => open(event.currentTarget.open)}>
      <summary>Evidence, step by step</summary>
      {isAsked && !found && !fault && <p class="muted">Loading…</p>}
      {fault && <p>{fault}</p>}
      {found && <Steps explanation={found} />}
      {found && (
        <p>
          <a href={`${path}/evidence`} download>
            Download the evidence
          </a>{" "}
          <span class="muted">
            (anybody can verify it: <code>danelaw explain FILE</code>)
          </span>
        </p>
      )}
    </details>
  );
}
