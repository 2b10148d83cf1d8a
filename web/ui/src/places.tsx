// What each place of a fleet sees of an MX host.
import type { MxHost } from "./api";
import { VerdictMark, When } from "./parts";

type Place = MxHost["vantages"][number];

export function Places({ of }: { of: readonly Place[] }) {
  if (of.length < 2) return null;
  const addresses = [...new Set(of.flatMap((place) => place.endpoints.map((one) => one.address)))].sort();
  return (
    <>
      <h2>Seen from</h2>
      <table class="list">
        <caption class="hidden">Seen from</caption>
        <thead>
          <tr>
            {["Place", ...addresses, "Last probe"].map((title) => (
              <th scope="col" key={title}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {of.map((place) => (
            <tr key={place.vantage}>
              <th scope="row">{place.vantage}</th>
              {addresses.map((address) => (
                <td key={address} data-label={address}>
                  {place.endpoints
                    .filter((one) => one.address === address)
                    .map((one) => (
                      <div key={one.key_type}>
                        <VerdictMark verdict={one.verdict} /> {!one.starttls && "no STARTTLS"}{" "}
                        <code>{one.spki_sha256?.slice(0, 8)}</code>
                      </div>
                    ))}
                </td>
              ))}
              <td>
                <When at={place.observed_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
