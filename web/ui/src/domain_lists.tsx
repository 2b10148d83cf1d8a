// Lists of domains from elsewhere: how they are, and where one lost so much that somebody must say that it is right.
import type { AgentStatus } from "./api";
import { post } from "./api";
import { useMayAct } from "./me";
import { Act, Mark, When } from "./parts";
import { plural } from "./words";

type DomainList = AgentStatus["domain_lists"][number];

const accept = (name: string) => post(`/api/v1/lists/${encodeURIComponent(name)}/accept`);

function State({ of: { fault, refused, read_at } }: { of: DomainList }) {
  if (refused)
    return (
      <>
        <Mark status="critical">{`lost ${refused.lost} of ${refused.of} names at once`}</Mark>
        <details>
          <summary>What it lost</summary>
          {refused.names.join(", ")}
          {refused.lost > refused.names.length && " …"}
        </details>
      </>
    );
  if (fault) return <Mark status={read_at ? "warning" : "critical"}>{fault}</Mark>;
  return <Mark status={read_at ? "ok" : "unknown"}>{read_at ? "OK" : "not read yet"}</Mark>;
}

export function DomainLists({ status }: { status: AgentStatus }) {
  const mayAct = useMayAct();
  const lists = status.domain_lists;
  if (lists.length === 0) return null;
  return (
    <>
      <h2 id="lists">Lists of domains</h2>
      <table class="list">
        <caption class="hidden">Lists of domains from elsewhere</caption>
        <thead>
          <tr>
            <th scope="col">List</th>
            <th scope="col">State</th>
            <th scope="col">Domains</th>
            <th scope="col">Read</th>
            {mayAct && (
              <th scope="col">
                <span class="hidden">Action</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {lists.map((one) => (
            <tr key={one.name}>
              <th scope="row">
                {one.name} <span class="muted">{one.source}</span>
              </th>
              <td>
                <State of={one} />
              </td>
              <td class="number" data-label="Domains">
                {one.domains}
                {one.missing > 0 && `, ${plural(one.missing, "name")} missing`}
              </td>
              <td data-label="Read">
                <When at={one.read_at} />
              </td>
              {mayAct && (
                <td>
                  {one.refused && <Act label="That is right: go by it" done="Accepted." run={() => accept(one.name)} />}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
