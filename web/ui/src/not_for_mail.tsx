// A key of a certificate that no mail server will ever present: said once, it is kept.
import { useState } from "preact/hooks";

import type { Finding } from "./api";
import { post } from "./api";
import { NameField, rememberedName, rememberName } from "./forms";
import { useMayAct } from "./me";
import { Act, Link } from "./parts";

function OneKey({ of }: { of: string }) {
  const [by, setBy] = useState(rememberedName);
  const [comment, setComment] = useState("");
  const run = () => {
    rememberName(by);
    return post(`/api/v1/certificates/${of}/not-for-mail`, { by, comment });
  };
  return (
    <form class="wish" onSubmit={(event) => event.preventDefault()} aria-label={`Not for mail: key ${of}`}>
      <p>
        Key <code>{of.slice(0, 16)}…</code>
      </p>
      <NameField value={by} onChange={setBy} />
      <label>
        What it is for{" "}
        <input value={comment} placeholder="the website's" onInput={(event) => setComment(event.currentTarget.value)} />
      </label>
      <p>
        <Act label="Not for mail" done="Kept; the host is being probed." run={run} />
      </p>
    </form>
  );
}

export const SayNotForMail = ({ keys }: { keys: string[] }) => (
  <details>
    <summary>It is for no mail server</summary>
    <p>
      Nothing is said any more of certificates of this key. <Link to="/certificates">Certificates issued</Link> has a
      way to take it back.
    </p>
    {keys.map((one) => (
      <OneKey key={one} of={one} />
    ))}
  </details>
);

// For whoever may act, at a finding about certificates that nobody presents yet.
export function NotForMail({ finding }: { finding: Pick<Finding, "code" | "evidence"> }) {
  const mayAct = useMayAct();
  const keys = [finding.evidence.key ?? []].flat();
  if (!mayAct || finding.code !== "next-key-unpublished" || keys.length === 0) return null;
  return <SayNotForMail keys={keys} />;
}
