// The certificates that were shown to the agent before any host presented them, and which of their keys are for no mail server.
import type { IssuedCertificate, Page } from "./api";
import { remove } from "./api";
import { rememberedName } from "./forms";
import { Loaded, Pages, pageOf, withQuery } from "./lists";
import { useResource } from "./live";
import { useMayAct } from "./me";
import { SayNotForMail } from "./not_for_mail";
import { Act, Moment, Title, Waiting, When } from "./parts";
import { plural } from "./words";

const pageSize = 50;

function Use({ of }: { of: IssuedCertificate }) {
  const mayAct = useMayAct();
  const said = of.not_for_mail;
  if (!said) return mayAct ? <SayNotForMail keys={[of.key]} /> : null;
  const by = new URLSearchParams({ by: rememberedName() });
  const run = () => remove(`/api/v1/certificates/${of.key}/not-for-mail?${by}`);
  return (
    <>
      not for mail, says {said.by || "somebody"} <When at={said.at} />
      {said.comment && `: ${said.comment}`} {mayAct && <Act label="Take back" run={run} />}
    </>
  );
}

export function Certificates({ query }: { query: URLSearchParams }) {
  const page = pageOf(query);
  const wanted = new URLSearchParams({ limit: `${pageSize}` });
  if (page > 1) wanted.set("cursor", `${(page - 1) * pageSize}`);
  const found = useResource<Page<IssuedCertificate>>(
    `/api/v1/certificates?${wanted}`,
    (kind) => kind === "host" || kind === "act",
    3000,
  );
  const { data } = found;
  const to = (changes: Record<string, string>) => withQuery("/certificates", query, changes);
  return (
    <>
      <Title of="Certificates">Certificates issued</Title>
      <p>
        What <code>danelaw foresee</code>, a hook of an ACME client or a log of Certificate Transparency has shown, and
        no host presented then. One that no record of its host covers is a finding there.
      </p>
      <Waiting of={found} />
      <p>
        <Loaded of={found} says={data?.total ? plural(data.total, "certificate") : "None was shown yet."} />
      </p>
      {data && data.items.length > 0 && (
        <table class="list">
          <caption class="hidden">Certificates issued, those shown last first</caption>
          <thead>
            <tr>
              <th scope="col">Names</th>
              <th scope="col">Issuer</th>
              <th scope="col">Valid</th>
              <th scope="col">Shown</th>
              <th scope="col">Key</th>
            </tr>
          </thead>
          <tbody>
            {data.items.map((one) => (
              <tr key={one.id}>
                <th scope="row">{one.names.join(", ") || "none that is told"}</th>
                <td data-label="Issuer">
                  {one.issuer}
                  {one.precertificate && <span class="tag">precertificate</span>}
                </td>
                <td data-label="Valid">
                  <Moment at={one.not_before} short /> to <Moment at={one.not_after} short />
                </td>
                <td data-label="Shown">
                  <When at={one.shown_at} />
                  {one.shown_by && ` by ${one.shown_by}`}
                </td>
                <td data-label="Key">
                  <code title={one.key}>{one.key.slice(0, 16)}…</code>
                  <div>
                    <Use of={one} />
                  </div>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Pages page={page} total={data?.total ?? 0} size={pageSize} to={to} />
    </>
  );
}
