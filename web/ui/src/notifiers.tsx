// Who is notified of alerts, and whether that works.
import type { AgentStatus } from "./api";
import { post } from "./api";
import { useMayActOnAll } from "./me";
import { Act, Mark, When } from "./parts";
import { plural } from "./words";

// Fails where the notifier did.
const sendTest = (notifier: string) =>
  post<{ items: { fault: string | null }[] }>("/api/v1/notifiers/test", { notifier }).then(({ items }) => {
    const fault = items.find((one) => one.fault)?.fault;
    if (fault) throw new Error(fault);
  });

export function Notifiers({ status }: { status: AgentStatus }) {
  const mayAct = useMayActOnAll();
  return (
    <>
      <h2 id="notify">Who is notified</h2>
      {status.notifiers.length === 0 ? (
        <p>
          <Mark status="warning">Nobody is notified: set up notify</Mark> The configuration has no <code>notify</code>{" "}
          section: alerts are shown here and in the metrics, and reach nobody.
        </p>
      ) : (
        <table class="list">
          <caption class="hidden">Notifiers</caption>
          <thead>
            <tr>
              <th scope="col">Notifier</th>
              <th scope="col">State</th>
              <th scope="col">Delivered</th>
              <th scope="col">Waiting</th>
              <th scope="col">Last delivered</th>
              {mayAct && (
                <th scope="col">
                  <span class="hidden">Action</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {status.notifiers.map((one) => (
              <tr key={one.name}>
                <th scope="row">{one.name}</th>
                <td>
                  <Mark status={one.fault ? "critical" : "ok"}>{one.fault ?? "OK"}</Mark>
                </td>
                <td class="number" data-label="Delivered">
                  {one.delivered}
                  {one.failed > 0 && `, ${plural(one.failed, "attempt")} failed`}
                </td>
                <td class="number" data-label="Waiting">
                  {one.waiting}
                </td>
                <td data-label="Last delivered">
                  <When at={one.last_success_at} />
                </td>
                {mayAct && (
                  <td>
                    <Act label="Send a test notification" done="Sent." run={() => sendTest(one.name)} />
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}
