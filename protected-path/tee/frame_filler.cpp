#include "protected-path/tee/frame_filler.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <format>

#include "protected-path/tee/frame_decrypt.h"
#include "protected-path/tee/tee_uapi.h"

namespace vitrine {
namespace {

using Kind = TeeParameter::Kind;

constexpr size_t controlBytes = 64; ///< for the counter block (and the key, once), after a piece of ciphertext

uint32_t teeResultOf(const Error& error) {
  return error.kind == ErrorKind::Tee ? static_cast<uint32_t>(error.number) : teeSuccess;
}

/** The counter block `blocks` further on: a 128-bit number, big endian. */
FrameFiller::Counter advanced(FrameFiller::Counter counter, uint64_t blocks) {
  for (size_t i = counter.size(); i-- > 0 && blocks != 0;) {
    blocks += counter[i];
    counter[i] = static_cast<uint8_t>(blocks);
    blocks >>= 8;
  }
  return counter;
}

Result<> setKey(TeeSession& session, TeeMemory& shared, const FrameFiller::Key& key) {
  const std::span<std::byte> place = shared.bytes().first(key.size());
  std::memcpy(place.data(), key.data(), key.size());
  std::array parameters = {TeeParameter::memory(Kind::MemoryInput, shared, 0, key.size())};
  auto result = session.invoke(frame_decrypt::commandSetKey, parameters);
  OPENSSL_cleanse(place.data(), place.size());
  return result;
}

/** AES-128-CTR of `from` into `to` (equally long). */
Result<> decryptHere(std::span<const std::byte> from, std::span<std::byte> to, const FrameFiller::Key& key,
                     const FrameFiller::Counter& counter) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                EVP_CIPHER_CTX_free);
  int written = 0;
  const bool done =
      context != nullptr &&
      EVP_DecryptInit_ex(context.get(), EVP_aes_128_ctr(), nullptr, key.data(), counter.data()) == 1 &&
      EVP_DecryptUpdate(context.get(), reinterpret_cast<unsigned char*>(to.data()), &written,
                        reinterpret_cast<const unsigned char*>(from.data()), static_cast<int>(from.size())) == 1;
  if (!done || static_cast<size_t>(written) != from.size()) {
    return invalid("EVP_DecryptUpdate", std::format("frame of {} bytes", from.size()),
                   "AES-128-CTR failed in libcrypto");
  }
  return {};
}

/** The TEE has no such application, or cannot have it brought. */
bool isAbsent(const Error& error) {
  constexpr uint32_t itemNotFound = 0xffff0008;  // TEE_ERROR_ITEM_NOT_FOUND
  constexpr uint32_t notSupported = 0xffff000a;  // TEE_ERROR_NOT_SUPPORTED: another kind of TEE
  constexpr uint32_t communication = 0xffff000e; // TEE_ERROR_COMMUNICATION: tee-supplicant went away
  const uint32_t result = teeResultOf(error);
  return isUnanswered(error) || result == itemNotFound || result == notSupported || result == communication;
}

bool isDead(const Error& error) {
  return teeResultOf(error) == 0xffff3024; // TEE_ERROR_TARGET_DEAD
}

} // namespace

FrameFiller::FrameFiller(const TeeDevice& device, Application application, const TeePatience& patience,
                         TeeMemory shared, const Key& key, size_t maximumFrameBytes)
    : device_(&device), application_(application), patience_(patience), shared_(std::move(shared)), key_(key),
      maximumFrameBytes_(maximumFrameBytes) {}

FrameFiller::FrameFiller(FrameFiller&&) noexcept = default;

FrameFiller::~FrameFiller() {
  OPENSSL_cleanse(key_.data(), key_.size());
}

Result<FrameFiller> FrameFiller::open(const TeeDevice& device, const Key& key, size_t maximumFrameBytes,
                                      const TeePatience& patience) {
  auto best = open(device, Application::FrameDecrypt, key, maximumFrameBytes, patience);
  // The second protects nothing on its way: never where the first is there and only failed.
  if (best || !isAbsent(best.error())) return best;
  auto second = open(device, Application::SdpBasic, key, maximumFrameBytes, patience);
  if (second || !isAbsent(second.error())) return second;
  return missing("open application", device.node().string(),
                 std::format("the secure world has neither frame decryption nor optee_test's sdp_basic: {}; {}",
                             best.error().text(), second.error().text()),
                 "install optee_test's trusted applications");
}

Result<FrameFiller> FrameFiller::open(const TeeDevice& device, Application application, const Key& key,
                                      size_t maximumFrameBytes, const TeePatience& patience) {
  auto shared = TeeMemory::allocateShared(device, pieceBytes + controlBytes);
  if (!shared) return std::unexpected(shared.error());
  FrameFiller filler(device, application, patience, std::move(*shared), key, maximumFrameBytes);
  if (auto done = filler.openSession(); !done) return std::unexpected(done.error());
  return filler;
}

Result<> FrameFiller::openSession() {
  session_.reset(); // before the new one: a TEE has few threads
  const bool decrypts = application_ == Application::FrameDecrypt;
  auto session =
      TeeSession::open(*device_, TeeUuid::parse(decrypts ? frame_decrypt::uuid : sdp_basic::uuid), patience_);
  if (!session) return std::unexpected(session.error());
  session_.emplace(std::move(*session));
  return decrypts ? setKey(*session_, shared_, key_) : Result<>();
}

Result<> FrameFiller::fill(const TeeMemory& target, std::span<const std::byte> ciphertext, const Counter& counter) {
  if (ciphertext.empty() || ciphertext.size() > maximumFrameBytes_) {
    return invalid("fill", std::format("frame of {} bytes", ciphertext.size()),
                   std::format("a frame has 1 to {} bytes here", maximumFrameBytes_));
  }
  auto filled = fillPieces(target, ciphertext, counter);
  if (filled || !isDead(filled.error())) return filled;
  if (auto opened = openSession(); !opened) return opened;
  return fillPieces(target, ciphertext, counter);
}

Result<> FrameFiller::fillPieces(const TeeMemory& target, std::span<const std::byte> ciphertext,
                                 const Counter& counter) {
  static_assert(pieceBytes % frame_decrypt::counterBytes == 0);
  for (size_t offset = 0; offset < ciphertext.size(); offset += pieceBytes) {
    const auto piece = ciphertext.subspan(offset, std::min(pieceBytes, ciphertext.size() - offset));
    const Counter first = advanced(counter, offset / frame_decrypt::counterBytes);
    if (auto done = fillPiece(target, offset, piece, first); !done) return done;
  }
  return {};
}

Result<> FrameFiller::fillPiece(const TeeMemory& target, size_t offset, std::span<const std::byte> ciphertext,
                                const Counter& counter) {
  const size_t size = ciphertext.size();
  // The kernel itself refuses a reference past the target's end, without a reason. Given what there is, the TEE says why
  // not. An earlier piece has failed where the target ends before `offset`.
  const size_t room = target.sizeBytes() - std::min(offset, target.sizeBytes());
  std::array parameters = {
      TeeParameter::memory(Kind::MemoryInput, shared_, 0, size),
      TeeParameter::memory(Kind::MemoryOutput, target, offset, std::min(size, room)),
      TeeParameter::memory(Kind::MemoryInput, shared_, pieceBytes, counter.size()),
  };
  if (application_ == Application::SdpBasic) {
    const std::span<std::byte> plain = shared_.bytes().first(size);
    if (auto done = decryptHere(ciphertext, plain, key_, counter); !done) return done;
    auto result = session_->invoke(sdp_basic::commandInject, std::span(parameters).first(2));
    OPENSSL_cleanse(plain.data(), plain.size());
    return result;
  }
  std::memcpy(shared_.bytes().data(), ciphertext.data(), size);
  std::memcpy(shared_.bytes().data() + pieceBytes, counter.data(), counter.size());
  return session_->invoke(frame_decrypt::commandDecrypt, parameters);
}

} // namespace vitrine
