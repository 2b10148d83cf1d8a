// Any domain, checked once without being watched; and the way to watch it from then on.
import { useEffect, useState } from "preact/hooks";

import type { Domain, OnceCheck } from "./api";
import { post } from "./api";
import { deliveryLook, verdictSentence } from "./catalogue";
import { FindingCard } from "./finding_card";
import { useResource } from "./live";
import { useMayAct } from "./me";
import { Act, DeliveryMark, DomainLink, Link, Mark, Title, Waiting, When } from "./parts";
import { navigate } from "./place";
import { hostSentence, verdictStatus, verdictWords } from "./words";

type Result = Pick<Domain, "domain" | "verdict" | "delivery" | "hosts" | "findings">;

function Hosts({ hosts }: Pick<Result, "hosts">) {
  if (hosts.length === 0) return null;
  return (
    <>
      <h2>MX hosts</h2>
      <ul class="plain">
        {hosts.map((one) => (
          <li key={one.host}>
            <strong>{one.host}</strong>{" "}
            <Mark status={verdictStatus(one.verdict)}>{one.verdict ? verdictWords[one.verdict] : "unknown"}</Mark>{" "}
            {one.verdict && hostSentence[one.verdict]}
          </li>
        ))}
      </ul>
    </>
  );
}

// The agent says no where it watches the domain already, or has no list to add it to.
function Watch({ domain }: { domain: string }) {
  const [isWatched, set] = useState(false);
  if (isWatched)
    return (
      <p role="status">
        <DomainLink name={domain} /> is watched from now on.
      </p>
    );
  return (
    <p>
      <Act label="+ Watch this domain" run={() => post("/api/v1/domains", { domain }).then(() => set(true))} />
    </p>
  );
}

function Outcome({ check, mayAct }: { check: OnceCheck; mayAct: boolean }) {
  if (check.state === "running")
    return (
      <p role="status">
        Checking DNS, SMTP and TLS of {check.domain}… <progress aria-label="A check is under way" />
      </p>
    );
  const result = check.result as Result | null;
  if (!result)
    return (
      <p role="alert" class="fault">
        {check.domain} could not be checked: {check.fault ?? "no result"}
      </p>
    );
  return (
    <>
      <div class={`card ${deliveryLook[result.delivery]}`}>
        <p>
          <strong>{result.domain}</strong> <DeliveryMark delivery={result.delivery} />
        </p>
        {result.verdict && <p>{verdictSentence[result.verdict]}</p>}
        <p class="muted">
          Checked <When at={check.started_at} />, once: nothing of it is kept in the history.
        </p>
        {mayAct && <Watch domain={result.domain} />}
      </div>
      <Hosts hosts={result.hosts} />
      {result.findings.length > 0 && <h2>Findings</h2>}
      {result.findings.map((one) => (
        <FindingCard key={`${one.code}${one.subject.name}`} finding={one} />
      ))}
    </>
  );
}

export function Check({ query }: { query: URLSearchParams }) {
  const mayAct = useMayAct();
  const id = query.get("id");
  const [domain, setDomain] = useState("");
  const [fault, say] = useState("");
  const found = useResource<OnceCheck>(id && `/api/v1/checks/${encodeURIComponent(id)}`, () => false);
  const isRunning = found.data?.state === "running";
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(found.again, 1000);
    return () => clearInterval(timer);
  }, [isRunning, id]);
  const start = (event: Event) => {
    event.preventDefault();
    say("");
    post<OnceCheck>("/api/v1/checks", { domain: domain.trim() }).then(
      (started) => navigate(`/check?id=${encodeURIComponent(started.id)}`),
      (reason: Error) => say(reason.message),
    );
  };
  return (
    <>
      <Title of="Check a domain">Check any domain once</Title>
      {mayAct ? (
        <form class="filters" onSubmit={start}>
          <label>
            Mail domain{" "}
            <input
              required
              autocomplete="off"
              autocapitalize="none"
              spellcheck={false}
              placeholder="example.org"
              value={domain}
              onInput={(event) => setDomain(event.currentTarget.value)}
            />
          </label>
          <button type="submit" disabled={isRunning}>
            {isRunning ? "Checking…" : "Check"}
          </button>
        </form>
      ) : (
        <p>Only those who may operate danelaw can have a domain checked.</p>
      )}
      {fault && (
        <p class="fault" role="alert">
          {fault}
        </p>
      )}
      {!id && (
        <p class="muted">
          It need not be one that is watched (those are under <Link to="/domains">Domains</Link>). The agent asks DNS
          and the mail servers now, as senders would; no mail is sent.
        </p>
      )}
      {id && <Waiting of={found} />}
      {id && found.data && <Outcome key={found.data.id} check={found.data} mayAct={mayAct} />}
    </>
  );
}
