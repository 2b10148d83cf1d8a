// What the rollover picture and its table show, from what the API tells: lanes of bars, and moments.
import type { Timeline } from "./api";
import { recordText } from "./api";
import { serverWords } from "./rollover_words";
import { deliveryWords } from "./words";

export interface Bar {
  from: string;
  until: string | null;
  look: "record" | "cached" | "key" | "partly" | "refused" | "idle" | "signature" | "failing" | "gap";
  says: string;
  brief?: string; // where there is no room for more
  whole?: string;
}
export interface Lane {
  group: string;
  name: string;
  whole?: string; // where the picture has room for a part only
  isPart?: boolean; // of the lane above
  bars: Bar[];
}
export interface Marker {
  at: string;
  name: string;
  look: "now" | "good" | "end";
}

const short = (hex: string) => `${hex.slice(0, 8)}…`;

// Keys by letters in the order of first sight, whatever the range: eight digits are hard to tell apart. One that no
// endpoint ever showed has none.
export function letters({ keys }: Timeline): (spki: string) => string {
  return (spki) => {
    const at = keys.indexOf(spki);
    return at < 0 ? "" : at < 26 ? String.fromCharCode(65 + at) : `${at + 1}`;
  };
}

type Key = Timeline["endpoints"][number]["keys"][number];
type Accepted = Key["acceptance"][number]["accepted"];
const acceptance: Record<Accepted, [Bar["look"], string]> = {
  yes: ["key", "accepted"],
  some: ["partly", "refused by what some name servers give"],
  no: ["refused", "refused"],
  "not-asked": ["idle", "not checked by senders"],
  unknown: ["gap", "no name server answers"],
  "not-seen": ["gap", "not seen any more"],
};

// One bar for as long as the key fared alike with what was published then.
function keyBars(key: Key, name: string): Bar[] {
  const out: Bar[] = [];
  let last: Accepted | null = null;
  for (const one of key.acceptance) {
    const before = out.at(-1);
    if (before && last === one.accepted) before.until = one.until;
    else {
      const [look, word] = acceptance[one.accepted];
      out.push({
        from: one.from,
        until: one.until,
        look,
        says: `key ${name} ${word}`,
        brief: name,
        whole: key.spki_sha256,
      });
    }
    last = one.accepted;
  }
  return out;
}

type Span = Timeline["records"][number]["spans"][number];
const recordBars = (spans: Span[]): Bar[] =>
  spans.flatMap((span): Bar[] => [
    { from: span.from, until: span.until, look: "record", says: "published" },
    ...(span.until && span.cached_until !== span.until
      ? [{ from: span.until, until: span.cached_until, look: "cached" as const, says: "in caches" }]
      : []),
  ]);

// The times of `all` that are not in `some`; both are in order.
function without(all: Span[], some: Span[]): Pick<Span, "from" | "until">[] {
  const out: Pick<Span, "from" | "until">[] = [];
  for (const { from, until } of all) {
    let at: string | null = from; // up to here it is told; null: to the end
    for (const one of some) {
      if (at === null || (until !== null && one.from >= until)) break;
      if (one.until !== null && one.until <= at) continue;
      if (one.from > at) out.push({ from: at, until: one.from });
      at = one.until;
    }
    if (at !== null && (until === null || at < until)) out.push({ from: at, until });
  }
  return out;
}

function recordLanes(timeline: Timeline, letter: (spki: string) => string): Lane[] {
  const served = timeline.endpoints.flatMap((one) => one.keys);
  return timeline.records.flatMap((record): Lane[] => {
    const fits = new Set(
      served.filter((key) => key.matched_by.includes(recordText(record))).map((key) => letter(key.spki_sha256)),
    );
    if (fits.size === 0 && record.usage === 3) fits.add(letter(record.data));
    const of = [...fits].filter(Boolean).join(", ");
    const isOfKey = record.usage === 3 && record.selector === 1 && record.matching_type === 1;
    const key = of ? ` for key ${of}` : isOfKey ? " for a key not seen yet" : "";
    const lane = {
      group: "TLSA records",
      name: `${record.usage} ${record.selector} ${record.matching_type} ${short(record.data)}${key}`,
      whole: recordText(record),
    };
    // Below what any of them gave: when which of them lacked it.
    const parts = record.servers.map((one) => ({
      ...lane,
      name: `not at ${serverWords(one.server)}`,
      isPart: true,
      bars: without(record.spans, one.spans).map((span): Bar => ({ ...span, look: "partly", says: "lacks it" })),
    }));
    return [{ ...lane, bars: recordBars(record.spans) }, ...parts.filter((part) => part.bars.length > 0)];
  });
}

// Addresses that showed the same keys at the same times share a lane.
function keyLanes(timeline: Timeline, letter: (spki: string) => string): Lane[] {
  const lanes = new Map<string, { names: string[]; bars: Bar[] }>();
  for (const one of timeline.endpoints) {
    const bars = one.keys.flatMap((key) => keyBars(key, letter(key.spki_sha256)));
    const name = one.endpoint.replace(/\/default$/, "");
    const alike = lanes.get(JSON.stringify(bars));
    if (alike) alike.names.push(name);
    else lanes.set(JSON.stringify(bars), { names: [name], bars });
  }
  return [...lanes.values()].map(({ names, bars }) => ({
    group: "Keys served",
    name: names.length > 2 ? `${names[0]} and ${names.length - 1} more` : names.join(", "),
    ...(names.length > 2 && { whole: names.join(", ") }),
    bars,
  }));
}

const day = (at: string) =>
  new Date(at).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });

// Signatures that take each other over are one time of validity.
function signatureBars(signatures: Timeline["signatures"]): Bar[] {
  const bars: Bar[] = [];
  for (const one of [...signatures].sort((a, b) => (a.from < b.from ? -1 : 1))) {
    const before = bars.at(-1);
    if (before?.until && one.from <= before.until) {
      if (one.expires_at > before.until) before.until = one.expires_at;
    } else bars.push({ from: one.from, until: one.expires_at, look: "signature", says: "" });
  }
  const lost = signatures.find((one) => one.is_lost)?.last_seen_at;
  for (const bar of bars) {
    if (!bar.until) continue;
    bar.says = `valid to ${day(bar.until)}`;
    if (lost && lost < bar.until) Object.assign(bar, { until: lost, says: `${bar.says}, not given any more` });
  }
  return bars;
}

// One bar, of what most servers give; below it those that now give one that ends on another day.
function signatureLanes({ signatures }: Timeline): Lane[] {
  if (signatures.length === 0) return [];
  const of = (server: string | null) => signatures.filter((one) => one.server === server);
  const servers = [...new Set(signatures.map((one) => one.server))];
  const common = signatureBars(of(null).length > 0 ? of(null) : signatures);
  const latest = signatures
    .map((one) => one.last_seen_at)
    .sort()
    .at(-1);
  const parts = servers.flatMap((server): Lane[] => {
    const mine = of(server);
    const bars = signatureBars(mine);
    const isNow = mine.some((one) => one.last_seen_at === latest);
    if (server === null || !isNow || bars.at(-1)?.says === common.at(-1)?.says) return [];
    return [{ group: "DNSSEC", name: `at ${serverWords(server)}`, isPart: true, bars }];
  });
  return [{ group: "DNSSEC", name: "RRSIG over the TLSA records", bars: common }, ...parts];
}

// When danelaw could not determine what senders meet; what was not recorded is a gap already.
const blind = ({ gaps, mail }: Timeline) =>
  mail.filter(
    (one) => one.delivery === "unknown" && !gaps.some((gap) => gap.from <= one.from && one.until <= gap.until),
  );
const troubles = ({ mail }: Timeline) => mail.filter((one) => one.delivery !== "fine" && one.delivery !== "unknown");

export function lanesOf(timeline: Timeline): Lane[] {
  const letter = letters(timeline);
  const lanes: Lane[] = [];
  const addOwn = (name: string, spans: { from: string; until: string }[]) => {
    if (spans.length > 0)
      lanes.push({
        group: "This monitor",
        name,
        bars: spans.map(({ from, until }) => ({ from, until, look: "gap", says: name })),
      });
  };
  addOwn("nothing recorded", timeline.gaps);
  addOwn("unknown", blind(timeline));
  const mail = troubles(timeline);
  if (mail.length > 0)
    lanes.push({
      group: "Senders",
      name: "what happened to mail",
      bars: mail.map(({ from, until, delivery }) => ({
        from,
        until,
        look: delivery === "at-risk" ? "partly" : "refused",
        says: deliveryWords[delivery],
      })),
    });
  if (timeline.failing.length > 0)
    lanes.push({
      group: "Senders",
      name: "some caches refuse the key served",
      bars: timeline.failing.map((one) => ({ ...one, look: "failing", says: "refused" })),
    });
  return [...lanes, ...recordLanes(timeline, letter), ...keyLanes(timeline, letter), ...signatureLanes(timeline)];
}

export function markersOf(timeline: Timeline): Marker[] {
  const out: Marker[] = [{ at: timeline.now, name: "now", look: "now" }];
  const add = (at: string | null | undefined, name: string, look: Marker["look"]) => {
    if (at) out.push({ at, name, look });
  };
  add(timeline.safe_to_switch_at, "safe to switch", "good");
  add(timeline.recommended_switch_at, "recommended to switch", "good");
  add(timeline.safe_to_remove_at, "safe to remove", "good");
  add(timeline.window?.until, "last cache recovers", "end");
  return out;
}

// The range that shows the last change and what caches make of it: four TTLs before and after it, and until now while it
// is not over. Two weeks where nothing ever changed.
export function fitting(timeline: Timeline, ttl: number | null): [number, number] {
  const now = Date.parse(timeline.now);
  const trouble = troubles(timeline).at(-1);
  const changes = [timeline.last_change_at, trouble?.from ?? null].flatMap((at) => (at ? [Date.parse(at)] : []));
  if (changes.length === 0) return [now - 7 * 86_400_000, now + 7 * 86_400_000];
  const change = Math.max(...changes);
  const margin = 4_000 * Math.max(60, ttl ?? 3600);
  const coming = markersOf(timeline).flatMap((one) => (Date.parse(one.at) > now ? [Date.parse(one.at)] : []));
  const lasts = (until: string | null) => until === null || Date.parse(until) > now;
  const isTrouble = trouble !== undefined && Date.parse(trouble.until) >= now - 120_000;
  const isOpen = isTrouble || coming.length > 0 || timeline.failing.some((one) => lasts(one.until));
  const end = Math.max(change, trouble ? Date.parse(trouble.until) : 0) + margin;
  return [change - margin, isOpen ? Math.max(end, ...[now, ...coming].map((at) => at + margin / 8)) : end];
}
