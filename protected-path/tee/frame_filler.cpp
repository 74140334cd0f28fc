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

/** Where the counter block (and the key, once) lies in the shared buffer, after the largest frame. */
constexpr size_t controlOffset(size_t maximumFrameBytes) {
  return (maximumFrameBytes + 63) / 64 * 64;
}
constexpr size_t controlBytes = 64;

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

/** The TEE has no such application. */
bool isAbsent(const Error& error) {
  constexpr uint32_t itemNotFound = 0xffff0008; // TEE_ERROR_ITEM_NOT_FOUND
  return error.kind == ErrorKind::Tee && static_cast<uint32_t>(error.number) == itemNotFound;
}

} // namespace

FrameFiller::FrameFiller(Application application, TeeSession session, TeeMemory shared, const Key& key)
    : application_(application), session_(std::move(session)), shared_(std::move(shared)), key_(key) {}

FrameFiller::FrameFiller(FrameFiller&&) noexcept = default;

FrameFiller::~FrameFiller() {
  OPENSSL_cleanse(key_.data(), key_.size());
}

Result<FrameFiller> FrameFiller::open(const TeeDevice& device, const Key& key, size_t maximumFrameBytes) {
  auto best = open(device, Application::FrameDecrypt, key, maximumFrameBytes);
  // The second protects nothing on its way: never where the first is there and only failed.
  if (best || !isAbsent(best.error())) return best;
  auto second = open(device, Application::SdpBasic, key, maximumFrameBytes);
  if (second || !isAbsent(second.error())) return second;
  return missing("open application", device.node().string(),
                 std::format("the secure world has neither frame decryption ({}) nor optee_test's sdp_basic: {}",
                             frame_decrypt::uuid, second.error().text()),
                 "install optee_test's trusted applications");
}

Result<FrameFiller> FrameFiller::open(const TeeDevice& device, Application application, const Key& key,
                                      size_t maximumFrameBytes) {
  const bool decrypts = application == Application::FrameDecrypt;
  auto session = TeeSession::open(device, TeeUuid::parse(decrypts ? frame_decrypt::uuid : sdp_basic::uuid));
  if (!session) return std::unexpected(session.error());
  auto shared = TeeMemory::allocateShared(device, controlOffset(maximumFrameBytes) + controlBytes);
  if (!shared) return std::unexpected(shared.error());
  if (!decrypts) return FrameFiller(application, std::move(*session), std::move(*shared), key);
  if (auto done = setKey(*session, *shared, key); !done) return std::unexpected(done.error());
  return FrameFiller(application, std::move(*session), std::move(*shared),
                     Key{}); // the secure world keeps the key, we don't
}

Result<> FrameFiller::fill(const TeeMemory& target, std::span<const std::byte> ciphertext, const Counter& counter) {
  const size_t size = ciphertext.size();
  const size_t room = shared_.sizeBytes() - controlBytes;
  if (size == 0 || size > room) {
    return invalid("fill", std::format("frame of {} bytes", size), std::format("a frame has 1 to {} bytes here", room));
  }
  // The kernel itself refuses a reference past the target's end, without a reason. Given what there is, the TEE says
  // why not.
  std::array parameters = {
      TeeParameter::memory(Kind::MemoryInput, shared_, 0, size),
      TeeParameter::memory(Kind::MemoryOutput, target, 0, std::min(size, target.sizeBytes())),
      TeeParameter::memory(Kind::MemoryInput, shared_, room, counter.size()),
  };
  if (application_ == Application::SdpBasic) {
    const std::span<std::byte> plain = shared_.bytes().first(size);
    if (auto done = decryptHere(ciphertext, plain, key_, counter); !done) return done;
    auto result = session_.invoke(sdp_basic::commandInject, std::span(parameters).first(2));
    OPENSSL_cleanse(plain.data(), plain.size());
    return result;
  }
  std::memcpy(shared_.bytes().data(), ciphertext.data(), size);
  std::memcpy(shared_.bytes().data() + room, counter.data(), counter.size());
  return session_.invoke(frame_decrypt::commandDecrypt, parameters);
}

} // namespace vitrine
