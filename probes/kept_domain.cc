#include "probes/kept_domain.h"

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include "probes/codec/packed.h"

namespace probes {

struct KeptDomain::Whole : Kept {
  DomainSeen seen;
};

// Octets of codec::Packer are behind it.
struct KeptDomain::Packed : Kept {
  [[nodiscard]] std::uint8_t* octets() { return reinterpret_cast<std::uint8_t*>(this + 1); }
};

void KeptDomain::Kept::free(Kept* kept) {
  if (kept->is_packed)
    ::operator delete(kept);
  else
    delete static_cast<Whole*>(kept);
}

KeptDomain::KeptDomain(DomainSeen seen) {
  if (seen) kept_ = config::Counted<Kept>(new Whole{{1, false}, std::move(seen)});
}

DomainSeen KeptDomain::open() const {
  if (!kept_) return nullptr;
  if (!kept_->is_packed) return static_cast<Whole*>(kept_.get())->seen;
  const std::vector<tls::CertificatePtr> none;
  auto out = std::make_shared<DomainObservation>();
  codec::Unpacker{static_cast<Packed*>(kept_.get())->octets(), none}.take(*out);
  return out;
}

void KeptDomain::pack() {
  if (!kept_ || kept_->is_packed) return;
  codec::Packer packer;
  packer.put(*static_cast<Whole*>(kept_.get())->seen);
  if (!packer.certificates().empty()) return;
  auto* room = ::operator new(sizeof(Packed) + packer.octets().size());
  auto* packed = new (room) Packed{{1, true}};
  std::ranges::copy(packer.octets(), packed->octets());
  kept_ = config::Counted<Kept>(packed);
}

}  // namespace probes
