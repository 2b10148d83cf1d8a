// A finding: what it means, what to do, what it was concluded from.
import type { Finding } from "./api";
import { NotForMail } from "./not_for_mail";
import { Mark } from "./parts";
import { RemedyLines } from "./remedy";
import { severityLook } from "./words";

export function Evidence({ evidence }: { evidence: Finding["evidence"] }) {
  const rows = Object.entries(evidence);
  if (rows.length === 0) return null;
  return (
    <details>
      <summary>Evidence</summary>
      <dl class="evidence">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {[value].flat().map((one) => (
                <div key={one}>
                  <code>{one}</code>
                </div>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

// Text of ours in which `backticks` set commands apart.
export function Prose({ text }: { text: string }) {
  return <>{text.split("`").map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}</>;
}

// `withRemedy`: the lines to paste are not shown yet.
type Explained = Omit<Finding, "consequence_of" | "consequences">;

// `isPart`: of another finding, which says what it means and what to do.
export function Explanation({
  finding,
  withRemedy = true,
  isPart = false,
}: {
  finding: Explained;
  withRemedy?: boolean;
  isPart?: boolean;
}) {
  return (
    <>
      {!isPart && (
        <p>
          <Prose text={finding.explanation} />
        </p>
      )}
      {finding.senders_now && !isPart && (
        <p>
          <strong>Senders now:</strong> <Prose text={finding.senders_now} />
        </p>
      )}
      {finding.fix.length > 0 && !isPart && (
        <>
          <p class="label">{finding.is_theirs ? "What their operators have to do" : "What to do"}</p>
          <ol>
            {finding.fix.map((step) => (
              <li key={step}>
                <Prose text={step} />
              </li>
            ))}
          </ol>
        </>
      )}
      {withRemedy && !isPart && finding.remedy && <RemedyLines remedy={finding.remedy} isTheirs={finding.is_theirs} />}
      <Evidence evidence={finding.evidence} />
      <NotForMail finding={finding} />
      <p class="muted">
        <a href={`/findings/${finding.code}`}>
          <code>{finding.code}</code>
        </a>
        {finding.references.map((one) => ` · ${one}`)}
      </p>
    </>
  );
}

// What nobody has to act upon is one line, which opens.
export function FindingCard({ finding, consequences = [] }: { finding: Finding; consequences?: Finding[] }) {
  const look = severityLook(finding.severity);
  const head = (
    <>
      <Mark status={look}>{finding.severity}</Mark> {finding.title}
    </>
  );
  if (look === "note")
    return (
      <details class="card note">
        <summary>{head}</summary>
        <Explanation finding={finding} />
      </details>
    );
  return (
    <article class={`card ${look}`}>
      <h3>{head}</h3>
      <Explanation finding={finding} />
      {consequences.length > 0 && (
        <>
          <p class="label">What belongs to it</p>
          {consequences.map((one) => (
            <details key={one.code}>
              <summary>{one.title}</summary>
              <Explanation finding={one} isPart />
            </details>
          ))}
        </>
      )}
    </article>
  );
}
