#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "protected-path/base/result.h"

using EVP_MAC_CTX = struct evp_mac_ctx_st;
using EVP_CIPHER_CTX = struct evp_cipher_ctx_st;

namespace vitrine {

/** A clip's AES-128 key. The TEE gets it in this form. */
using ClipKey = std::array<uint8_t, 16>;
using ClipNonce = std::array<uint8_t, 8>;
/** AES-CTR's first counter block, big endian. */
using CounterBlock = std::array<uint8_t, 16>;
using Mac = std::array<uint8_t, 32>;

/** Random bytes from OpenSSL's generator. */
[[nodiscard]] Result<> randomBytes(std::span<uint8_t> target);

/** SHA-256 of `bytes`. */
[[nodiscard]] Result<Mac> sha256(std::span<const std::byte> bytes);

/**
 * Keyed checksums of one clip: HMAC-SHA256 under a key that HKDF-SHA256 (RFC 5869) derives from the clip's key, with
 * the clip's nonce as salt and `vitrine clip mac` as info, so that no key has two purposes.
 */
class ClipMac {
public:
  [[nodiscard]] static Result<ClipMac> create(const ClipKey& key, const ClipNonce& nonce);

  /** HMAC of a label (without its terminating zero), an index (little endian, 8 bytes) and `bytes`. */
  [[nodiscard]] Result<Mac> compute(const char* label, uint64_t index, std::span<const std::byte> bytes) const;

private:
  struct Free {
    void operator()(EVP_MAC_CTX* context) const;
  };
  explicit ClipMac(EVP_MAC_CTX* context) : context_(context) {}
  std::unique_ptr<EVP_MAC_CTX, Free> context_;
};

/** Compares in constant time. */
[[nodiscard]] bool equalMacs(const Mac& a, const Mac& b);

/** AES-128-CTR of `input` into `output` (same size; may be the same memory). Its own inverse. */
[[nodiscard]] Result<> aesCtr(const ClipKey& key, const CounterBlock& counter, std::span<const std::byte> input,
                              std::span<std::byte> output);

/** Parses 32 hexadecimal digits. Error: Invalid; it does not repeat the text. */
[[nodiscard]] Result<ClipKey> parseKey(std::string_view hex);

/** Reads a key file: 32 hexadecimal digits and a newline. Errors name the file. */
[[nodiscard]] Result<ClipKey> readKeyFile(const std::filesystem::path& file);

/** Writes a key file that only its owner can read (0600). Never replaces a file: EEXIST. */
[[nodiscard]] Result<> writeKeyFile(const std::filesystem::path& file, const ClipKey& key);

} // namespace vitrine
