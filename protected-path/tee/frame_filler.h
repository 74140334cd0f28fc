#pragma once

#include <array>
#include <memory>

#include "protected-path/tee/tee_session.h"

namespace vitrine {

/**
 * Fills protected buffers through the TEE: decrypts where the secure world has Vitrine's frame application, injects
 * plain bytes where it has only optee_test's sdp_basic (a board's demonstration, with no secret to keep).
 */
class FrameFiller {
public:
  enum class Application { FrameDecrypt, SdpBasic };
  using Key = std::array<uint8_t, 16>;
  using Counter = std::array<uint8_t, 16>; ///< AES-CTR initial counter block, big endian

  /**
   * Opens the best application there is, FrameDecrypt first, with `key` for this session. `maximumFrameBytes` sizes the
   * one ordinary shared buffer that ciphertext passes through. Missing where the secure world has neither.
   */
  [[nodiscard]] static Result<FrameFiller> open(const TeeDevice& device, const Key& key, size_t maximumFrameBytes);
  /** The same with one application and no other. ErrorKind::Tee (TEE_ERROR_ITEM_NOT_FOUND) where it is not there. */
  [[nodiscard]] static Result<FrameFiller> open(const TeeDevice& device, Application application, const Key& key,
                                                size_t maximumFrameBytes);
  FrameFiller(FrameFiller&&) noexcept;
  FrameFiller& operator=(FrameFiller&&) = delete;
  ~FrameFiller();

  [[nodiscard]] Application application() const { return application_; }

  /**
   * Puts a frame into `target` (registered, protected), from its byte 0. AES-128-CTR with FrameDecrypt. With SdpBasic
   * the ciphertext is decrypted here first, in ordinary memory, and then injected: it shows the path and protects
   * nothing before it. Errors are the TEE's: TEE_ERROR_ACCESS_DENIED where the target is not protected,
   * TEE_ERROR_SHORT_BUFFER where it is small.
   */
  [[nodiscard]] Result<> fill(const TeeMemory& target, std::span<const std::byte> ciphertext, const Counter& counter);

private:
  FrameFiller(Application application, TeeSession session, TeeMemory shared, const Key& key);
  Application application_;
  TeeSession session_;
  TeeMemory shared_;
  Key key_;
};

} // namespace vitrine
