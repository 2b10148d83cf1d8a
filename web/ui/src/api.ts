// The shapes of the JSON API, and one way to fetch them.

export type Verdict =
  | "authenticated" | "host-authenticated" | "encrypted" | "opportunistic" | "cleartext" | "refused"
  | "lookup-failed" | "down" | "no-address" | "unknown" | "deferred" | "bounced" | "no-mail";
export type Severity = "critical" | "high" | "medium" | "low" | "info";
export type Status = "ok" | "warning" | "critical" | "unknown";

export interface Split { sender: string; verdict: Verdict }
export interface Subject { kind: string; name: string }
export interface Finding {
  code: string; severity: Severity; subject: Subject; title: string; explanation: string; senders_now: string;
  fix: string[]; evidence: Record<string, string | string[]>; references: string[]; tlsrpt: string | null;
}
export interface Alert extends Finding {
  id: string; state: "pending" | "firing" | "resolved"; domains: string[];
  first_seen_at: string; last_seen_at: string; opened_at: string | null; resolved_at: string | null;
}
export interface TlsaRecord {
  usage: number; selector: number; matching_type: number; data: string; usable: boolean;
  unusable_because: string | null; matched: boolean;
}
export interface Certificate {
  subject: string; issuer: string; not_before: string; not_after: string; sha256: string; spki_sha256: string;
  dns_names: string[];
}
export interface Endpoint {
  address: string; port: number; key_type: string; verdict: Verdict; reason: string; stage: string;
  starttls: boolean | null; tls: { version: string; cipher: string } | null;
  matched: { usage: number; selector: number; matching_type: number; data: string; depth: number } | null;
  chain: Certificate[]; smtp: { banner: string | null; last_reply: string | null; detail: string | null };
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
export interface Domain {
  domain: string; role: string; group: string; observed_at: string | null; verdict: Verdict | null;
  weakest: Verdict | null; severity: Severity; splits: Split[];
  mx: { outcome: string; source: string; dnssec: string | null; ttl: number | null; rrsig_expires_at: string | null; detail: string | null } | null;
  hosts: Host[]; findings: Finding[]; alerts: Alert[]; next_check_at: string | null;
}
export interface DomainItem {
  domain: string; role: string; group: string; verdict: Verdict | null; weakest: Verdict | null; severity: Severity;
  status: Status; worst_finding: { code: string; severity: Severity; title: string } | null;
  mx_hosts: number; dane_mx_hosts: number; observed_at: string | null; next_check_at: string | null; alerts: number;
}
export interface Page<T> { items: T[]; next: string | null; total?: number }
export interface AgentStatus {
  version: string; started_at: string; now: string; config: { domains: number; mx_hosts: number; interval: number };
  scheduler: { queue_length: number; in_flight: number; lag_seconds: number; rounds: number; last_round_at: string | null };
  vantage: { check: string; up: boolean; detail: string | null; checked_at: string }[];
  storage: { size_bytes: number; errors: number }; counts: Record<Status, number>; open_alerts: number;
}

export async function get<T>(path: string, signal: AbortSignal): Promise<T> {
  const reply = await fetch(path, { signal, headers: { Accept: "application/json" } });
  if (!reply.ok) {
    const problem = (await reply.json().catch(() => null)) as { title?: string; detail?: string } | null;
    throw new Error(problem?.detail ?? problem?.title ?? `the agent answered ${reply.status}`);
  }
  return (await reply.json()) as T;
}

export async function checkNow(domain: string): Promise<void> {
  const reply = await fetch(`/api/v1/domains/${encodeURIComponent(domain)}/check`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: "{}",
  });
  if (!reply.ok) throw new Error(`the agent answered ${reply.status}`);
}
