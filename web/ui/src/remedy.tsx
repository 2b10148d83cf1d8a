// What to do about an alert, as lines to paste, and how long it takes to help.
import { useState } from "preact/hooks";

import type { Alert, Remedy } from "./api";
import { post } from "./api";
import { Act, Copyable, Link, Moment, When } from "./parts";

const forms = [
  ["nsupdate", "nsupdate"],
  ["zone_file", "zone file (BIND)"],
  ["knotc", "knotc"],
] as const;

function Forms({ remedy }: { remedy: Remedy }) {
  const [shown, show] = useState<(typeof forms)[number][0] | null>(null);
  const given = forms.filter(([form]) => remedy[form]);
  return (
    <>
      <p class="actions">
        {given.map(([form, name]) => (
          <button
            key={form}
            type="button"
            aria-expanded={shown === form}
            onClick={() => show(shown === form ? null : form)}
          >
            as {name}
          </button>
        ))}
      </p>
      {shown && <Copyable text={remedy[shown] ?? ""} />}
    </>
  );
}

export function RemedyLines({ remedy, isTheirs }: { remedy: Remedy; isTheirs: boolean }) {
  const where = remedy.server ? ` at ${remedy.server}` : "";
  const [publish, take] = isTheirs ? ["For them to publish", "For them to remove"] : ["Publish", "Remove"];
  return (
    <>
      {remedy.publish.length > 0 && (
        <>
          <p class="label">
            {publish}
            {where}
          </p>
          <Copyable text={remedy.publish.join("\n")} />
        </>
      )}
      {remedy.remove.length > 0 && (
        <>
          <p class="label">
            {take}
            {where}
          </p>
          <Copyable text={remedy.remove.join("\n")} />
        </>
      )}
      {remedy.nsupdate && <Forms remedy={remedy} />}
    </>
  );
}

// Of a partner's: whose it is, and what we can do, for the rest is for their operators.
function PartnersTrouble({ partner }: { partner: NonNullable<Alert["partner"]> }) {
  return (
    <>
      <p>
        <strong>{partner.whose}</strong>
      </p>
      <p class="label">What we can do</p>
      <ul>
        {partner.ours.map((one) => (
          <li key={one}>{one}</li>
        ))}
        <li>
          <Link to={partner.page}>The page of the domain</Link>
        </li>
      </ul>
    </>
  );
}

function recovery(isLine: boolean | null, isTheirs: boolean): string {
  if (!isLine) return "The last cache recovers by itself";
  return isTheirs ? "If they do it now, the last cache recovers" : "Done now, the last cache recovers";
}

// The times that count, and where to go from here.
export function WhatNow({ alert, mayAct }: { alert: Alert; mayAct: boolean }) {
  const { remedy, bounces_at: bounces, links } = alert;
  const isLine = remedy && remedy.publish.length + remedy.remove.length > 0;
  return (
    <>
      {alert.partner && <PartnersTrouble partner={alert.partner} />}
      {remedy && <RemedyLines remedy={remedy} isTheirs={alert.is_theirs} />}
      {remedy?.recovers_at && (
        <p>
          {recovery(isLine, alert.is_theirs)} <When at={remedy.recovers_at} />, at <Moment at={remedy.recovers_at} />.
        </p>
      )}
      {bounces && (
        <p>
          Mail that waits in senders' queues begins to bounce <When at={bounces} />, at <Moment at={bounces} short />.
        </p>
      )}
      {links && (
        <p class="actions">
          {mayAct && links.recheck.length > 0 && (
            <Act
              label="Check now"
              done="A probe has been asked for."
              run={() => Promise.all(links.recheck.map((path) => post(path)))}
            />
          )}
          {links.host && (
            <Link button to={links.host}>
              MX host
            </Link>
          )}
        </p>
      )}
    </>
  );
}
