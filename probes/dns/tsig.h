#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "config/result.h"
#include "config/time.h"
#include "probes/dns/message.h"

// PURE
// Messages that two sides sign with a secret that both have (RFC 8945), as far as whoever asks for
// one zone transfer needs it.
namespace probes::dns {

struct TsigKey {
  enum class Algorithm { hmac_sha256, hmac_sha384, hmac_sha512 };
  Name name;
  Algorithm algorithm = Algorithm::hmac_sha256;
  Bytes secret;
};

// The request and the messages that answer it, in their order.
class TsigExchange {
 public:
  explicit TsigExchange(TsigKey key) : key_(std::move(key)) {}

  // The request with its signature.
  [[nodiscard]] Bytes sign(Bytes request, config::Time at);
  // Whether the message is what the holder of the key sent; `read` is what read_transfer_message()
  // made of it. Of an answer the first message has a signature, and so has one of a hundred behind
  // it (§5.3.1). The error says why it cannot be believed.
  [[nodiscard]] config::Result<void, std::string> verify(std::span<const std::uint8_t> message,
                                                         const TransferMessage& read,
                                                         config::Time at);
  // Nothing came since the last signature: what was told so far is whole.
  [[nodiscard]] bool is_all_signed() const { return is_begun_ && unsigned_ == 0; }

 private:
  TsigKey key_;
  Bytes digested_;  // the last signature, and the messages since
  bool is_begun_ = false;
  unsigned unsigned_ = 0;
};

}  // namespace probes::dns
