#include "probes/tls/pkix.h"

#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "config/config.h"

namespace {

using probes::tls::PkixClient;

// At every reload of the agent: OpenSSL ends with a thread what the thread did in a library
// context, and used to find that of the client gone.
TEST(Pkix, a_client_may_be_let_go_before_the_thread_ends_that_made_it) {
  for (int i = 0; i < 20; ++i) {
    std::promise<std::unique_ptr<PkixClient>> made;
    std::promise<void> is_gone;
    std::thread maker([&] {
      auto client = PkixClient::trusting(config::Config{}.mta_sts.ca_file);
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
