// Ninety days at a glance: of each the worst that happened to mail, with the episodes of it, and how much of the time was well.
import type { Days } from "./api";
import { deliveryLook } from "./catalogue";
import { useResource } from "./live";
import { Mark, Moment } from "./parts";
import { deliveryWords, duration, percent, plural, utc, verdictBeside } from "./words";

type Episode = Days["episodes"][number];
type Share = Days["shares"][number];

const touches = (one: Episode, date: string) =>
  one.from.slice(0, 10) <= date && (one.until ?? "9").slice(0, 10) >= date;
const time = (at: string) => at.slice(5, 16).replace("T", " ");

const unknownWords = (seconds: number, isOne: boolean) =>
  `unknown for ${duration(seconds)}${isOne ? "" : ", those of all domains added up"}`;

function saysOf(day: Days["days"][number], episodes: Episode[], isOne: boolean): string {
  if (day.delivery === null) return `${day.date}: not watched`;
  const mine = episodes.filter((one) => touches(one, day.date));
  const shown = mine
    .slice(0, 5)
    .map(
      (one) =>
        `${time(one.from)} – ${one.until ? time(one.until) : "now"}: ${isOne ? "" : `${one.domain} `}${deliveryWords[one.delivery]}`,
    );
  if (mine.length > 5) shown.push(`and ${mine.length - 5} more`);
  if (day.unknown_seconds > 0) shown.push(unknownWords(day.unknown_seconds, isOne));
  return [`${day.date}: ${deliveryWords[day.delivery]}`, ...shown].join("\n");
}

// Of all time there was, that in which it was known what happens to mail.
const knownPart = ({ known_seconds: known, unknown_seconds: unknown, unwatched_seconds: unwatched }: Share) =>
  known / Math.max(1, known + unknown + unwatched);

// "99.93 % of 30 days", or of what there is of them; of how much of that, where little is known.
function partOf(one: Share): string {
  if (one.since) return `${percent(one.authenticated ?? 0)} since ${utc(one.since, true)}, when watching began`;
  const part = knownPart(one);
  const whole = `${one.days} days`;
  return `${percent(one.authenticated ?? 0)} of ${part < 0.99 ? `the time known in ${whole} (${percent(part)} of it)` : whole}`;
}

// "Authenticated 99.93 % of 30 days, 99.80 % of 90 days; unknown for 2 h, which is not counted."
function shareWords({ shares }: Days, isOne: boolean): string {
  const known = shares.filter(
    (one, at) => one.authenticated !== null && (!one.since || one.since !== shares[at - 1]?.since),
  );
  if (known.length === 0) return "No share of time is known yet.";
  const unknown = Math.max(...shares.map((one) => one.unknown_seconds));
  return `Authenticated ${known.map(partOf).join(", ")}${unknown > 0 ? `; ${unknownWords(unknown, isOne)}, which is not counted` : ""}.`;
}

export function DayBars({ path, isOne }: { path: string; isOne: boolean }) {
  const { data } = useResource<Days>(path, (kind) => kind === "domain", 60_000);
  if (!data?.days) return null; // an agent that does not know
  const bad = data.days.filter((day) => day.delivery !== null && day.delivery !== "fine");
  return (
    <>
      <div
        class="days"
        role="img"
        aria-label={`${plural(data.days.length, "day")}, of which ${bad.length} were not fine throughout`}
      >
        {data.days.map((day) => (
          <span
            key={day.date}
            class={day.delivery ? deliveryLook[day.delivery] : "none"}
            title={saysOf(day, data.episodes, isOne)}
          />
        ))}
      </div>
      <p class="muted">{shareWords(data, isOne)}</p>
      {data.episodes.length > 0 && (
        <details>
          <summary>{plural(data.episodes_count, "episode")}</summary>
          <ul class="plain">
            {data.episodes.slice(0, 50).map((one) => (
              <li key={`${one.domain}${one.from}`}>
                <Mark status={deliveryLook[one.delivery]}>{deliveryWords[one.delivery]}</Mark> {isOne ? "" : one.domain}{" "}
                <Moment at={one.from} short /> to {one.until ? <Moment at={one.until} short /> : "now"}
                {one.verdict && <span class="muted"> {verdictBeside(one.delivery, one.verdict)}</span>}
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
