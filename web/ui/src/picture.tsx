// The rollover picture: who held which record, who showed which key, on one axis of time. Its table twin says the same.
import { useEffect, useRef, useState } from "preact/hooks";

import type { Timeline } from "./api";
import type { Bar } from "./lanes";
import { lanesOf, markersOf } from "./lanes";
import { Mark, Moment } from "./parts";
import { ticks } from "./range";
import { utc } from "./words";

function useWidth() {
  const ref = useRef<HTMLDivElement>(null);
  const [width, set] = useState(800);
  useEffect(() => {
    if (!ref.current) return;
    const watch = new ResizeObserver(([entry]) => {
      if (entry) set(Math.max(240, Math.floor(entry.contentRect.width)));
    });
    watch.observe(ref.current);
    return () => watch.disconnect();
  }, []);
  return [ref, width] as const;
}

const laneHeight = 38,
  groupHeight = 24,
  markerHeight = 16,
  axisHeight = 24,
  barHeight = 16;

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
  const labelOf = (bar: Bar, size: number) =>
    [bar.says, bar.brief ?? ""].find((text) => text && size > text.length * 6.4 + 8) ?? "";
  return (
    <div ref={ref}>
      <svg
        class="picture"
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-labelledby="picture-title picture-says"
      >
        <title id="picture-title">Rollover of {timeline.host}</title>
        <desc id="picture-says">
          From {utc(from)} to {utc(until)}. The table below the picture says the same.
        </desc>
        <defs>
          <pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect width="7" height="7" class="hatch-ground" />
            <line x1="0" y1="0" x2="0" y2="7" class="hatch-line" />
          </pattern>
          <pattern id="partly" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect width="8" height="8" class="partly-ground" />
            <line x1="0" y1="0" x2="0" y2="8" class="partly-line" />
          </pattern>
          <pattern id="gap" width="6" height="6" patternUnits="userSpaceOnUse">
            <line x1="0" y1="6" x2="6" y2="0" class="gap-line" />
          </pattern>
          <clipPath id="frame">
            <rect x="0" y="0" width={width} height={height} />
          </clipPath>
        </defs>
        {timeline.gaps.map((one) => (
          <rect
            key={one.from}
            class="gap-band"
            x={x(one.from)}
            y={top}
            width={Math.max(1, x(one.until) - x(one.from))}
            height={y - top}
          >
            <title>{`nothing recorded: ${utc(one.from)} – ${utc(one.until)}`}</title>
          </rect>
        ))}
        {timeline.failing.map((one) => (
          <rect
            key={one.from}
            class="band"
            x={x(one.from)}
            y={top}
            width={Math.max(1, x(one.until) - x(one.from))}
            height={y - top}
          />
        ))}
        {ticks(from, until, Math.max(2, Math.floor(width / 80))).map(({ at, text }) => (
          <g key={at} class="tick">
            <line x1={x(at)} x2={x(at)} y1={top} y2={y} />
            <text x={x(at)} y={height - 6} text-anchor={x(at) < 20 ? "start" : x(at) > width - 20 ? "end" : "middle"}>
              {text}
            </text>
          </g>
        ))}
        {placed.map(({ lane, y: at }, index) => (
          <g key={`${index}${lane.name}`} clip-path="url(#frame)">
            {lane.bars.map((bar) => {
              // What lasts is known up to now; behind that it is only expected.
              const left = x(bar.from),
                end = x(bar.until ?? (bar.look === "failing" ? null : timeline.now)),
                size = Math.max(2, end - left);
              if (left >= width || x(bar.until) <= 0) return null;
              return (
                <g key={`${bar.from}${bar.look}`} class={`bar ${bar.look}`}>
                  <title>{`${bar.says}: ${utc(bar.from)} – ${bar.until ? utc(bar.until) : "now and on"}`}</title>
                  <rect x={left} y={at + 15} width={size} height={barHeight} rx="2" />
                  {bar.until === null && end < width && (
                    <rect class="expected" x={end} y={at + 15} width={width - end} height={barHeight} rx="2" />
                  )}
                  <text x={left + 5} y={at + 27}>
                    {labelOf(bar, size)}
                  </text>
                </g>
              );
            })}
          </g>
        ))}
        {markers.map((one, index) => {
          const at = x(one.at),
            row = index * markerHeight + 12,
            isLate = at > width / 2;
          return (
            <g key={one.name} class={`marker ${one.look}`}>
              <title>{`${one.name}: ${utc(one.at)}`}</title>
              <line x1={at} x2={at} y1={row - 8} y2={y} />
              <text x={isLate ? at - 5 : at + 5} y={row} text-anchor={isLate ? "end" : "start"}>
                {one.name}
                {one.look === "now" ? "" : ` ${one.at.slice(11, 16)}`}
              </text>
            </g>
          );
        })}
        {placed.map(({ lane, y: at, isFirst }, index) => (
          <g key={`${index}${lane.name}`}>
            {isFirst && (
              <text class="group" x="0" y={at - 6}>
                {lane.group}
              </text>
            )}
            <text class="lane" x={lane.isPart ? 12 : 0} y={at + 11}>
              {lane.name}
            </text>
          </g>
        ))}
      </svg>
    </div>
  );
}

const troubled: Partial<Record<Bar["look"], "critical" | "warning">> = {
  failing: "critical",
  refused: "critical",
  partly: "warning",
};

export function PictureTable({ timeline }: { timeline: Timeline }) {
  const end = (at: string | null) => (at ? <Moment at={at} /> : "lasts");
  return (
    <details>
      <summary>The picture as a table</summary>
      <table class="list">
        <caption class="hidden">What the picture shows</caption>
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">Says</th>
            <th scope="col">From</th>
            <th scope="col">Until</th>
          </tr>
        </thead>
        <tbody>
          {markersOf(timeline).map((one) => (
            <tr key={one.name}>
              <th scope="row">moment</th>
              <td>{one.name}</td>
              <td data-label="At">
                <Moment at={one.at} />
              </td>
              <td />
            </tr>
          ))}
          {lanesOf(timeline).flatMap((lane, index) =>
            lane.bars.map((bar) => (
              <tr key={`${index}${bar.from}${bar.look}`}>
                <th scope="row">
                  {lane.group}: {lane.name}
                  {lane.whole && (
                    <div>
                      <code>{lane.whole}</code>
                    </div>
                  )}
                </th>
                <td>
                  {troubled[bar.look] ? <Mark status={troubled[bar.look] ?? "note"}>{bar.says}</Mark> : bar.says}
                  {bar.whole && (
                    <div>
                      <code>{bar.whole}</code>
                    </div>
                  )}
                </td>
                <td data-label="From">
                  <Moment at={bar.from} />
                </td>
                <td data-label="Until">{end(bar.until)}</td>
              </tr>
            )),
          )}
        </tbody>
      </table>
    </details>
  );
}
