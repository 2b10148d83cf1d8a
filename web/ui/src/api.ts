// The shapes of the JSON API, and one way to fetch and to change.

export type Verdict =
  | "authenticated" | "host-authenticated" | "encrypted" | "opportunistic" | "cleartext" | "refused"
  | "lookup-failed" | "down" | "no-address" | "unknown" | "deferred" | "bounced" | "no-mail";
export type Severity = "critical" | "high" | "medium" | "low" | "info";
export type Delivery = "held-up" | "unprotected" | "at-risk" | "fine" | "unknown";
export type Status = "ok" | "warning" | "critical" | "unknown";
export type RolloverState =
  | "no-dane" | "steady" | "prepub-wait" | "prepub-ok" | "ready" | "switching" | "rolled" | "stale-risk" | "fallback"
  | "mismatch" | "partial-mismatch" | "dns-fail" | "withdrawn" | "unknown";

export interface Page<T> { items: T[]; next: string | null; total?: number }
export interface Split { sender: string; verdict: Verdict }
export interface Subject { kind: string; name: string }

export interface Finding {
  code: string; severity: Severity; subject: Subject; title: string; explanation: string; senders_now: string;
  fix: string[]; evidence: Record<string, string | string[]>; references: string[]; tlsrpt: string | null;
}
export interface FindingItem extends Finding { domain: string }

export interface Alert extends Finding {
  id: string; state: "pending" | "firing" | "resolved" | "passed"; domains: string[]; direction: string; flapping: boolean;
  silenced: boolean; first_seen_at: string; last_seen_at: string; opened_at: string | null; resolved_at: string | null;
  told_at: string | null; acknowledged: { by: string; comment: string; at: string; until: string | null } | null;
}
export interface Notice {
  event: string; notifier: string; decided_at: string; delivered_at: string | null; attempts: number; fault: string | null;
}
export interface AlertDetail extends Alert { notices: Notice[] }

export interface Matcher { name: string; value: string; is_regex: boolean; is_equal: boolean }
export interface WantedSilence {
  matchers: Matcher[]; starts_at?: string; ends_at: string; created_by: string; comment: string; expected_key?: string;
}
export interface Silence {
  id: string; state: "pending" | "active" | "ended"; matchers: Matcher[]; starts_at: string; ends_at: string;
  created_by: string; comment: string; expected_key: string | null;
}
export interface Covered { id: string; state: string; severity: Severity; title: string; covered: number; of: number }

export interface RecordData { usage: number; selector: number; matching_type: number; data: string }
export interface TlsaRecord extends RecordData { usable: boolean; unusable_because: string | null; matched: boolean }
export interface FittingRecord extends RecordData { subject: string; not_before: string; not_after: string }
export interface Clearance {
  answer: "yes" | "not-before" | "never" | "unknown"; not_before: string | null; recommended: string | null;
  missing: RecordData | null; not_before_then: string | null; why: string[]; observed_at: string;
}
export interface Certificate {
  subject: string; issuer: string; not_before: string; not_after: string; sha256: string; spki_sha256: string;
  dns_names: string[];
}
export interface Endpoint {
  address: string; port: number; key_type: string; verdict: Verdict; reason: string; stage: string;
  starttls: boolean | null; tls: { version: string; cipher: string } | null;
  matched: (RecordData & { depth: number }) | null; chain: Certificate[];
  smtp: { banner: string | null; last_reply: string | null; detail: string | null; transcript?: string[] };
}
export interface Host {
  host: string; preference: number; verdict: Verdict; weakest: Verdict; splits: Split[];
  addresses: { outcome: string; dnssec: string; a: string[]; aaaa: string[]; cname: string[] };
  tlsa: {
    outcome: string; dnssec: string | null; base_domain: string | null; owner: string | null; ttl: number | null;
    rrsig_expires_at: string | null; detail: string | null; records: TlsaRecord[];
  };
  endpoints: Endpoint[];
}

export interface Rollover {
  host: string; owner: string; state: RolloverState; failing_share: number | null;
  window: { from: string; until: string | null } | null; safe_to_switch_at: string | null;
  recommended_switch_at: string | null; safe_to_remove_at: string | null;
  rollovers: {
    from: string; to: string; grade: string; lead: [number | null, number | null]; exposure_seconds: number | null;
    deployed_at: string;
  }[];
}
export interface Exception { domain: string; level: string; line: string; made_at: string; until: string }
export interface Partner { postmaster_text: string | null; proposed_exception: Exception | null; exception: Exception | null }
export interface Domain {
  domain: string; role: string; group: string; observed_at: string | null; verdict: Verdict | null;
  weakest: Verdict | null; severity: Severity; splits: Split[];
  status: Status; delivery: Delivery; delivery_since: string | null;
  mx: {
    outcome: string; source: string; dnssec: string | null; ttl: number | null; rrsig_expires_at: string | null;
    detail: string | null;
  } | null;
  hosts: Host[]; findings: Finding[]; alerts: Alert[]; next_check_at: string | null;
  rollover: (Rollover & { hosts: Rollover[] }) | null; partner: Partner | null;
}
export interface DomainItem {
  domain: string; role: string; group: string; verdict: Verdict | null; weakest: Verdict | null; severity: Severity;
  status: Status; delivery: Delivery; delivery_since: string | null;
  worst_finding: { code: string; severity: Severity; title: string } | null;
  mx_hosts: number; dane_mx_hosts: number; observed_at: string | null; next_check_at: string | null; alerts: number;
}

export interface MxHost {
  host: string; observed_at: string; addresses: string[]; tlsa: { owner: string; ttl: number | null };
  domains: string[]; rollover: Rollover | null;
  verdict: Verdict | null; delivery: Delivery; delivery_since: string | null; held_up: number; certificate_seen: boolean; alerts: Alert[];
}
export interface Timeline extends Rollover {
  now: string; from: string; until: string;
  records: (RecordData & { spans: { from: string; until: string | null; cached_until: string | null }[] })[];
  endpoints: {
    endpoint: string; keys: { spki_sha256: string; from: string; until: string | null; matched_by: string[] }[];
  }[];
  signatures: {
    server: string | null; from: string; last_seen_at: string; inception_at: string | null; expires_at: string;
    signed_per_answer: boolean;
  }[];
  failing: { from: string; until: string | null }[];
  gaps: { from: string; until: string }[];
}

// `content` as storage wrote it, by kind; see history.tsx, which reads it.
/** Older versions of what changed so often that they are only counted. */
export interface Sum { kind: string; subject: string; versions: number; from: string; until: string }
export interface HistoryPage extends Page<Event> { summed?: Sum[] }
export interface Event { at: string; kind: string; subject: string; last_seen_at: string; current: boolean; content: unknown }
export interface Deadline { at: string; kind: string; subject: Subject }
export interface AgentStatus {
  version: string; started_at: string; now: string; config: { domains: number; mx_hosts: number; interval: number };
  scheduler: { queue_length: number; in_flight: number; lag_seconds: number; rounds: number; last_round_at: string | null };
  vantage: { check: string; up: boolean; detail: string | null; checked_at: string }[];
  resolvers: { resolver: string; validating: boolean | null }[]; reload: { successful: boolean; succeeded_at: string };
  storage: { size_bytes: number | null; errors: number; fault?: string | null; unrecorded_rounds?: number; lost_rounds?: number }; counts: Record<Status, number>; open_alerts: number;
  rollovers_under_way: number;
  delivery: Record<Delivery, { inbound: number; outbound: number }>; held_up_lately: number | null;
  notifiers: {
    name: string; waiting: number; delivered: number; failed: number; last_success_at: string | null; fault: string | null;
  }[];
}

async function asked<T>(path: string, init: RequestInit): Promise<T> {
  const reply = await fetch(path, init);
  if (!reply.ok) {
    const problem = (await reply.json().catch(() => null)) as { title?: string; detail?: string } | null;
    throw new Error(problem?.detail || problem?.title || `the agent answered ${reply.status}`);
  }
  return (reply.headers.get("content-type")?.startsWith("application/json") ? await reply.json() : null) as T;
}

export const get = <T,>(path: string, signal?: AbortSignal): Promise<T> =>
  asked<T>(path, { signal: signal ?? null, headers: { Accept: "application/json" } });

export const post = <T,>(path: string, body: unknown = {}): Promise<T> =>
  asked<T>(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export const remove = (path: string): Promise<void> => asked<void>(path, { method: "DELETE" });

export const domainPath = (name: string) => `/api/v1/domains/${encodeURIComponent(name)}`;
export const hostPath = (name: string) => `/api/v1/mx/${encodeURIComponent(name)}`;
export const recordText = (one: RecordData) => `${one.usage} ${one.selector} ${one.matching_type} ${one.data}`;
