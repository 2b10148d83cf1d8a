#include "probes/reports/gunzip.h"

#include <array>
#include <limits>
#include <new>
#include <utility>

#include <zlib.h>

namespace probes::reports {
namespace {

using config::Failure;
using Text = config::Result<std::string, std::string>;

class Inflater {
 public:
  explicit Inflater(std::string_view octets) {
    // The library only reads it; its type is from before const.
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(octets.data()));
    stream_.avail_in = static_cast<uInt>(octets.size());
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
};

}  // namespace

bool is_gzip(std::string_view octets) {
  return octets.starts_with("\x1F\x8B");
}

Text gunzip(std::string_view octets, std::size_t most) {
  if (octets.size() > std::numeric_limits<uInt>::max())
    return Failure<std::string>("too many octets");
  Inflater inflater(octets);
  auto& stream = inflater.stream();
  std::array<char, std::size_t{16} << 10U> step{};
  std::string out;
  while (true) {
    stream.next_out = reinterpret_cast<Bytef*>(step.data());
    stream.avail_out = static_cast<uInt>(step.size());
    const int status = inflate(&stream, Z_NO_FLUSH);
    const auto given = step.size() - stream.avail_out;
    if (given > most - out.size())
      return Failure<std::string>("it unpacks to more octets than are taken");
    out.append(step.data(), given);
    if (status == Z_STREAM_END) {
      // Another member may follow (RFC 1952 §2.2); padding is none.
      const std::string_view rest(reinterpret_cast<const char*>(stream.next_in), stream.avail_in);
      if (!is_gzip(rest)) return out;
      if (inflateReset(&stream) != Z_OK) return Failure<std::string>("gzip that is damaged");
      continue;
    }
    if (status == Z_BUF_ERROR || (status == Z_OK && stream.avail_in == 0 && given == 0))
      return Failure<std::string>("gzip that ends too early");
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    if (status != Z_OK) return Failure<std::string>("gzip that is damaged");
  }
}

}  // namespace probes::reports
