// Ranges of time as they stand in addresses: `from` and `to` as RFC 3339, as milliseconds since 1970, or as "now-6h",
// which is what Grafana's links carry.

const units: Record<string, number> = { s: 1e3, m: 60e3, h: 3600e3, d: 86400e3, w: 604800e3 };

export function momentOf(text: string | null, now = Date.now()): number | null {
  if (!text) return null;
  if (/^\d+$/.test(text)) return Number(text);
  const relative = /^now(?:([+-]\d+)([smhdw]))?$/.exec(text);
  if (relative) return now + Number(relative[1] ?? 0) * (units[relative[2] ?? "s"] ?? 0);
  const time = Date.parse(text);
  return Number.isNaN(time) ? null : time;
}

export const rfc3339 = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`;

const steps = [
  60e3, 120e3, 300e3, 600e3, 1800e3, 3600e3, 7200e3, 10800e3, 21600e3, 43200e3, 86400e3, 172800e3, 604800e3, 1209600e3,
  2592000e3,
];

// Round moments at which to mark an axis, at most `most`.
export function ticks(from: number, until: number, most: number): { at: number; text: string }[] {
  const step = steps.find((one) => (until - from) / one <= most) ?? until - from;
  const out = [];
  for (let at = Math.ceil(from / step) * step; at <= until; at += step) {
    const text = new Date(at).toISOString();
    out.push({ at, text: step >= 86400e3 || at % 86400e3 === 0 ? text.slice(5, 10) : text.slice(11, 16) });
  }
  return out;
}
