// The shell: which view the address asks for, and the frame around it.
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";

import { Alerts } from "./alerts";
import { DomainView } from "./domain";
import { Domains } from "./domains";
import { Overview } from "./overview";
import { Link } from "./parts";
import { StatusView } from "./status";

const schemes = ["auto", "light", "dark"] as const;

function View({ path, query }: { path: string; query: URLSearchParams }) {
  if (path === "/") return <Overview />;
  if (path === "/domains") return <Domains query={query} />;
  if (path.startsWith("/domains/")) {
    const name = decodeURIComponent(path.slice("/domains/".length));
    return <DomainView key={name} name={name} />;
  }
  if (path === "/alerts") return <Alerts />;
  if (path === "/status") return <StatusView />;
  return <h1>No such page</h1>;
}

function App() {
  const [place, setPlace] = useState(location.href);
  const [scheme, setScheme] = useState<string>(() => localStorage.getItem("scheme") ?? "auto");
  useEffect(() => {
    const moved = () => setPlace(location.href);
    addEventListener("popstate", moved);
    return () => removeEventListener("popstate", moved);
  }, []);
  useEffect(() => {
    document.documentElement.dataset["scheme"] = scheme;
    localStorage.setItem("scheme", scheme);
  }, [scheme]);
  const url = new URL(place);
  const at = (path: string) => (path === "/" ? url.pathname === "/" : url.pathname.startsWith(path));
  return (
    <>
      <header>
        <a class="skip" href="#main">Skip to the content</a>
        <span class="name">danelaw</span>
        <nav aria-label="Main">
          <Link to="/" current={at("/")}>Overview</Link>
          <Link to="/domains" current={at("/domains")}>Domains</Link>
          <Link to="/alerts" current={at("/alerts")}>Alerts</Link>
          <Link to="/status" current={at("/status")}>Status</Link>
        </nav>
        <label class="scheme">Colours <select value={scheme} onChange={(event) => setScheme(event.currentTarget.value)}>
          {schemes.map((one) => <option key={one}>{one}</option>)}
        </select></label>
      </header>
      <main id="main" tabIndex={-1}><View path={url.pathname} query={url.searchParams} /></main>
    </>
  );
}

const root = document.getElementById("app");
if (root) render(<App />, root);
