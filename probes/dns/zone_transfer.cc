#include "probes/dns/zone_transfer.h"

#include <array>
#include <random>
#include <span>
#include <string_view>

#include <fmt/format.h>
#include <sys/socket.h>

#include "probes/dns/transfer_reader.h"
#include "probes/net/socket.h"

namespace probes::dns {
namespace {

using config::Deadline;
using config::Failure;
using config::Result;

std::string in_words(const net::StreamFault& fault) {
  switch (fault.stop) {
    case net::StreamStop::timeout:
      return "the server takes too long";
    case net::StreamStop::closed:
      return "the server ends the connection before the zone is whole";
    case net::StreamStop::broken:
      break;
  }
  return fault.detail;
}

Result<void, std::string> read_all(net::Socket& socket, std::span<char> into, Deadline deadline) {
  while (!into.empty()) {
    const auto count = socket.read_some(into, deadline);
    if (!count) return Failure<std::string>(in_words(count.error()));
    into = into.subspan(*count);
  }
  return {};
}

// Over TCP two octets with the length stand before a message (RFC 1035 §4.2.2).
Result<Bytes, std::string> read_one(net::Socket& socket, Deadline deadline) {
  std::array<char, 2> head{};
  if (const auto done = read_all(socket, head, deadline); !done)
    return Failure<std::string>(done.error());
  const auto size = static_cast<std::size_t>(static_cast<unsigned char>(head[0]) << 8U |
                                             static_cast<unsigned char>(head[1]));
  Bytes out(size);
  const std::span<char> room{reinterpret_cast<char*>(out.data()), out.size()};
  if (const auto done = read_all(socket, room, deadline); !done)
    return Failure<std::string>(done.error());
  return out;
}

Result<void, std::string> send(net::Socket& socket, const Bytes& message, Deadline deadline) {
  std::string framed;
  framed += static_cast<char>(message.size() >> 8U);
  framed += static_cast<char>(message.size() & 0xffU);
  framed.append(message.begin(), message.end());
  const auto done = socket.write_all(framed, deadline);
  if (!done) return Failure<std::string>(in_words(done.error()));
  return {};
}

}  // namespace

Result<std::vector<Record>, std::string> transfer_zone(const TransferRequest& request,
                                                       const std::function<config::Time()>& now,
                                                       Deadline deadline,
                                                       const std::stop_token& stop) {
  const auto socket = net::Socket::connect(request.address, request.port, deadline);
  if (!socket) return Failure<std::string>(socket.error().detail);
  const std::stop_callback cut(stop, [&] { shutdown((*socket)->descriptor(), SHUT_RDWR); });
  const auto id = static_cast<std::uint16_t>(std::random_device{}());
  auto query = write_transfer_query(request.zone, id);
  std::optional<TsigExchange> tsig;
  if (request.key) query = tsig.emplace(*request.key).sign(std::move(query), now());
  if (const auto sent = send(**socket, query, deadline); !sent)
    return Failure<std::string>(sent.error());
  TransferReader reader(request.zone, id, request.types, tsig ? &*tsig : nullptr);
  while (true) {
    const auto message = read_one(**socket, deadline);
    if (!message) return Failure<std::string>(message.error());
    const auto is_whole = reader.take(*message, now());
    if (!is_whole) return Failure<std::string>(is_whole.error());
    if (*is_whole) return std::move(reader).records();
  }
}

}  // namespace probes::dns
