// What the history holds, as lists of short texts that can be read and compared as sets.
import type { Delivery, Event, Verdict } from "./api";
import { deliveryWords, plural, verdictWords } from "./words";

type Content = Record<string, unknown>;
const isObject = (value: unknown): value is Content =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : JSON.stringify(value);

export function elements(event: Event): string[] {
  const { kind, content } = event;
  if (kind === "findings")
    return list(content).map((one) => {
      const [code, severity, subject] = list(one);
      return `${text(severity)}: ${text(code).replaceAll("-", " ")} (${text(subject)})`;
    });
  if (kind === "chain")
    return list(content).map((one, depth) => `${depth === 0 ? "leaf" : `issuer ${depth}`} ${text(one)}`);
  if (!isObject(content)) return [text(content)];
  const of = (name: string) => content[name];
  switch (kind) {
    case "mx":
      return [
        ...list(of("hosts")).map((one) => `MX ${list(one).map(text).join(" ")}`),
        `DNSSEC ${text(of("dnssec"))}`,
        `TTL ${text(of("ttl"))}`,
        ...(of("source") === "mx" ? [] : [`source: ${text(of("source"))}`]),
      ];
    case "addresses":
      return [...list(of("addresses")).map(text), `DNSSEC of A ${text(of("a"))}, of AAAA ${text(of("aaaa"))}`];
    case "tlsa":
      return [
        ...list(of("records")).map(text),
        `TTL ${text(of("ttl"))}`,
        `DNSSEC ${text(of("dnssec"))}`,
        ...list(of("aliases")).map((one) => `alias to ${list(one).map(text).join(", TTL ")}`),
        ...(of("outcome") === "answer" ? [] : [`outcome: ${text(of("outcome"))}`]),
      ];
    case "published":
      return [...list(of("records")).map(text), `TTL ${text(of("ttl"))}`, of("secure") ? "signed" : "not signed"];
    case "verdict":
      return [
        `verdict: ${verdictWords[of("verdict") as Verdict] ?? text(of("verdict"))}`,
        `weakest: ${verdictWords[of("weakest") as Verdict] ?? text(of("weakest"))}`,
        `worst finding is ${text(of("severity"))}`,
        ...(of("delivery") ? [`mail: ${deliveryWords[of("delivery") as Delivery] ?? text(of("delivery"))}`] : []),
      ];
    default:
      return Object.entries(content).map(([name, value]) => `${name}: ${text(value)}`);
  }
}

// The same in one line.
export function summary(event: Event): string {
  const all = elements(event);
  if (event.kind === "chain")
    return `${plural(all.length, "certificate")}, leaf ${list(event.content).map(text)[0]?.slice(0, 16) ?? ""}…`;
  return all.length === 0 ? "none" : all.join(" · ");
}

// What a subject is about: "host|server address" and "host|address/key type" are how storage names them.
export const subjectWords = (event: Event) => event.subject.replace("|", " at ").replace(/\/default$/, "");
