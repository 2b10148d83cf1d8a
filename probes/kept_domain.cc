#include "probes/kept_domain.h"

#include <algorithm>

#include "probes/codec/packed.h"

namespace probes {

DomainSeen KeptDomain::open() const {
  if (const auto* whole = std::get_if<DomainSeen>(&kept_)) return *whole;
  const std::vector<tls::CertificatePtr> none;
  auto out = std::make_shared<DomainObservation>();
  codec::Unpacker{std::get<Octets>(kept_).get(), none}.take(*out);
  return out;
}

KeptDomain::operator bool() const {
  const auto* whole = std::get_if<DomainSeen>(&kept_);
  return whole == nullptr || *whole != nullptr;
}

void KeptDomain::pack() {
  const auto* whole = std::get_if<DomainSeen>(&kept_);
  if (whole == nullptr || *whole == nullptr) return;
  codec::Packer packer;
  packer.put(**whole);
  if (!packer.certificates().empty()) return;
  auto octets = std::make_shared_for_overwrite<std::uint8_t[]>(packer.octets().size());
  std::ranges::copy(packer.octets(), octets.get());
  kept_ = Octets(std::move(octets));
}

}  // namespace probes
