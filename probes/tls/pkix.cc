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
constexpr int kSecurityLevel = 2;

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

PkixStop stop_of(Refusal refusal) {
  switch (refusal) {
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

std::string words_of(unsigned long error) {
  const char* words = ERR_reason_error_string(error);
  return words == nullptr ? "no TLS" : words;
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
                     long verify_result, unsigned long error) {
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
      return words_of(error);
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

struct WebPki::Context {
  // What Debian's openssl.cnf asks of every program, which a library context of ours does not read.
  ClientContext client{kSecurityLevel, ClientContext::Threads::many};
};

WebPki::WebPki(std::unique_ptr<Context> context) : context_(std::move(context)) {}
WebPki::~WebPki() = default;

Result<std::unique_ptr<WebPki>, TrustFault> WebPki::trusting(const std::filesystem::path& ca_file) {
  auto context = std::make_unique<Context>();
  auto* ctx = context->client.ssl.get();
  ERR_clear_error();
  if (SSL_CTX_load_verify_file(ctx, ca_file.c_str()) != 1) {
    const auto words = drain_errors();
    return Failure<TrustFault>(
        TrustFault{.detail = ca_file.string() + ": no CA certificates: " + words});
  }
  return std::unique_ptr<WebPki>(new WebPki(std::move(context)));
}

PkixStop WebPki::verify(const std::vector<CertificatePtr>& chain, const std::string& server_name,
                        config::Time at) const {
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
  X509_VERIFY_PARAM_set_auth_level(wanted, kSecurityLevel);
  X509_VERIFY_PARAM_set_time(wanted, static_cast<std::time_t>(at.time_since_epoch().count()));
  if (!demand_name(wanted, server_name)) return PkixStop::wrong_name;
  const bool holds = X509_verify_cert(path.get()) == 1;
  const auto error = X509_STORE_CTX_get_error(path.get());
  ERR_clear_error();
  return holds ? PkixStop::none : stop_of_path(error);
}

// Filled by OpenSSL's callbacks, which run in C and so throw nothing that matters.
struct PkixClient::Watch {
  X509Ptr leaf;
  long verify_result = X509_V_OK;
  bool is_done = false;
  bool is_closed = false;
  bool is_goodbye_heard = false;
  unsigned long error = 0;  // of OpenSSL; 0: none was seen
  Refusal refusal = Refusal::broken;
};

namespace {

PkixClient::Watch& watch_of(const SSL* ssl) {
  return *static_cast<PkixClient::Watch*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
}

// OpenSSL forgets the certificates of a peer it rejects: the leaf is kept on the way.
int keep_leaf(int is_ok, X509_STORE_CTX* path) {
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(path, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& kept = watch_of(ssl).leaf;
  X509* leaf = X509_STORE_CTX_get0_cert(path);
  if (!kept && leaf != nullptr && X509_up_ref(leaf) == 1) kept.reset(leaf);
  return is_ok;
}

// The error queue is left as it is: the client reads it, too.
void watch_step(const SSL* ssl, int where, int result) {
  auto& watch = watch_of(ssl);
  if ((where & SSL_CB_HANDSHAKE_DONE) != 0) {
    watch.verify_result = SSL_get_verify_result(ssl);
    watch.is_done = watch.verify_result == X509_V_OK && SSL_get0_peer_certificate(ssl) != nullptr;
    return;
  }
  if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && (result & 0xff) == SSL_AD_CLOSE_NOTIFY)
    watch.is_goodbye_heard = true;
  if ((where & SSL_CB_EXIT) == 0 || result > 0 || watch.is_done) return;
  watch.verify_result = SSL_get_verify_result(ssl);
  watch.error = ERR_peek_error();
  if (watch.error == 0) return;
  watch.is_closed = ERR_GET_REASON(watch.error) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  watch.refusal = why_failed();
}

}  // namespace

PkixClient::PkixClient(const WebPki& pki, std::string server_name, config::Time at)
    : pki_(pki), server_name_(std::move(server_name)), at_(at), watch_(std::make_unique<Watch>()) {}
PkixClient::~PkixClient() = default;

bool PkixClient::equip(ssl_ctx_st* context) {
  harden(context, kSecurityLevel);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set1_cert_store(context, SSL_CTX_get_cert_store(pki_.context_->client.ssl.get()));
  SSL_CTX_set_app_data(context, watch_.get());
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, keep_leaf);
  SSL_CTX_set_info_callback(context, watch_step);
  auto* wanted = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_time(wanted, static_cast<std::time_t>(at_.time_since_epoch().count()));
  return demand_name(wanted, server_name_);
}

bool PkixClient::is_goodbye_heard() const {
  return watch_->is_goodbye_heard;
}

PkixHandshake PkixClient::handshake(bool is_time_over) const {
  const auto& watch = *watch_;
  PkixHandshake seen;
  if (watch.leaf) seen.leaf = describe(watch.leaf.get());
  if (watch.is_done) return seen;
  if (watch.verify_result != X509_V_OK) {
    seen.stop = stop_of_path(watch.verify_result);
  } else if (watch.error != 0) {
    seen.stop = watch.is_closed ? PkixStop::closed : stop_of(watch.refusal);
  } else {
    seen.stop = is_time_over ? PkixStop::timeout : PkixStop::closed;
  }
  seen.detail =
      words_of(seen.stop, server_name_, seen.leaf.get(), watch.verify_result, watch.error);
  return seen;
}

}  // namespace probes::tls
