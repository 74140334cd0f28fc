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

  /** What one invocation copies: OP-TEE maps about 14 MiB at a time, and a core is in the secure world for so long. */
  static constexpr size_t pieceBytes = 1 << 20;

  /**
   * Opens the best application there is, FrameDecrypt first, with `key` for this session. Frames have `maximumFrameBytes`
   * at most. Missing where the secure world has neither, or answers for neither (no tee-supplicant). `device` has to
   * outlive it.
   */
  [[nodiscard]] static Result<FrameFiller> open(const TeeDevice& device, const Key& key, size_t maximumFrameBytes,
                                                const TeePatience& patience = {});
  /**
   * The same with one application and no other. ErrorKind::Tee (TEE_ERROR_ITEM_NOT_FOUND) where it is not there; see
   * TeeSession::open() for a TEE that does not answer.
   */
  [[nodiscard]] static Result<FrameFiller> open(const TeeDevice& device, Application application, const Key& key,
                                                size_t maximumFrameBytes, const TeePatience& patience = {});
  FrameFiller(FrameFiller&&) noexcept;
  FrameFiller& operator=(FrameFiller&&) = delete;
  ~FrameFiller();

  [[nodiscard]] Application application() const { return application_; }

  /**
   * Puts a frame into `target` (registered, protected), from its byte 0, in pieces of pieceBytes. AES-128-CTR with
   * FrameDecrypt. With SdpBasic the ciphertext is decrypted here first, in ordinary memory, and then injected: it shows
   * the path and protects nothing before it. Where the application has died (TEE_ERROR_TARGET_DEAD), a new session is
   * opened, once a frame. Errors are the TEE's: TEE_ERROR_ACCESS_DENIED where the target is not protected,
   * TEE_ERROR_SHORT_BUFFER where it is small, and it then holds the frame's beginning. ECANCELED: see TeePatience.
   */
  [[nodiscard]] Result<> fill(const TeeMemory& target, std::span<const std::byte> ciphertext, const Counter& counter);

private:
  FrameFiller(const TeeDevice& device, Application application, const TeePatience& patience, TeeMemory shared,
              const Key& key, size_t maximumFrameBytes);
  [[nodiscard]] Result<> openSession();
  [[nodiscard]] Result<> fillPieces(const TeeMemory& target, std::span<const std::byte> ciphertext,
                                    const Counter& counter);
  [[nodiscard]] Result<> fillPiece(const TeeMemory& target, size_t offset, std::span<const std::byte> ciphertext,
                                   const Counter& counter);
  const TeeDevice* device_;
  Application application_;
  TeePatience patience_;
  std::optional<TeeSession> session_;
  TeeMemory shared_; ///< a piece of ciphertext, then the counter block (or the key, once)
  Key key_;          ///< kept for the session after one that died
  size_t maximumFrameBytes_;
};

} // namespace vitrine
