// A domain of somebody else: what to write to them, and the exception that lets our mail through meanwhile.
import type { Delivery, Exceptions, Partner } from "./api";
import { domainPath, post, remove } from "./api";
import { useResource } from "./live";
import { useMayAct } from "./me";
import { Act, Copyable, Mark, Moment, When } from "./parts";

// Where there is neither a letter to write nor an exception to make.
const nothingToDo: Record<Delivery, string> = {
  "held-up": "Only their operators can put this right: no exception of ours lets mail through.",
  unprotected: "danelaw sees nothing that holds up mail to them.",
  "at-risk": "danelaw sees nothing that holds up mail to them.",
  fine: "danelaw sees nothing that holds up mail to them.",
  unknown: "Whether mail to them is held up could not be determined.",
};

interface Theirs {
  name: string;
  partner: Partner;
  delivery: Delivery;
  again: () => void;
}

export function PartnerView({ name, partner, delivery, again }: Theirs) {
  const mayAct = useMayAct();
  const path = `${domainPath(name)}/exception`;
  // Where Postfix asks danelaw itself there is nothing to write into a map, and nothing to take out again.
  const served = useResource<Exceptions>("/api/v1/exceptions", () => true, 5000).data;
  const isServed = (level: string) => Boolean(served?.served) && level === "encrypt";
  const asked = served?.items.find((one) => one.domain === name);
  const { exception, proposed_exception: proposed, postmaster_text: text } = partner;
  return (
    <>
      <h2>Our partner's domain</h2>
      {!text && !exception && !proposed && <p>{nothingToDo[delivery]}</p>}
      {exception && isServed(exception.level) && (
        <>
          <p>
            <Mark status="warning">exception in force</Mark> since <When at={exception.made_at} />, until{" "}
            <Moment at={exception.until} short />. Postfix is answered <code>{asked?.answer.trim() ?? "NOTFOUND"}</code>
            ; it asked {asked?.asked ?? 0} times. danelaw ends it by itself when two probes see the partner well.
          </p>
          {mayAct && (
            <p>
              <Act label="End the exception" run={() => remove(path).then(again)} />
            </p>
          )}
        </>
      )}
      {!exception && proposed && isServed(proposed.level) && (
        <>
          <p>
            To let mail through meanwhile, approve an exception: Postfix then encrypts without authenticating. It ends
            when their DANE works again, or at <Moment at={proposed.until} short />.
          </p>
          {mayAct && (
            <p>
              <Act label="Approve the exception" run={() => post(path).then(again)} />
            </p>
          )}
        </>
      )}
      {exception && !isServed(exception.level) && (
        <>
          <p>
            <Mark status="warning">exception in force</Mark> since <When at={exception.made_at} />, until{" "}
            <Moment at={exception.until} short />. Remove this line from Postfix's <code>smtp_tls_policy_maps</code>{" "}
            when the partner works again:
          </p>
          <Copyable text={exception.line} />
          {mayAct && (
            <p>
              <Act label="I have removed it" run={() => remove(path).then(again)} />
            </p>
          )}
        </>
      )}
      {!exception && proposed && !isServed(proposed.level) && (
        <>
          <p>
            To let mail through meanwhile, put this line into Postfix's <code>smtp_tls_policy_maps</code>. It weakens
            the protection of that mail: danelaw asks for its removal once theirs works again, or at{" "}
            <Moment at={proposed.until} short />.
          </p>
          <Copyable text={proposed.line} />
          {mayAct && (
            <p>
              <Act label="I have put it in" run={() => post(path).then(again)} />
            </p>
          )}
        </>
      )}
      {text && (
        <details open={!exception}>
          <summary>What to write to their postmaster</summary>
          <Copyable text={text} label="Copy the mail" />
        </details>
      )}
    </>
  );
}
