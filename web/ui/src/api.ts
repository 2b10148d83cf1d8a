// The shapes of the JSON API, which are made from web/openapi.json before each build, and one way to fetch and to change.
import type { components, paths } from "../made/openapi";

type Schemas = components["schemas"];
type Shown<Path extends keyof paths> = paths[Path] extends {
  get: { responses: { 200: { content: { "application/json": infer Body } } } };
}
  ? Body
  : never;
type Posted<Path extends keyof paths> = paths[Path] extends {
  post: { responses: { 200: { content: { "application/json": infer Body } } } };
}
  ? Body
  : never;
type Sent<Path extends keyof paths> = paths[Path] extends {
  post: { requestBody: { content: { "application/json": infer Body } } };
}
  ? Body
  : never;

export type Verdict = Schemas["Verdict"];
export type Severity = Schemas["Severity"];
export type Delivery = Schemas["Delivery"];
export type Status = Schemas["DomainStatus"];
export type RolloverState = Schemas["RolloverState"];
export type Finding = Schemas["Finding"];
export type FindingItem = Schemas["OpenFinding"];
export type Alert = Schemas["Alert"];
export type Matcher = Schemas["Matcher"];
export type Silence = Schemas["Silence"];
export type WantedSilence = Sent<"/api/v1/silences">;
export type Covered = Posted<"/api/v1/silences/preview">["items"][number];
export type FittingRecord = Posted<"/api/v1/tlsa">["items"][number];
export type RecordData = Pick<FittingRecord, "usage" | "selector" | "matching_type" | "data">;
export type GateAnswer = Posted<"/api/v1/mx/{host}/gate">;
export type Certificate = Schemas["Certificate"];
export type Endpoint = Schemas["Endpoint"];
export type Host = Schemas["Host"];
export type Rollover = Schemas["Rollover"];
export type Domain = Schemas["Domain"];
export type Partner = NonNullable<Domain["partner"]>;
export type DomainItem = Schemas["DomainRow"];
export type MxHost = Schemas["MxHost"];
export type Timeline = Schemas["Timeline"];
export type Event = Schemas["Event"]; // `content` as storage wrote it, by kind; see facts.ts, which reads it
export type HistoryPage = Shown<"/api/v1/domains/{name}/history">;
export type Deadline = Schemas["Deadline"];
export type AgentStatus = Schemas["Status"];

export type Agents = Shown<"/api/v1/agents">;

export type AlertPage = Shown<"/api/v1/alerts">;
export type FindingPage = Shown<"/api/v1/findings">;
export type Remedy = Schemas["Remedy"];
export type Blind = NonNullable<AgentStatus["blind"]>;
// What was seen when it could last be told.
export type LastKnown = NonNullable<Domain["last_known"]> | NonNullable<MxHost["last_known"]>;
export type Known = NonNullable<AgentStatus["last_known"]>;
export type Cause = Schemas["Cause"];
export type Days = Schemas["Days"];
export type Senders = Schemas["Senders"];
export type Explanation = Schemas["Explanation"];
export type HappeningItem = Schemas["LogEvent"];
export type OwnPostfix = Shown<"/api/v1/deliveries">;
export type Disagreements = Shown<"/api/v1/deliveries/disagreements">;
export type OwnDeliveries = Shown<"/api/v1/domains/{name}/deliveries">;
export type HostDeliveries = Shown<"/api/v1/mx/{host}/deliveries">;
export type Exceptions = Shown<"/api/v1/exceptions">;
export type ProposedPartners = Shown<"/api/v1/partners">;
export type Me = Schemas["Client"];
export type ActItem = Schemas["Act"];
export type OnceCheck = Schemas["OnceCheck"];
export type IssuedCertificate = Shown<"/api/v1/certificates">["items"][number];
export type Report = Schemas["Report"];
export type MxItem = Schemas["MxRow"];

export interface Page<T> {
  items: T[];
  next: string | null;
  total?: number;
}

async function asked<T>(path: string, init: RequestInit): Promise<T> {
  const reply = await fetch(path, init);
  if (!reply.ok) {
    const problem = (await reply.json().catch(() => null)) as { title?: string; detail?: string } | null;
    throw new Error(problem?.detail || problem?.title || `the agent answered ${reply.status}`);
  }
  return (reply.headers.get("content-type")?.startsWith("application/json") ? await reply.json() : null) as T;
}

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> =>
  asked<T>(path, { signal: signal ?? null, headers: { Accept: "application/json" } });

export const post = <T>(path: string, body: unknown = {}): Promise<T> =>
  asked<T>(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export const remove = (path: string): Promise<void> => asked<void>(path, { method: "DELETE" });

export const domainPath = (name: string) => `/api/v1/domains/${encodeURIComponent(name)}`;
export const hostPath = (name: string) => `/api/v1/mx/${encodeURIComponent(name)}`;
export const recordText = (one: RecordData) => `${one.usage} ${one.selector} ${one.matching_type} ${one.data}`;
