// The shell: which view the address asks for, and the frame around it.
import { render } from "preact";
import { useEffect, useReducer, useRef, useState } from "preact/hooks";

import type { AgentStatus } from "./api";
import type { Resource } from "./live";
import { startLive, useIsLive, useResource } from "./live";
import { askWhoIAm, useMe } from "./me";
import { Overview } from "./overview";
import { OwnFaultBanner } from "./own_fault";
import { announce, Link, Mark, Waiting } from "./parts";
import { follow } from "./place";
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

// All views but the first come in a file of their own, which is fetched once the first one stands.
let views: typeof import("./views") | undefined;
const fetchViews = () =>
  import("./views").then((module) => {
    views = module;
  });

function View(of: { path: string; query: URLSearchParams; status: Resource<AgentStatus> }) {
  const [fault, set] = useState<string | null>(null);
  const [, again] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    let timer = 0;
    const fetchThem = () =>
      fetchViews().then(
        () => again(undefined),
        (reason: Error) => {
          set(reason.message);
          timer = setTimeout(fetchThem, 5000);
        },
      );
    if (!views) fetchThem();
    return () => clearTimeout(timer);
  }, [of.path]);
  if (of.path === "/") return <Overview status={of.status} />;
  if (views) return <views.View path={of.path} query={of.query} />;
  return <Waiting of={{ data: null, error: fault, since: null }} />;
}

// On every view: whose mail does not arrive.
function HeldUp({ status }: { status: AgentStatus | null }) {
  const whose = status ? rolesOf(status, "held-up") : "";
  const what = status?.blind ? "cannot see" : whose && `${whose} held up`;
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
