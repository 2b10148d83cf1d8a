#include "probes/smtp/session.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "probes/smtp/talk.h"

namespace probes::smtp {
namespace {

using config::Deadline;
using std::chrono::steady_clock;

// One side of the talk: sends a line, reads a reply, and remembers in the record how it ended.
class Dialogue {
 public:
  Dialogue(net::Stream& stream, SessionRecord& record, Deadline deadline)
      : stream_(stream), record_(record), deadline_(deadline) {}

  // The next reply, or nothing and the reason in the record.
  std::optional<Reply> read_reply() {
    ReplyReader reader;
    auto deadline = deadline_;
    while (true) {
      const auto used = reader.feed({buffer_.data() + begin_, end_ - begin_});
      hear({buffer_.data() + begin_, used});
      begin_ += used;
      if (auto reply = reader.take()) {
        write_down_heard();
        record_.last_reply = *reply;
        auto& habits = record_.habits;
        habits.has_stray_lines = habits.has_stray_lines || reply->has_stray_lines;
        habits.has_endless_line = habits.has_endless_line || reply->has_endless_line;
        return reply;
      }
      if (reader.fault()) {
        write_down_heard();
        record_.stop = SessionStop::reply_too_long;
        return std::nullopt;
      }
      // Who speaks another protocol may say no more until spoken to.
      if (reader.has_only_strays()) deadline = std::min(deadline, stray_until());
      const auto got = stream_.read_some(buffer_, deadline);
      if (!got) {
        write_down_heard();
        stop(got.error());
        if (reader.has_only_strays()) record_.stop = SessionStop::malformed_reply;
        return std::nullopt;
      }
      begin_ = 0;
      end_ = *got;
    }
  }

  std::optional<Reply> say(std::string_view command) {
    write_down(record_, fmt::format("C: {}", command));
    const auto sent = stream_.write_all(fmt::format("{}\r\n", command), deadline_);
    if (!sent) {
      stop(sent.error());
      return std::nullopt;
    }
    return read_reply();
  }

  // Octets read beyond the last reply.
  [[nodiscard]] std::size_t surplus() const { return end_ - begin_; }

 private:
  void hear(std::string_view octets) {
    heard_ += octets.substr(0, kLongestTranscript - heard_.size());
  }

  // Whole reply or not.
  void write_down_heard() {
    std::string_view rest = heard_;
    while (!rest.empty()) {
      const auto end = std::min(rest.find('\n'), rest.size());
      auto line = rest.substr(0, end);
      if (line.ends_with('\r')) line.remove_suffix(1);
      write_down(record_, fmt::format("S: {}", line));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    heard_.clear();
  }

  static Deadline stray_until() {
    constexpr std::chrono::seconds kPatience{10};
    return steady_clock::now() + kPatience;
  }

  void stop(const net::StreamFault& fault) {
    record_.stop = stop_of(fault.stop);
    record_.detail = fault.detail;
  }

  net::Stream& stream_;
  SessionRecord& record_;
  Deadline deadline_;
  std::string heard_;  // of the reply under way, as far as a transcript can hold it
  std::array<char, 4096> buffer_{};
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

bool is_positive(const std::optional<Reply>& reply, SessionRecord& record) {
  if (!reply) return false;
  if (reply->code >= 200 && reply->code < 300) return true;
  record.stop = SessionStop::negative_reply;
  return false;
}

// Says goodbye over `stream`, politely but with little patience: nothing depends on the answer, and
// the record keeps what it holds, but for the transcript.
void say_goodbye(net::Stream& stream, SessionRecord& record, Deadline deadline) {
  SessionRecord scratch = record;
  Dialogue dialogue{stream, scratch, at_most(deadline, std::chrono::seconds{2})};
  (void)dialogue.say("QUIT");
  record.transcript = std::move(scratch.transcript);
}

// EHLO, and HELO where that is refused by anything but 421, as Postfix does (RFC 5321 §3.2). The
// reply to EHLO; nothing when the session cannot go on. A server that takes HELO only is known by
// `took_helo`, and offers nothing.
std::optional<Reply> greet(Dialogue& dialogue, const SessionPlan& plan, SessionRecord& record) {
  auto ehlo = dialogue.say("EHLO " + plan.helo);
  if (!ehlo || is_positive(ehlo, record)) return ehlo;
  record.refused_ehlo = true;
  constexpr int kClosing = 421;
  if (ehlo->code == kClosing) return std::nullopt;
  const auto helo = dialogue.say("HELO " + plan.helo);
  record.helo_code = helo ? helo->code : 0;
  record.took_helo = helo && helo->code / 100 == 2;
  record.last_reply = ehlo;
  // What closes at HELO has refused us all the same.
  record.stop = SessionStop::negative_reply;
  return record.took_helo ? ehlo : std::nullopt;
}

// Who is offered STARTTLS: senders differ about replies that are not as RFC 5321 would have them.
void read_offer(const Reply& ehlo, SessionRecord& record) {
  const bool to_postfix = offers_to_postfix(ehlo, "STARTTLS");
  const bool to_others = offers(ehlo, "STARTTLS");
  record.offers_starttls = to_postfix || to_others;
  record.habits.offers_only_to_postfix = to_postfix && !to_others;
  record.habits.hides_offer_from_postfix = to_others && !to_postfix;
  if (record.habits.hides_offer_from_postfix)
    record.detail = "STARTTLS is offered where Postfix does not see it";
  if (record.habits.offers_only_to_postfix)
    record.detail = "STARTTLS is offered in a way that only Postfix understands";
}

// Banner, EHLO and STARTTLS. True when the peer is ready for the handshake.
bool talk_in_clear(net::Socket& socket, const SessionPlan& plan, SessionRecord& record,
                   Progress& progress, Deadline deadline) {
  Dialogue dialogue{socket, record, deadline};
  progress.enter(Stage::banner);
  const auto banner = dialogue.read_reply();
  if (banner) record.banner = fmt::format("{} {}", banner->code, banner->text());
  record.habits.has_blotted_banner = banner && banner->is_blotted;
  if (!is_positive(banner, record)) return false;

  progress.enter(Stage::ehlo);
  const auto ehlo = greet(dialogue, plan, record);
  if (!ehlo || record.refused_ehlo) return false;
  read_offer(*ehlo, record);
  record.has_masked_starttls = has_masked_starttls(*ehlo);
  progress.enter(Stage::starttls);
  if (!record.offers_starttls) {
    record.stop = SessionStop::not_offered;
    return false;
  }
  if (!is_positive(dialogue.say("STARTTLS"), record)) return false;
  // Whatever came in clear behind the reply would be taken for the server's words under TLS (RFC
  // 3207 §4.2, CVE-2011-0411): it is counted and thrown away with the buffer.
  record.plaintext_after_starttls = dialogue.surplus();
  if (record.plaintext_after_starttls > 0)
    write_down(record,
               fmt::format("* {} octets in clear behind it", record.plaintext_after_starttls));
  return true;
}

void talk(const SessionPlan& plan, tls::Client& client, SessionRecord& record, Deadline deadline) {
  Progress progress{record};
  auto socket = net::Socket::connect(plan.address, plan.port, deadline);
  if (!socket) {
    record.stop = stop_of(socket.error().stop);
    record.detail = socket.error().detail;
    return;
  }
  if (!talk_in_clear(**socket, plan, record, progress, deadline)) {
    progress.stop();
    if (record.stop == SessionStop::negative_reply || record.stop == SessionStop::not_offered) {
      say_goodbye(**socket, record, deadline);
    }
    return;
  }

  progress.enter(Stage::handshake);
  auto [handshake, stream] =
      client.shake_hands(**socket, plan.server_name, plan.key_type, deadline,
                         plan.is_lax ? tls::Demands::lax : tls::Demands::usual);
  record.tls = std::move(handshake);
  write_down(record, text_of(*record.tls));
  if (!stream) {
    record.stop = SessionStop::tls;
    record.detail = record.tls->detail;
    return;
  }

  // In TLS 1.3 a server's objection (a client certificate it wants) arrives only with the first
  // read.
  progress.enter(Stage::ehlo_tls);
  Dialogue dialogue{*stream, record, deadline};
  if (!greet(dialogue, plan, record)) return;
  // In here nothing more is wanted of the server than to talk: HELO will do.
  if (record.refused_ehlo) {
    record.refused_ehlo = record.took_helo = false;
    record.helo_code = 0;
    record.stop = SessionStop::none;
  }
  progress.enter(Stage::done);
  say_goodbye(*stream, record, deadline);
}

}  // namespace

std::string_view wire_name(Stage stage) {
  switch (stage) {
    case Stage::connect:
      return "connect";
    case Stage::banner:
      return "banner";
    case Stage::ehlo:
      return "ehlo";
    case Stage::starttls:
      return "starttls";
    case Stage::handshake:
      return "handshake";
    case Stage::ehlo_tls:
      return "ehlo-tls";
    case Stage::done:
      return "done";
  }
  return "";
}

std::string_view wire_name(SessionStop stop) {
  switch (stop) {
    case SessionStop::none:
      return "none";
    case SessionStop::special_address:
      return "special-address";
    case SessionStop::connect_refused:
      return "connect-refused";
    case SessionStop::connect_unreachable:
      return "connect-unreachable";
    case SessionStop::connect_timeout:
      return "connect-timeout";
    case SessionStop::no_route:
      return "no-route";
    case SessionStop::local_fault:
      return "local-fault";
    case SessionStop::timeout:
      return "timeout";
    case SessionStop::closed:
      return "closed";
    case SessionStop::malformed_reply:
      return "malformed-reply";
    case SessionStop::reply_too_long:
      return "reply-too-long";
    case SessionStop::negative_reply:
      return "negative-reply";
    case SessionStop::not_offered:
      return "starttls-not-offered";
    case SessionStop::tls:
      return "tls-failed";
  }
  return "";
}

bool same_facts(const SessionRecord& a, const SessionRecord& b) {
  const auto code = [](const SessionRecord& record) {
    return record.last_reply ? record.last_reply->code : 0;
  };
  const auto same_tls = [&] {
    if (a.tls.has_value() != b.tls.has_value()) return false;
    return !a.tls ||
           (a.tls->stop == b.tls->stop && a.tls->version == b.tls->version &&
            a.tls->cipher == b.tls->cipher &&
            std::ranges::equal(a.tls->chain, b.tls->chain, [](const auto& x, const auto& y) {
              return x == y || x->sha256 == y->sha256;
            }));
  };
  return a.address == b.address && a.port == b.port && a.key_type == b.key_type &&
         a.stage == b.stage && a.stop == b.stop && code(a) == code(b) &&
         a.offers_starttls == b.offers_starttls && a.has_masked_starttls == b.has_masked_starttls &&
         a.took_helo == b.took_helo && a.helo_code / 100 == b.helo_code / 100 &&
         a.habits == b.habits && a.lax == b.lax &&
         a.plaintext_after_starttls == b.plaintext_after_starttls && same_tls();
}

SessionRecord run_session(const SessionPlan& plan, tls::Client& client, Deadline deadline) {
  return record_of(plan.address, plan.port, plan.key_type,
                   [&](SessionRecord& record) { talk(plan, client, record, deadline); });
}

}  // namespace probes::smtp
