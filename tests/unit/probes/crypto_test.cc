#include "probes/tls/crypto.h"

#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace probes::tls {
namespace {

TEST(Base64, IsThatOfRfc4648) {
  for (const auto& [text, digits] : {std::pair{"", ""},
                                     {"f", "Zg=="},
                                     {"fo", "Zm8="},
                                     {"foo", "Zm9v"},
                                     {"foob", "Zm9vYg=="},
                                     {"fooba", "Zm9vYmE="},
                                     {"foobar", "Zm9vYmFy"}}) {
    EXPECT_EQ(base64(text), digits);
    EXPECT_EQ(from_base64(digits), text);
  }
  const std::string octets{"\0\xff\xfe\0", 4};
  EXPECT_EQ(from_base64(base64(octets)), octets);
}

TEST(Base64, IsNothingElse) {
  for (const auto* const text : {"Zg", "Zg=", "Zg===", "=", "====", "Zm9v ", " Zm9v", "Zm9v\n",
                                 "Zm=v", "Zg==Zm9v", "Zm9-", "Zm9_", "!!!!", "Zm9vZ"})
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  EXPECT_EQ(from_base64(std::string("Zm\0v", 4)), std::nullopt);
}

TEST(Hmac, IsThatOfRfc4231) {
  EXPECT_EQ(hmac_sha256("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hmac_sha256(std::string(131, '\xaa'),
                        "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hmac, TakesAnEmptyKeyAndText) {
  EXPECT_EQ(hmac_sha256({}, {}),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(IsEqual, ComparesWholeStrings) {
  EXPECT_TRUE(is_equal("", ""));
  EXPECT_TRUE(is_equal("secret", "secret"));
  EXPECT_FALSE(is_equal("secret", "secreT"));
  EXPECT_FALSE(is_equal("secret", "secret2"));
  EXPECT_FALSE(is_equal("", "s"));
  EXPECT_FALSE(is_equal(std::string("a\0b", 3), std::string("a\0c", 3)));
}

}  // namespace
}  // namespace probes::tls
