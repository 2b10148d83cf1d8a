#include "probes/sender_classes.h"

#include <algorithm>
#include <array>

namespace probes {
namespace {

constexpr std::array kClasses{
    SenderClass{"secure-mx-only", Weight::common,
                "Exim, whose SMTP transport tries DANE by default (hosts_try_dane)", 2022},
    SenderClass{"sha256-only", Weight::rare,
                "RFC 7671 §9 asks for SHA2-512, too; Postfix and Exim know both", 2015},
    SenderClass{"rsa-only", Weight::rare, "every TLS library offers ECDSA, as RFC 9325 §4.2 asks",
                2022},
    SenderClass{"sha1-unsupported", Weight::common,
                "crypto policy of Red Hat Enterprise Linux 9; RFC 9905", 2025},
    SenderClass{"nsec3-limited", Weight::common,
                "validators that take more than 50 iterations for insecure (RFC 9276 §3.2)", 2024},
    SenderClass{"strict-algorithms", Weight::rare,
                "RFC 6840 §5.11 lets validators waive it; in Unbound it is off by default", 2013},
    SenderClass{"aggressive-nsec", Weight::common,
                "Unbound minimises names by default, as RFC 9156 asks", 2021},
    SenderClass{"trust-anchor-strict", Weight::rare, "libraries for Go; no common mail server",
                2024},
    SenderClass{"short-wildcards", Weight::rare,
                "libraries for Go; libcrypto wants two labels behind the asterisk", 2024},
    SenderClass{"strict-addresses", Weight::rare,
                "RFC 7672 §2.2.2 read strictly; Postfix and Exim go on", 2015},
    SenderClass{"strict-time", Weight::common,
                "BIND, whose validator forgives no expired signature", 2024},
    SenderClass{"strict-security-level", Weight::common,
                "OpenSSL 3.2 and Debian's OpenSSL: security level 2 by default", 2023},
    SenderClass{"null-mx-ignored", Weight::rare, "software from before RFC 7505", 2015},
    SenderClass{"other-nameserver", Weight::common,
                "each resolver chooses among a zone's name servers (RFC 1034 §5.3.3)", 1987},
    SenderClass{"rfc-7672", Weight::common, "Exim and other senders that are not Postfix", 2022},
    SenderClass{"web-pki-only", Weight::common, "no common mail program checks TLSA records", 2026},
};

}  // namespace

std::string_view wire_name(Weight weight) {
  switch (weight) {
    case Weight::common:
      return "common";
    case Weight::rare:
      return "rare";
  }
  return "";
}

std::span<const SenderClass> sender_classes() {
  return kClasses;
}

Weight weight_of(std::string_view sender) {
  const auto found = std::ranges::find(kClasses, sender, &SenderClass::name);
  return found == kClasses.end() ? Weight::rare : found->weight;
}

}  // namespace probes
