// All views but the overview, which comes first: which of them the address asks for.
import { Acts } from "./acts";
import { Alerts } from "./alerts";
import { Certificates } from "./certificates";
import { Check } from "./check";
import { PostfixView } from "./deliveries";
import { Diff } from "./diff";
import { DomainView } from "./domain";
import { Domains } from "./domains";
import { Findings } from "./findings";
import { History } from "./history";
import { Hosts } from "./hosts";
import { HostView } from "./mx";
import { Title } from "./parts";
import { Plan } from "./plan";
import { ReportView } from "./report";
import { Silences } from "./silences";
import { StatusView } from "./status";

// An address may be anything.
function decoded(part: string) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function View({ path, query }: { path: string; query: URLSearchParams }) {
  const [, folder, rest] = path.split("/");
  const name = rest ? decoded(rest) : "";
  switch (folder) {
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
    case "certificates":
      return <Certificates query={query} />;
    case "check":
      return <Check query={query} />;
    case "postfix":
      return <PostfixView />;
    case "report":
      return <ReportView query={query} />;
    case "diff":
      return <Diff query={query} />;
    case "status":
      return <StatusView />;
    default:
      return <Title of="No such page">No such page</Title>;
  }
}
