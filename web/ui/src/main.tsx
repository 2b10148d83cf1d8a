// The shell: which view the address asks for, and the frame around it.
import { render } from "preact";
import { useEffect, useReducer, useRef, useState } from "preact/hooks";

import { Acts } from "./acts";
import { Alerts } from "./alerts";
import type { AgentStatus } from "./api";
import { Check } from "./check";
import { PostfixView } from "./deliveries";
import { Diff } from "./diff";
import { DomainView } from "./domain";
import { Domains } from "./domains";
import { Findings } from "./findings";
import { History } from "./history";
import { Hosts } from "./hosts";
import type { Resource } from "./live";
import { startLive, useIsLive, useResource } from "./live";
import { askWhoIAm, useMe } from "./me";
import { HostView } from "./mx";
import { Overview } from "./overview";
import { OwnFaultBanner } from "./own_fault";
import { announce, Link, Mark, Title } from "./parts";
import { follow } from "./place";
import { Plan } from "./plan";
import { Silences } from "./silences";
import { StatusView } from "./status";
import { countOf, rolesOf } from "./words";

const schemes = ["auto", "light", "dark"] as const;
const places: [string, string][] = [
  ["/", "Overview"],
  ["/domains", "Domains"],
  ["/mx", "MX hosts"],
  ["/alerts", "Alerts"],
  ["/silences", "Silences"],
  ["/findings", "Findings"],
  ["/history", "History"],
  ["/check", "Check"],
  ["/acts", "Audit"],
  ["/postfix", "Postfix"],
  ["/status", "Status"],
];

function View({ path, query, status }: { path: string; query: URLSearchParams; status: Resource<AgentStatus> }) {
  const [, folder, rest] = path.split("/");
  const name = rest ? decodeURIComponent(rest) : "";
  switch (folder) {
    case "":
      return <Overview status={status} />;
    case "domains":
      return name ? <DomainView key={name} name={name} query={query} /> : <Domains query={query} />;
    case "mx":
      if (!name) return <Hosts query={query} />;
      return <HostView key={name} name={name} query={query} />;
    case "alerts":
      return <Alerts query={query} />;
    case "silences":
      return <Silences query={query} />;
    case "plan":
      return <Plan query={query} />;
    case "findings":
      return <Findings query={query} />;
    case "history":
      return <History query={query} />;
    case "acts":
      return <Acts query={query} />;
    case "check":
      return <Check query={query} />;
    case "postfix":
      return <PostfixView />;
    case "diff":
      return <Diff query={query} />;
    case "status":
      return <StatusView />;
    default:
      return <Title of="No such page">No such page</Title>;
  }
}

// On every view: whose mail does not arrive.
function HeldUp({ status }: { status: AgentStatus | null }) {
  const whose = status ? rolesOf(status, "held-up") : "";
  const what = whose && `${whose} held up`;
  useEffect(() => announce(what), [what]);
  if (!status || !whose) return null;
  return (
    <span class="live">
      <Link to="/domains?delivery=held-up">
        <Mark status="critical">{countOf(status, "held-up")} held up</Mark>
      </Link>
    </span>
  );
}

// Whose name stands behind what is done here.
function Who() {
  const { name, right, login, groups } = useMe();
  if (login === "none" || (login === "user" && !name)) return null; // nobody, or not known yet
  const whose = groups?.length ? `, group${groups.length > 1 ? "s" : ""} ${groups.join(", ")}` : "";
  return <span class="live">{name ? `${name} (${right}${whose})` : `${right}${whose}`}</span>;
}

function Live() {
  const isLive = useIsLive();
  return (
    <span class="live" role="status">
      <Mark status={isLive ? "ok" : "unknown"}>{isLive ? "live" : "asking every 30 s"}</Mark>
    </span>
  );
}

function App() {
  const [place, setPlace] = useState(location.href);
  const [scheme, setScheme] = useState<string>(() => localStorage.getItem("scheme") ?? "auto");
  const [, tick] = useReducer((n: number) => n + 1, 0);
  const main = useRef<HTMLElement>(null);
  const url = new URL(place);
  const status = useResource<AgentStatus>("/api/v1/status", () => true, 3000);
  useEffect(() => {
    const stop = follow((isNew) => {
      isMove.current = isNew;
      setPlace(location.href);
    });
    const clock = setInterval(tick, 15_000, undefined); // "3 min ago" has to grow
    return () => {
      stop();
      clearInterval(clock);
    };
  }, []);
  useEffect(() => {
    document.documentElement.dataset.scheme = scheme;
    localStorage.setItem("scheme", scheme);
  }, [scheme]);
  // Whoever reads by ear or keyboard begins at the new view, not where the old link was.
  const isMove = useRef(false);
  useEffect(() => {
    if (isMove.current && !url.hash) {
      scrollTo(0, 0);
      main.current?.focus({ preventScroll: true });
    }
    isMove.current = false;
  }, [url.pathname]);
  const isAt = (path: string) => url.pathname === path || (path !== "/" && url.pathname.startsWith(`${path}/`));
  return (
    <>
      <header>
        <a class="skip" href="#main">
          Skip to the content
        </a>
        <span class="name">danelaw</span>
        <nav aria-label="Main">
          {places.map(([path, name]) => (
            <Link key={path} to={path} current={isAt(path)}>
              {name}
            </Link>
          ))}
        </nav>
        <HeldUp status={status.data} />
        <Who />
        <Live />
        <label class="scheme">
          <span class="hidden">Colours</span>{" "}
          <select value={scheme} onChange={(event) => setScheme(event.currentTarget.value)}>
            {schemes.map((one) => (
              <option key={one} value={one}>
                {one === "auto" ? "auto colours" : one}
              </option>
            ))}
          </select>
        </label>
      </header>
      <OwnFaultBanner status={status.data} />
      <main id="main" tabIndex={-1} ref={main}>
        <View path={url.pathname} query={url.searchParams} status={status} />
      </main>
    </>
  );
}

startLive();
askWhoIAm();
const root = document.getElementById("app");
if (root) render(<App />, root);
