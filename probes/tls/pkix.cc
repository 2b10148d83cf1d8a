#include "probes/tls/pkix.h"

#include <utility>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "probes/tls/ssl_stream.h"
#include "probes/tls/x509.h"

namespace probes::tls {
namespace {

using config::Deadline;
using config::Failure;
using config::Result;

// As many names of a wrong certificate as help a person to see whose it is.
constexpr std::size_t kNamesTold = 4;

PkixStop stop_of_path(long verify_result) {
  switch (verify_result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return PkixStop::expired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return PkixStop::not_yet_valid;
    case X509_V_ERR_HOSTNAME_MISMATCH:
      return PkixStop::wrong_name;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return PkixStop::self_signed;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return PkixStop::unknown_issuer;
    default:
      return PkixStop::untrusted;
  }
}

PkixStop stop_of(Step step, long verify_result) {
  switch (step) {
    case Step::done:
      return PkixStop::none;
    case Step::timeout:
      return PkixStop::timeout;
    case Step::closed:
    case Step::cut:
      return PkixStop::closed;
    case Step::failed:
      break;
  }
  if (verify_result != X509_V_OK) return stop_of_path(verify_result);
  switch (why_failed()) {
    case Refusal::version_old:
      return PkixStop::version_old;
    case Refusal::handshake_alert:
    case Refusal::alert:
      return PkixStop::refused;
    case Refusal::broken:
      return PkixStop::broken;
  }
  return PkixStop::broken;
}

std::string told_names(const Certificate& leaf) {
  if (leaf.dns_names.empty()) return "no name";
  std::string out;
  for (std::size_t i = 0; i < leaf.dns_names.size() && i < kNamesTold; ++i)
    out += (i == 0 ? "" : ", ") + leaf.dns_names[i];
  if (leaf.dns_names.size() > kNamesTold) out += " and more";
  return out;
}

std::string words_of(PkixStop stop, const std::string& server_name, const Certificate* leaf,
                     long verify_result, std::string library_words) {
  const std::string path = X509_verify_cert_error_string(verify_result);
  switch (stop) {
    case PkixStop::none:
      return {};
    case PkixStop::timeout:
      return "no TLS handshake in time";
    case PkixStop::closed:
      return "the peer hung up in the TLS handshake";
    case PkixStop::version_old:
    case PkixStop::refused:
    case PkixStop::broken:
      return library_words;
    case PkixStop::expired:
      // The one out of date may be another of the path: then the leaf's date would mislead.
      return path;
    case PkixStop::wrong_name:
      return "the certificate is not for " + server_name +
             (leaf != nullptr ? " but for " + told_names(*leaf) : "");
    case PkixStop::not_yet_valid:
    case PkixStop::unknown_issuer:
    case PkixStop::self_signed:
    case PkixStop::untrusted:
      return path;
  }
  return {};
}

// OpenSSL forgets the certificates of a peer it rejects: the leaf is kept on the way. Runs in C, so
// it throws nothing.
int keep_leaf(int is_ok, X509_STORE_CTX* path) {
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(path, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* kept = static_cast<X509Ptr*>(SSL_get_app_data(ssl));
  X509* leaf = X509_STORE_CTX_get0_cert(path);
  if (!*kept && leaf != nullptr && X509_up_ref(leaf) == 1) kept->reset(leaf);
  return is_ok;
}

void free_stack(STACK_OF(X509) * stack) {
  sk_X509_pop_free(stack, X509_free);
}
using StackPtr = std::unique_ptr<STACK_OF(X509), FreeWith<free_stack>>;
using StoreCtxPtr = std::unique_ptr<X509_STORE_CTX, FreeWith<X509_STORE_CTX_free>>;

// The name a peer must prove. False for what OpenSSL would take for "any" or "any below".
bool demand_name(X509_VERIFY_PARAM* wanted, const std::string& name) {
  X509_VERIFY_PARAM_set_hostflags(
      wanted, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return !name.empty() && name.front() != '.' &&
         X509_VERIFY_PARAM_set1_host(wanted, name.data(), name.size()) == 1;
}

}  // namespace

std::string_view wire_name(PkixStop stop) {
  switch (stop) {
    case PkixStop::none:
      return "none";
    case PkixStop::timeout:
      return "timeout";
    case PkixStop::closed:
      return "closed";
    case PkixStop::version_old:
      return "version-old";
    case PkixStop::refused:
      return "refused";
    case PkixStop::broken:
      return "broken";
    case PkixStop::expired:
      return "expired";
    case PkixStop::not_yet_valid:
      return "not-yet-valid";
    case PkixStop::wrong_name:
      return "wrong-name";
    case PkixStop::unknown_issuer:
      return "unknown-issuer";
    case PkixStop::self_signed:
      return "self-signed";
    case PkixStop::untrusted:
      return "untrusted";
  }
  return "";
}

struct PkixClient::Context {
  // What Debian's openssl.cnf asks of every program, which a library context of ours does not read.
  ClientContext client{2, ClientContext::Threads::many};
};

PkixClient::PkixClient(std::unique_ptr<Context> context) : context_(std::move(context)) {}
PkixClient::~PkixClient() = default;

Result<std::unique_ptr<PkixClient>, TrustFault> PkixClient::trusting(
    const std::filesystem::path& ca_file) {
  auto context = std::make_unique<Context>();
  auto* ctx = context->client.ssl.get();
  ERR_clear_error();
  if (SSL_CTX_load_verify_file(ctx, ca_file.c_str()) != 1) {
    const auto words = drain_errors();
    return Failure<TrustFault>(
        TrustFault{.detail = ca_file.string() + ": no CA certificates: " + words});
  }
  // A renegotiation or a flood of tickets must not keep a read busy beyond its deadline: each
  // record that brings no data goes back to drive(), which looks at the clock.
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, keep_leaf);
  return std::unique_ptr<PkixClient>(new PkixClient(std::move(context)));
}

PkixClient::Outcome PkixClient::shake_hands(net::Socket& socket, const std::string& server_name,
                                            config::Time at, Deadline deadline) {
  Outcome outcome;
  auto& seen = outcome.handshake;
  SslPtr ssl = new_connection(context_->client, socket, server_name);
  X509Ptr leaf;
  SSL_set_app_data(ssl.get(), &leaf);
  auto* wanted = SSL_get0_param(ssl.get());
  X509_VERIFY_PARAM_set_time(wanted, static_cast<std::time_t>(at.time_since_epoch().count()));
  if (!demand_name(wanted, server_name)) {
    seen = {.stop = PkixStop::broken, .detail = "no name to verify the peer by"};
    ERR_clear_error();
    return outcome;
  }

  const auto step = drive(ssl.get(), deadline, [&] { return SSL_connect(ssl.get()); });
  SSL_set_app_data(ssl.get(), nullptr);
  const long verify_result = SSL_get_verify_result(ssl.get());
  seen.stop = stop_of(step, verify_result);
  auto library_words = drain_errors();
  if (leaf) seen.leaf = describe(leaf.get());
  seen.detail =
      words_of(seen.stop, server_name, seen.leaf.get(), verify_result, std::move(library_words));
  if (step != Step::done) return outcome;
  // Certain by SSL_VERIFY_PEER; asked again because everything here rests on it.
  if (verify_result != X509_V_OK || SSL_get0_peer_certificate(ssl.get()) == nullptr) {
    seen.stop = PkixStop::untrusted;
    seen.detail = "the peer was not verified";
    return outcome;
  }
  seen.version = SSL_get_version(ssl.get());
  outcome.stream = std::make_unique<SslStream>(std::move(ssl), Cut::is_fault);
  return outcome;
}

PkixStop PkixClient::verify(const std::vector<CertificatePtr>& chain,
                            const std::string& server_name, config::Time at) const {
  const StackPtr others{sk_X509_new_null()};
  for (const auto& certificate : chain) {
    if (auto x509 = read_x509(certificate->der)) sk_X509_push(others.get(), x509.release());
  }
  const StoreCtxPtr path{X509_STORE_CTX_new()};
  auto* store = SSL_CTX_get_cert_store(context_->client.ssl.get());
  X509* leaf = sk_X509_value(others.get(), 0);
  if (leaf == nullptr || X509_STORE_CTX_init(path.get(), store, leaf, others.get()) != 1)
    return PkixStop::untrusted;
  X509_STORE_CTX_set_default(path.get(), "ssl_server");
  auto* wanted = X509_STORE_CTX_get0_param(path.get());
  X509_VERIFY_PARAM_set_auth_level(wanted, 2);
  X509_VERIFY_PARAM_set_time(wanted, static_cast<std::time_t>(at.time_since_epoch().count()));
  if (!demand_name(wanted, server_name)) return PkixStop::wrong_name;
  const bool holds = X509_verify_cert(path.get()) == 1;
  const auto error = X509_STORE_CTX_get_error(path.get());
  ERR_clear_error();
  return holds ? PkixStop::none : stop_of_path(error);
}

}  // namespace probes::tls
