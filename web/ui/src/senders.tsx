// What senders reported (RFC 8460): bars a day by organization, beside our own verdict's band, and failures by reason.
import type { Days, Senders } from "./api";
import { deliveryLook } from "./catalogue";
import { useResource } from "./live";
import { Mark } from "./parts";
import type { Look } from "./words";
import { deliveryWords, plural } from "./words";

type Row = Senders["items"][number];

const kDays = 30;
const kMostOrganizations = 12;
const kMostFailures = 100;

const agreement: Record<NonNullable<Row["agrees"]>, { look: Look; words: string }> = {
  yes: { look: "critical", words: "danelaw saw it, too" },
  no: { look: "warning", words: "danelaw saw no fault then" },
  "not-seen": { look: "unknown", words: "danelaw could not tell then" },
};

const count = (sessions: number) => sessions.toLocaleString("en").replaceAll(",", " ");

// The last days, today the last.
function lastDays(): string[] {
  const today = Date.now();
  return Array.from({ length: kDays }, (_, i) =>
    new Date(today - (kDays - 1 - i) * 86_400_000).toISOString().slice(0, 10),
  );
}

const isFailed = (row: Row) => row.result_type !== null;
const sessionsOf = (rows: Row[]) => rows.reduce((sum, row) => sum + row.sessions, 0);

// What a day's sessions came to, the worst first; as they stand in a bar from above.
function partsOf(rows: Row[]): { look: Look; sessions: number }[] {
  const failed = rows.filter(isFailed);
  return [
    { look: "critical" as const, sessions: sessionsOf(failed.filter((row) => row.policy_type === "tlsa")) },
    { look: "warning" as const, sessions: sessionsOf(failed.filter((row) => row.policy_type !== "tlsa")) },
    { look: "ok" as const, sessions: sessionsOf(rows.filter((row) => !isFailed(row))) },
  ].filter((part) => part.sessions > 0);
}

function saysOf(day: string, rows: Row[]): string {
  if (rows.length === 0) return `${day}: no report`;
  const well = rows.filter((row) => row.result_type === null).reduce((sum, row) => sum + row.sessions, 0);
  const failed = rows
    .filter((row) => row.result_type !== null)
    .map((row) => `${row.result_type}: ${count(row.sessions)} failed`);
  return [`${day}: ${count(well)} sessions succeeded`, ...failed].join("\n");
}

// As high as the day had sessions; what is there can be seen, however little it is.
function Bar({ day, rows, most }: { day: string; rows: Row[]; most: number }) {
  return (
    <span class={rows.length === 0 ? "none" : "bar"} title={saysOf(day, rows)}>
      {partsOf(rows).map(({ look, sessions }) => (
        <i key={look} class={look} style={{ height: `max(2px, ${((100 * sessions) / most).toFixed(1)}%)` }} />
      ))}
    </span>
  );
}

function Bars({ organization, days, rows }: { organization: string; days: string[]; rows: Row[] }) {
  const byDay = days.map((day) => rows.filter((row) => row.day === day));
  const most = Math.max(1, ...byDay.map(sessionsOf));
  const bad = byDay.filter((mine) => partsOf(mine)[0]?.look === "critical").length;
  const sums = `${count(sessionsOf(rows))} sessions, ${count(sessionsOf(rows.filter(isFailed)))} of them failed`;
  return (
    <tr>
      <th scope="row">{organization}</th>
      <td>
        <div
          class="days bars"
          role="img"
          aria-label={`${sums}; ${plural(bad, "day")} of ${days.length} with DANE failures`}
        >
          {days.map((day, i) => (
            <Bar key={day} day={day} rows={byDay[i] ?? []} most={most} />
          ))}
        </div>
        <span class="muted">
          {sums}, at most {count(most)} a day
        </span>
      </td>
    </tr>
  );
}

// The same days as danelaw saw them.
function OwnBand({ path, days }: { path: string; days: string[] }) {
  const { data } = useResource<Days>(`${path}/days?days=${kDays}`, (kind) => kind === "domain", 60_000);
  // Of a host nothing was recorded before there was such a band.
  if (!data?.days?.some((day) => day.delivery)) return null;
  return (
    <tr>
      <th scope="row">danelaw</th>
      <td>
        <div class="days" role="img" aria-label="what danelaw saw on these days">
          {days.map((day) => {
            const seen = data.days.find((one) => one.date === day)?.delivery ?? null;
            return (
              <span
                key={day}
                class={seen ? deliveryLook[seen] : "none"}
                title={`${day}: ${seen ? deliveryWords[seen] : "not watched"}`}
              />
            );
          })}
        </div>
      </td>
    </tr>
  );
}

function Failures({ rows }: { rows: Row[] }) {
  const failed = rows.filter((row) => row.result_type !== null && row.sessions > 0);
  if (failed.length === 0) return null;
  return (
    <details open>
      <summary>{plural(failed.length, "kind of failure", "kinds of failures")}</summary>
      <table class="list">
        <thead>
          <tr>
            <th scope="col">Day</th>
            <th scope="col">Organization</th>
            <th scope="col">Reason</th>
            <th scope="col">At</th>
            <th scope="col">Sessions</th>
            <th scope="col">Then</th>
          </tr>
        </thead>
        <tbody>
          {failed.slice(0, kMostFailures).map((row) => (
            <tr
              key={[
                row.day,
                row.organization,
                row.domain,
                row.mx_host,
                row.policy_type,
                row.result_type,
                row.agrees,
              ].join()}
            >
              <td>{row.day}</td>
              <td>{row.organization}</td>
              <td data-label="Reason">
                {row.result_type} <span class="muted">{row.policy_type}</span>
              </td>
              <td data-label="At">{row.mx_host ?? row.domain}</td>
              <td data-label="Sessions">{count(row.sessions)}</td>
              <td>{row.agrees && <Mark status={agreement[row.agrees].look}>{agreement[row.agrees].words}</Mark>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {failed.length > kMostFailures && (
        <p class="muted">And {count(failed.length - kMostFailures)} more, as the API lists them.</p>
      )}
    </details>
  );
}

// Nothing at all where no sender reports. `path`: of a domain or an MX host in the API.
export function SendersView({ path }: { path: string }) {
  const { data } = useResource<Senders>(`${path}/senders`, (kind) => kind === "domain", 60_000);
  if (!data?.items || data.items.length === 0) return null;
  const days = lastDays();
  const sums = new Map<string, number>();
  for (const row of data.items) sums.set(row.organization, (sums.get(row.organization) ?? 0) + row.sessions);
  const organizations = [...sums].sort(([, a], [, b]) => b - a).map(([name]) => name);
  return (
    <>
      <h2>What senders reported</h2>
      <table class="senders">
        <tbody>
          <OwnBand path={path} days={days} />
          {organizations.slice(0, kMostOrganizations).map((name) => (
            <Bars
              key={name}
              organization={name}
              days={days}
              rows={data.items.filter((row) => row.organization === name)}
            />
          ))}
        </tbody>
      </table>
      {organizations.length > kMostOrganizations && (
        <p class="muted">And {organizations.length - kMostOrganizations} more with less mail.</p>
      )}
      <Failures rows={data.items} />
      {!data.is_whole && <p class="muted">There are more reports than are shown.</p>}
    </>
  );
}
