#include "probes/services/session.h"

#include <memory>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "probes/net/socket.h"
#include "probes/services/line_reader.h"
#include "probes/services/protocol.h"
#include "probes/smtp/talk.h"

namespace probes::services {
namespace {

using config::Deadline;
using config::Starttls;
using smtp::Progress;
using smtp::SessionRecord;
using smtp::SessionStop;
using smtp::Stage;
using std::chrono::steady_clock;

// One side of the talk: says what an exchange has to say, reads its reply, and remembers in the
// record how it ended.
class Dialogue {
 public:
  Dialogue(net::Stream& stream, SessionRecord& record, Starttls protocol, Deadline deadline)
      : stream_(stream),
        record_(record),
        reader_(stream, record),
        protocol_(protocol),
        deadline_(deadline) {}

  // Whether the server agreed; `heard` gets each line.
  template <class Heard>
  bool hold(const Exchange& exchange, Heard heard) {
    if (!exchange.command.empty() && !say(exchange.command)) return false;
    for (bool is_first = true;; is_first = false) {
      const auto line = reader_.read_line(deadline_);
      if (!line) {
        record_.stop = line.error();
        return false;
      }
      heard(*line);
      switch (read_line(protocol_, exchange, *line, is_first)) {
        case Line::more:
          continue;
        case Line::good:
          return true;
        case Line::refused:
          record_.stop = SessionStop::negative_reply;
          record_.detail = *line;
          return false;
        case Line::strange:
          record_.stop = SessionStop::malformed_reply;
          record_.detail = *line;
          return false;
      }
    }
  }
  bool hold(const Exchange& exchange) {
    return hold(exchange, [](const std::string&) {});
  }

  bool say(std::string_view command) {
    smtp::write_down(record_, fmt::format("C: {}", command));
    const auto sent = stream_.write_all(fmt::format("{}\r\n", command), deadline_);
    if (sent) return true;
    record_.stop = smtp::stop_of(sent.error().stop);
    record_.detail = sent.error().detail;
    return false;
  }

  // Nothing depends on the answer, so nobody waits for it.
  void say_goodbye(std::string_view command) {
    smtp::write_down(record_, fmt::format("C: {}", command));
    (void)stream_.write_all(fmt::format("{}\r\n", command),
                            smtp::at_most(deadline_, std::chrono::seconds{2}));
  }

  [[nodiscard]] LineReader& reader() { return reader_; }

 private:
  net::Stream& stream_;
  SessionRecord& record_;
  LineReader reader_;
  Starttls protocol_;
  Deadline deadline_;
};

// Greeting, capabilities and STARTTLS. True when the peer is ready for the handshake.
bool talk_in_clear(net::Socket& socket, const ServicePlan& plan, SessionRecord& record,
                   Progress& progress, Deadline deadline) {
  const auto& protocol = protocol_of(plan.starttls);
  Dialogue dialogue{socket, record, plan.starttls, deadline};
  const auto hear = [&](const std::string& line) {
    if (!record.banner) record.banner = line;
    record.offers_starttls = record.offers_starttls || offers_starttls(plan.starttls, line);
  };
  progress.enter(Stage::banner);
  if (!dialogue.hold(protocol.greeting, hear)) return false;
  progress.enter(Stage::ehlo);
  // Who does not know the question offers nothing (RFC 2449 §5: -ERR).
  if (protocol.capabilities && !dialogue.hold(*protocol.capabilities, hear)) {
    if (record.stop != SessionStop::negative_reply || plan.starttls != Starttls::pop3) return false;
    record.stop = SessionStop::none;
  }
  progress.enter(Stage::starttls);
  if (!record.offers_starttls) {
    record.stop = SessionStop::not_offered;
    progress.stop();
    dialogue.say_goodbye(protocol.goodbye);
    return false;
  }
  if (!dialogue.hold(protocol.starttls)) {
    progress.stop();
    if (record.stop == SessionStop::negative_reply) dialogue.say_goodbye(protocol.goodbye);
    return false;
  }
  // In clear, behind the reply: it would be taken for the server's words under TLS (RFC 9051
  // §11.1).
  record.plaintext_after_starttls = dialogue.reader().surplus();
  if (record.plaintext_after_starttls > 0)
    smtp::write_down(
        record, fmt::format("* {} octets in clear behind it", record.plaintext_after_starttls));
  return true;
}

// Where TLS began at once the server greets only now. Protocols in which the client speaks first
// greet nobody: there the handshake was all.
bool hear_greeting(Dialogue& dialogue, SessionRecord& record, Deadline deadline) {
  constexpr std::chrono::seconds kPatience{10};
  const auto line = dialogue.reader().read_line(smtp::at_most(deadline, kPatience));
  if (!line) {
    if (line.error() == SessionStop::timeout) {
      record.detail.clear();
      return steady_clock::now() < deadline;
    }
    record.stop = line.error();
    return false;
  }
  record.banner = *line;
  const auto greeting = read_greeting(*line);
  if (greeting && greeting->line == Line::refused) {
    record.stop = SessionStop::negative_reply;
    record.detail = *line;
    return false;
  }
  if (greeting) dialogue.say_goodbye(greeting->goodbye);
  return true;
}

void talk_under_tls(net::Stream& stream, const ServicePlan& plan, SessionRecord& record,
                    Progress& progress, Deadline deadline) {
  // In TLS 1.3 a server's objection (a client certificate it wants) arrives only with the first
  // read.
  progress.enter(Stage::ehlo_tls);
  Dialogue dialogue{stream, record, plan.starttls, deadline};
  if (plan.starttls == Starttls::none) {
    if (hear_greeting(dialogue, record, deadline)) progress.enter(Stage::done);
    return;
  }
  const auto& protocol = protocol_of(plan.starttls);
  const bool is_good = dialogue.hold(protocol.under_tls);
  // It talks, and no more is wanted of it in here.
  if (!is_good && record.stop != SessionStop::negative_reply) return;
  record.stop = SessionStop::none;
  if (!is_good) record.detail.clear();
  progress.enter(Stage::done);
  dialogue.say_goodbye(protocol.goodbye);
}

void talk(const ServicePlan& plan, tls::Client& client, SessionRecord& record, Deadline deadline) {
  Progress progress{record};
  auto socket = net::Socket::connect(plan.address, plan.port, deadline);
  if (!socket) {
    record.stop = smtp::stop_of(socket.error().stop);
    record.detail = socket.error().detail;
    return;
  }
  if (plan.starttls != Starttls::none && !talk_in_clear(**socket, plan, record, progress, deadline))
    return;
  progress.enter(Stage::handshake);
  auto [handshake, stream] =
      client.shake_hands(**socket, plan.server_name, plan.key_type, deadline);
  record.tls = std::move(handshake);
  smtp::write_down(record, smtp::text_of(*record.tls));
  if (!stream) {
    record.stop = SessionStop::tls;
    record.detail = record.tls->detail;
    return;
  }
  talk_under_tls(*stream, plan, record, progress, deadline);
}

}  // namespace

SessionRecord run_session(const ServicePlan& plan, tls::Client& client, Deadline deadline) {
  return smtp::record_of(plan.address, plan.port, plan.key_type,
                         [&](SessionRecord& record) { talk(plan, client, record, deadline); });
}

}  // namespace probes::services
