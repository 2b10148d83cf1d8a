// Small pieces that several views use.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

import type { Alert, Delivery, Severity, Verdict } from "./api";
import { deliveryLook } from "./catalogue";
import type { Resource } from "./live";
import { navigate } from "./place";
import type { Look } from "./words";
import { ago, deliveryWords, dnssecStatus, utc, verdictStatus, verdictWords } from "./words";

const icons: Record<Look, string> = { ok: "✓", warning: "!", critical: "✕", unknown: "?", note: "i" };

export function Mark({ status, children }: { status: Look; children: ComponentChildren }) {
  return (
    <span class={`mark ${status}`}>
      <span class="icon" aria-hidden="true">
        {icons[status]}
      </span>
      {children}
    </span>
  );
}

export const VerdictMark = ({ verdict }: { verdict: Verdict | null }) => (
  <Mark status={verdictStatus(verdict)}>{verdict ? verdictWords[verdict] : "not probed yet"}</Mark>
);

export const DeliveryMark = ({ delivery }: { delivery: Delivery }) => (
  <Mark status={deliveryLook[delivery]}>{deliveryWords[delivery]}</Mark>
);

// Below the mark of what is not known now, in a list.
export const LastKnownAs = ({ known }: { known: { delivery: Delivery; observed_at: string } }) => (
  <div class="muted">
    last known, <When at={known.observed_at} />: {deliveryWords[known.delivery]}
  </div>
);

export const Dnssec = ({ status }: { status: string | null }) => (
  <Mark status={dnssecStatus(status)}>{status ?? "not asked"}</Mark>
);

const localTime = (at: string) => `${new Date(at).toLocaleString()} local time`;

// How long ago; the moment itself on hover.
export function When({ at }: { at: string | null }) {
  if (!at) return <span>never</span>;
  return (
    <time dateTime={at} title={`${utc(at)} — ${localTime(at)}`}>
      {ago(at, Date.now())}
    </time>
  );
}

// A moment in UTC; the local time on hover.
export const Moment = ({ at, short = false }: { at: string; short?: boolean }) => (
  <time dateTime={at} title={localTime(at)}>
    {utc(at, short)}
  </time>
);

export function Link({
  to,
  children,
  current,
  button,
  quiet,
  replace = false,
}: {
  to: string;
  children: ComponentChildren;
  current?: boolean;
  button?: boolean;
  quiet?: boolean;
  replace?: boolean; // the address, with no way back to the one before
}) {
  const follow = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    navigate(to, { replace });
  };
  return (
    <a
      href={to}
      onClick={follow}
      class={button ? "button" : quiet ? "muted" : undefined}
      aria-current={current ? "page" : undefined}
    >
      {children}
    </a>
  );
}

export const DomainLink = ({ name }: { name: string }) => (
  <Link to={`/domains/${encodeURIComponent(name)}`}>{name}</Link>
);
export const HostLink = ({ name }: { name: string }) => <Link to={`/mx/${encodeURIComponent(name)}`}>{name}</Link>;

// What to show while there is nothing yet, and that what is there may be old.
export function Waiting({ of }: { of: Pick<Resource<unknown>, "data" | "error" | "since"> }) {
  if (!of.error) return of.data ? null : <p class="loading muted">Loading…</p>;
  if (!of.data)
    return (
      <p class="banner critical" role="alert">
        Nothing to show: {of.error}.
      </p>
    );
  return (
    <p class="banner critical" role="alert">
      Cannot reach the agent since {utc(of.since ?? Date.now())}: {of.error}. What is shown may be old.
    </p>
  );
}

// What stands before the name of every view in the tab: whose mail is held up.
let trouble = "";
let view = "";
const setTab = () => {
  document.title = [trouble, view, "danelaw"].filter(Boolean).join(" · ");
};
export function announce(what: string) {
  trouble = what;
  setTab();
}

export function Title({ children, of }: { children: ComponentChildren; of: string }) {
  useEffect(() => {
    view = of;
    setTab();
  }, [of]);
  return <h1>{children}</h1>;
}

// The first line about a domain or an MX host: what happens to mail, since when, at how many domains, and which alert says so.
export function MailNow({
  delivery,
  says,
  since,
  alerts,
  worst,
  children,
}: {
  delivery: Delivery;
  says: string;
  since: string | null;
  alerts: Alert[];
  worst: Severity | undefined; // of what is found there
  children?: ComponentChildren;
}) {
  const open = alerts.filter((one) => one.state === "firing" || one.state === "pending");
  const [first] = open;
  return (
    <div class={`card ${deliveryLook[delivery]} mail`}>
      <p class="lead">
        <DeliveryMark delivery={delivery} /> {says}
        {since && (
          <span class="muted">
            {" "}
            Since <When at={since} />.
          </span>
        )}
      </p>
      {children}
      {first && (
        <p>
          <strong>{first.state === "firing" ? "Alert:" : "Alert, to be confirmed by another probe:"}</strong>{" "}
          <Link to={`/alerts#${first.id}`}>{first.title}</Link>
          {open.length > 1 && <> and {open.length - 1} more</>}
        </p>
      )}
      {!first && delivery === "held-up" && (
        <p>No alert is open about it{worst === "critical" || worst === "high" ? " yet" : ""}.</p>
      )}
    </div>
  );
}

export function Copyable({ text, label = "Copy" }: { text: string; label?: string }) {
  const [done, set] = useState(false);
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => {
        set(true);
        setTimeout(() => set(false), 2000);
      },
      () => {},
    );
  return (
    <div class="copyable">
      <pre tabIndex={0}>{text}</pre>
      {isSecureContext && (
        <button type="button" onClick={copy}>
          {done ? "Copied" : label}
        </button>
      )}
    </div>
  );
}

// A button whose action takes a while and may fail.
export function Act({
  label,
  busy = "One moment…",
  done,
  run,
  disabled,
}: {
  label: string;
  busy?: string;
  done?: string; // what to say then
  run: () => Promise<unknown>;
  disabled?: boolean;
}) {
  const [state, set] = useState<{ isBusy: boolean; fault: string | null; says?: string | undefined }>({
    isBusy: false,
    fault: null,
  });
  const act = () => {
    set({ isBusy: true, fault: null });
    run().then(
      () => set({ isBusy: false, fault: null, says: done }),
      (reason: Error) => set({ isBusy: false, fault: reason.message }),
    );
  };
  return (
    <>
      <button type="button" disabled={disabled || state.isBusy} onClick={act}>
        {state.isBusy ? busy : label}
      </button>
      {state.says && (
        <span role="status" class="muted">
          {" "}
          {state.says}
        </span>
      )}
      {state.fault && (
        <span class="fault" role="alert">
          {" "}
          {state.fault}
        </span>
      )}
    </>
  );
}
