// What each place of a fleet sees of an MX host.
import type { MxHost } from "./api";
import { VerdictMark, When } from "./parts";

type Place = MxHost["vantages"][number];

function Cell({ of, address }: { of: Place; address: string }) {
  const there = of.endpoints.filter((one) => one.address === address);
  if (there.length === 0) return <td>not seen</td>;
  const keys = [...new Set(there.map((one) => one.spki_sha256).filter((key) => key !== null))];
  return (
    <td>
      {[...new Set(there.map((one) => one.verdict))].map((verdict) => (
        <VerdictMark key={verdict} verdict={verdict} />
      ))}{" "}
      {there.some((one) => one.starttls) ? "" : "no STARTTLS "}
      {keys.map((key) => (
        <code key={key} title={`SHA-256 of the key: ${key}`}>
          {key.slice(0, 8)}…{" "}
        </code>
      ))}
    </td>
  );
}

export function Places({ of }: { of: readonly Place[] }) {
  if (of.length < 2) return null;
  const addresses = [...new Set(of.flatMap((place) => place.endpoints.map((one) => one.address)))].sort();
  return (
    <section>
      <h2>Seen from</h2>
      <table class="list">
        <caption class="hidden">What each place of the fleet sees at each address</caption>
        <thead>
          <tr>
            <th scope="col">Place</th>
            {addresses.map((address) => (
              <th scope="col" key={address}>
                {address}
              </th>
            ))}
            <th scope="col">Last probe</th>
          </tr>
        </thead>
        <tbody>
          {of.map((place) => (
            <tr key={place.vantage}>
              <th scope="row">{place.vantage}</th>
              {addresses.map((address) => (
                <Cell key={address} of={place} address={address} />
              ))}
              <td>
                <When at={place.observed_at} /> by {place.agent}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
