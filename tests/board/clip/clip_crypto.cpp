#include "tests/board/clip/clip_crypto.h"

#include <cstring>
#include <format>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "protected-path/base/unique_fd.h"

namespace vitrine {
namespace {

struct FreeKdfContext {
  void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
};
struct FreeCipherContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

std::unexpected<Error> cryptoError(std::string_view operation, std::string_view object) {
  char text[256] = "no reason given";
  if (const unsigned long code = ERR_get_error(); code != 0) ERR_error_string_n(code, text, sizeof(text));
  return invalid(operation, object, text);
}

OSSL_PARAM octets(const char* name, std::span<const uint8_t> bytes) {
  // OpenSSL's parameter type is not const-correct; OpenSSL only reads these.
  return OSSL_PARAM_construct_octet_string(name, const_cast<uint8_t*>(bytes.data()), bytes.size());
}

OSSL_PARAM digestName() {
  static char name[] = "SHA256";
  return OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 0);
}

Result<Mac> deriveMacKey(const ClipKey& key, const ClipNonce& nonce) {
  EVP_KDF* hkdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  const std::unique_ptr<EVP_KDF_CTX, FreeKdfContext> context(EVP_KDF_CTX_new(hkdf));
  EVP_KDF_free(hkdf);
  constexpr std::string_view info = "vitrine clip mac";
  const OSSL_PARAM parameters[] = {
      digestName(),
      octets(OSSL_KDF_PARAM_KEY, key),
      octets(OSSL_KDF_PARAM_SALT, nonce),
      octets(OSSL_KDF_PARAM_INFO, {reinterpret_cast<const uint8_t*>(info.data()), info.size()}),
      OSSL_PARAM_construct_end(),
  };
  Mac derived{};
  if (!context || EVP_KDF_derive(context.get(), derived.data(), derived.size(), parameters) != 1)
    return cryptoError("derive", "clip MAC key (HKDF-SHA256)");
  return derived;
}

int hexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

} // namespace

Result<> randomBytes(std::span<uint8_t> target) {
  if (RAND_bytes(target.data(), static_cast<int>(target.size())) != 1)
    return cryptoError("RAND_bytes", std::format("{} bytes", target.size()));
  return {};
}

Result<Mac> sha256(std::span<const std::byte> bytes) {
  Mac digest{};
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1)
    return cryptoError("SHA-256", std::format("{} bytes", bytes.size()));
  return digest;
}

void ClipMac::Free::operator()(EVP_MAC_CTX* context) const {
  EVP_MAC_CTX_free(context);
}

Result<ClipMac> ClipMac::create(const ClipKey& key, const ClipNonce& nonce) {
  auto macKey = deriveMacKey(key, nonce);
  if (!macKey) return std::unexpected(macKey.error());
  EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  ClipMac mac(EVP_MAC_CTX_new(hmac));
  EVP_MAC_free(hmac);
  const OSSL_PARAM parameters[] = {digestName(), OSSL_PARAM_construct_end()};
  const bool ready = mac.context_ && EVP_MAC_init(mac.context_.get(), macKey->data(), macKey->size(), parameters) == 1;
  OPENSSL_cleanse(macKey->data(), macKey->size());
  if (!ready) return cryptoError("HMAC-SHA256", "clip MAC key");
  return mac;
}

Result<Mac> ClipMac::compute(const char* label, uint64_t index, std::span<const std::byte> bytes) const {
  EVP_MAC_CTX* context = context_.get();
  std::array<uint8_t, 8> position{};
  for (size_t i = 0; i < position.size(); ++i)
    position[i] = static_cast<uint8_t>(index >> (8 * i));
  Mac result{};
  size_t length = 0;
  // A null key restarts with the current key.
  if (EVP_MAC_init(context, nullptr, 0, nullptr) != 1 ||
      EVP_MAC_update(context, reinterpret_cast<const uint8_t*>(label), std::strlen(label)) != 1 ||
      EVP_MAC_update(context, position.data(), position.size()) != 1 ||
      EVP_MAC_update(context, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()) != 1 ||
      EVP_MAC_final(context, result.data(), &length, result.size()) != 1 || length != result.size())
    return cryptoError("HMAC-SHA256", std::format("{} {}", label, index));
  return result;
}

bool equalMacs(const Mac& a, const Mac& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<> aesCtr(const ClipKey& key, const CounterBlock& counter, std::span<const std::byte> input,
                std::span<std::byte> output) {
  const std::unique_ptr<EVP_CIPHER_CTX, FreeCipherContext> context(EVP_CIPHER_CTX_new());
  int written = 0;
  if (input.size() != output.size() || !context ||
      EVP_EncryptInit_ex2(context.get(), EVP_aes_128_ctr(), key.data(), counter.data(), nullptr) != 1 ||
      EVP_EncryptUpdate(context.get(), reinterpret_cast<uint8_t*>(output.data()), &written,
                        reinterpret_cast<const uint8_t*>(input.data()), static_cast<int>(input.size())) != 1)
    return cryptoError("AES-128-CTR", std::format("{} bytes", input.size()));
  return {};
}

Result<ClipKey> parseKey(std::string_view hex) {
  ClipKey key{};
  bool valid = hex.size() == 2 * key.size();
  for (size_t i = 0; valid && i < hex.size(); ++i) {
    const int digit = hexDigit(hex[i]);
    valid = digit >= 0;
    key[i / 2] = static_cast<uint8_t>((key[i / 2] << 4) | (digit & 0xf));
  }
  if (!valid) return invalid("parse", "clip key", "it has to be 32 hexadecimal digits (AES-128)");
  return key;
}

Result<ClipKey> readKeyFile(const std::filesystem::path& file) {
  errno = 0;
  std::ifstream stream(file);
  if (!stream)
    return systemError("open", file.string(), errno != 0 ? errno : EIO,
                       "give the clip's key with --key FILE; vitrine-pack wrote it beside the clip");
  std::string line;
  std::getline(stream, line);
  auto key = parseKey(line);
  OPENSSL_cleanse(line.data(), line.size());
  if (!key) return invalid("read", "key file " + file.string(), key.error().detail);
  return key;
}

Result<> writeKeyFile(const std::filesystem::path& file, const ClipKey& key) {
  const UniqueFd fd(open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return systemError("create", "key file " + file.string());
  std::string text;
  for (const uint8_t byte : key)
    text += std::format("{:02x}", byte);
  text += '\n';
  const ssize_t written = write(fd.get(), text.data(), text.size());
  const int writeErrno = errno;
  OPENSSL_cleanse(text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size())) {
    unlink(file.c_str());
    return systemError("write", "key file " + file.string(), written < 0 ? writeErrno : ENOSPC);
  }
  return {};
}

} // namespace vitrine
