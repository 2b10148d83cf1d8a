// The rollover picture: who held which record, who showed which key, on one axis of time. Its table twin says the same.
import { useEffect, useRef, useState } from "preact/hooks";

import type { Timeline } from "./api";
import { recordText } from "./api";
import { Mark, Moment } from "./parts";
import { ticks } from "./range";
import { utc } from "./words";

interface Bar { from: string; until: string | null; look: "record" | "cached" | "key" | "refused" | "signature" | "failing" | "gap"; says: string; whole?: string }
interface Lane { group: string; name: string; whole?: string; bars: Bar[] }  // whole: where the picture has room for a part only
export interface Marker { at: string; name: string; look: "now" | "good" | "end" }

const short = (hex: string) => `${hex.slice(0, 8)}…`;

// Keys by letters in the order in which they appear: eight digits are hard to tell apart.
function letters(timeline: Timeline): (spki: string) => string {
  const keys = new Set(timeline.endpoints.flatMap((one) => one.keys).sort((a, b) => a.from.localeCompare(b.from)).map((key) => key.spki_sha256));
  for (const one of timeline.records) if (one.usage === 3 && one.selector === 1 && one.matching_type === 1) keys.add(one.data);
  const order = [...keys];
  return (spki) => { const at = order.indexOf(spki); return at < 0 ? "" : at < 26 ? String.fromCharCode(65 + at) : `${at + 1}`; };
}

function lanesOf(timeline: Timeline): Lane[] {
  const letter = letters(timeline);
  const served = timeline.endpoints.flatMap((one) => one.keys);
  const lanes: Lane[] = [];
  if (timeline.failing.length > 0) {
    lanes.push({ group: "Senders", name: "some caches refuse the key served", bars: timeline.failing.map((one) => ({ ...one, look: "failing", says: "refused" })) });
  }
  for (const record of timeline.records) {
    const fits = new Set(served.filter((key) => key.matched_by.includes(recordText(record))).map((key) => letter(key.spki_sha256)));
    if (fits.size === 0 && record.usage === 3) fits.add(letter(record.data));
    const of = [...fits].filter(Boolean).join(", ");
    lanes.push({
      group: "TLSA records", name: `${record.usage} ${record.selector} ${record.matching_type} ${short(record.data)}${of && ` for key ${of}`}`, whole: recordText(record),
      bars: record.spans.flatMap((span): Bar[] => [
        { from: span.from, until: span.until, look: "record", says: "published" },
        ...(span.until && span.cached_until !== span.until ? [{ from: span.until, until: span.cached_until, look: "cached" as const, says: "in caches" }] : []),
      ]),
    });
  }
  for (const one of timeline.endpoints) {
    lanes.push({
      group: "Keys served", name: one.endpoint.replace(/\/default$/, ""),
      bars: one.keys.map((key) => ({ from: key.from, until: key.until, look: key.matched_by.length > 0 ? "key" : "refused", says: `key ${letter(key.spki_sha256)}${key.matched_by.length > 0 ? "" : ": no record"}`, whole: key.spki_sha256 })),
    });
  }
  // Between them nobody knows what was published or served.
  if (timeline.gaps.length > 0) lanes.unshift({ group: "This monitor", name: "nothing recorded", bars: timeline.gaps.map((one) => ({ ...one, look: "gap", says: "nothing recorded" })) });
  for (const server of new Set(timeline.signatures.map((one) => one.server))) {
    const mine = timeline.signatures.filter((one) => one.server === server);
    const name = server === null ? "RRSIG over the TLSA records" : `RRSIG at ${server}`;
    lanes.push({ group: "DNSSEC", name, bars: mine.map((one) => ({ from: one.from, until: one.expires_at, look: "signature", says: `ends ${one.expires_at.slice(5, 10)}` })) });
  }
  return lanes;
}

export function markersOf(timeline: Timeline): Marker[] {
  const out: Marker[] = [{ at: timeline.now, name: "now", look: "now" }];
  const add = (at: string | null | undefined, name: string, look: Marker["look"]) => { if (at) out.push({ at, name, look }); };
  add(timeline.safe_to_switch_at, "safe to switch", "good");
  add(timeline.recommended_switch_at, "recommended to switch", "good");
  add(timeline.safe_to_remove_at, "safe to remove", "good");
  add(timeline.window?.until, "last cache recovers", "end");
  return out;
}

function useWidth() {
  const ref = useRef<HTMLDivElement>(null);
  const [width, set] = useState(800);
  useEffect(() => {
    if (!ref.current) return;
    const watch = new ResizeObserver(([entry]) => { if (entry) set(Math.max(240, Math.floor(entry.contentRect.width))); });
    watch.observe(ref.current);
    return () => watch.disconnect();
  }, []);
  return [ref, width] as const;
}

const laneHeight = 38, groupHeight = 24, markerHeight = 16, axisHeight = 24, barHeight = 16;

export function Picture({ timeline, from, until }: { timeline: Timeline; from: number; until: number }) {
  const [ref, width] = useWidth();
  const lanes = lanesOf(timeline);
  const markers = markersOf(timeline).filter((one) => Date.parse(one.at) >= from && Date.parse(one.at) <= until);
  const x = (at: string | number | null) => {
    const time = at === null ? Infinity : typeof at === "number" ? at : Date.parse(at);
    return Math.min(width, Math.max(0, ((time - from) / (until - from)) * width));
  };
  const top = markers.length * markerHeight + 4;
  let y = top;
  let group = "";
  const placed = lanes.map((lane) => {
    const isFirst = lane.group !== group;
    group = lane.group;
    if (isFirst) y += groupHeight;
    const at = y;
    y += laneHeight;
    return { lane, y: at, isFirst };
  });
  const height = y + axisHeight;
  return (
    <div ref={ref}>
      <svg class="picture" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-labelledby="picture-title picture-says">
        <title id="picture-title">Rollover of {timeline.host}</title>
        <desc id="picture-says">From {utc(from)} to {utc(until)}. The table below the picture says the same.</desc>
        <defs>
          <pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="7" height="7" class="hatch-ground" /><line x1="0" y1="0" x2="0" y2="7" class="hatch-line" /></pattern>
          <pattern id="gap" width="6" height="6" patternUnits="userSpaceOnUse"><line x1="0" y1="6" x2="6" y2="0" class="gap-line" /></pattern>
          <clipPath id="frame"><rect x="0" y="0" width={width} height={height} /></clipPath>
        </defs>
        {timeline.gaps.map((one) => <rect key={one.from} class="gap-band" x={x(one.from)} y={top} width={Math.max(1, x(one.until) - x(one.from))} height={y - top}><title>{`nothing recorded: ${utc(one.from)} – ${utc(one.until)}`}</title></rect>)}
        {timeline.failing.map((one) => <rect key={one.from} class="band" x={x(one.from)} y={top} width={Math.max(1, x(one.until) - x(one.from))} height={y - top} />)}
        {ticks(from, until, Math.max(2, Math.floor(width / 80))).map(({ at, text }) => (
          <g key={at} class="tick"><line x1={x(at)} x2={x(at)} y1={top} y2={y} /><text x={x(at)} y={height - 6} text-anchor={x(at) < 20 ? "start" : x(at) > width - 20 ? "end" : "middle"}>{text}</text></g>
        ))}
        {placed.map(({ lane, y: at, isFirst }) => (
          <g key={`${lane.group}${lane.name}`} clip-path="url(#frame)">
            {isFirst && <text class="group" x="0" y={at - 6}>{lane.group}</text>}
            <text class="lane" x="0" y={at + 11}>{lane.name}</text>
            {lane.bars.map((bar) => {
              // What lasts is known up to now; behind that it is only expected.
              const left = x(bar.from), end = x(bar.until ?? (bar.look === "failing" ? null : timeline.now)), size = Math.max(2, end - left);
              if (left >= width || x(bar.until) <= 0) return null;
              return (
                <g key={`${bar.from}${bar.look}`} class={`bar ${bar.look}`}>
                  <title>{`${bar.says}: ${utc(bar.from)} – ${bar.until ? utc(bar.until) : "now and on"}`}</title>
                  <rect x={left} y={at + 15} width={size} height={barHeight} rx="2" />
                  {bar.until === null && end < width && <rect class="expected" x={end} y={at + 15} width={width - end} height={barHeight} rx="2" />}
                  {size > bar.says.length * 6.6 + 10 && <text x={left + 6} y={at + 27}>{bar.says}</text>}
                </g>
              );
            })}
          </g>
        ))}
        {markers.map((one, index) => {
          const at = x(one.at), row = index * markerHeight + 12, isLate = at > width / 2;
          return (
            <g key={one.name} class={`marker ${one.look}`}>
              <title>{`${one.name}: ${utc(one.at)}`}</title>
              <line x1={at} x2={at} y1={row - 8} y2={y} />
              <text x={isLate ? at - 5 : at + 5} y={row} text-anchor={isLate ? "end" : "start"}>{one.name}{one.look === "now" ? "" : ` ${one.at.slice(11, 16)}`}</text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}

export function PictureTable({ timeline }: { timeline: Timeline }) {
  const end = (at: string | null) => (at ? <Moment at={at} /> : "lasts");
  return (
    <details><summary>The picture as a table</summary>
      <table class="list">
        <caption class="hidden">What the picture shows</caption>
        <thead><tr><th scope="col">What</th><th scope="col">Says</th><th scope="col">From</th><th scope="col">Until</th></tr></thead>
        <tbody>
          {markersOf(timeline).map((one) => <tr key={one.name}><th scope="row">moment</th><td>{one.name}</td><td data-label="At"><Moment at={one.at} /></td><td /></tr>)}
          {lanesOf(timeline).flatMap((lane) => lane.bars.map((bar) => (
            <tr key={`${lane.name}${bar.from}${bar.look}`}>
              <th scope="row">{lane.group}: {lane.name}{lane.whole && <div><code>{lane.whole}</code></div>}</th>
              <td>{bar.look === "failing" || bar.look === "refused" ? <Mark status="critical">{bar.says}</Mark> : bar.says}{bar.whole && <div><code>{bar.whole}</code></div>}</td>
              <td data-label="From"><Moment at={bar.from} /></td><td data-label="Until">{end(bar.until)}</td>
            </tr>)))}
        </tbody>
      </table>
    </details>
  );
}
