#include "probes/tls/pkix.h"

#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "config/config.h"

namespace {

using probes::tls::WebPki;

// At every reload of the agent: OpenSSL ends with a thread what the thread did in a library
// context, and used to find that of the store gone.
TEST(Pkix, cas_may_be_let_go_before_the_thread_ends_that_read_them) {
  for (int i = 0; i < 20; ++i) {
    std::promise<std::unique_ptr<WebPki>> made;
    std::promise<void> is_gone;
    std::thread maker([&] {
      auto client = WebPki::trusting(config::Config{}.mta_sts.ca_file);
      made.set_value(client ? std::move(*client) : nullptr);
      is_gone.get_future().wait();
    });
    auto client = made.get_future().get();
    EXPECT_NE(client, nullptr);
    client.reset();
    is_gone.set_value();
    maker.join();
  }
}

}  // namespace
