#pragma once

#include <memory>
#include <optional>

#include "compositor/client_quota.h"
#include "compositor/render/buffer_fences.h"
#include "compositor/wlr/listener.h"
#include "protected-path/dmabuf/dmabuf.h"
#include "protected-path/kms/framebuffer.h"
#include "protected-path/kms/kms_pipe.h"
#include "protected-path/render/renderer.h"

namespace vitrine {

/**
 * Every dma-buf that wlroots sees: a client's (protocols/linux_dmabuf) or an output's (render/allocator). One object carries what
 * each world knows it as: wlr_buffer, Dmabuf, Vulkan texture or target, KMS framebuffer. Each is made on first use, once.
 *
 * Lifetime is the wlr_buffer's: locks and drop; destroyed by wlroots.
 */
class DmabufBuffer {
public:
  /** A new buffer, not dropped yet: its maker owns it until wlr_buffer_drop(). */
  [[nodiscard]] static DmabufBuffer* create(Dmabuf dmabuf);
  /** The DmabufBuffer behind a wlr_buffer, or null for any other kind (shm, single pixel). */
  [[nodiscard]] static DmabufBuffer* from(wlr_buffer* buffer);

  [[nodiscard]] wlr_buffer* base() { return &base_; }
  [[nodiscard]] const Dmabuf& dmabuf() const { return dmabuf_; }
  /** Keeps a part of its client's quota for as long as the buffer lives. */
  void keep(QuotaShare share) { shares_.push_back(std::move(share)); }
  [[nodiscard]] BufferFences& fences() { return fences_; }
  /** Locks the wlr_buffer for the display (KmsPipe). */
  [[nodiscard]] ScanoutLock lock();

  /** To sample. The same answer every time; the driver is asked once, and once more after each GPU reset. */
  [[nodiscard]] const Result<std::unique_ptr<Texture>>& texture(Renderer& renderer);
  /** To draw into. A refusal is not the last word: an output whose buffer was refused would stay as it is for ever. */
  [[nodiscard]] const Result<std::unique_ptr<RenderTarget>>& target(Renderer& renderer);
  /**
   * For readers on the CPU: has the GPU copy what has been composed into it until now. The sync file as Readback::done(); the copy is
   * kept until nobody holds the buffer.
   */
  [[nodiscard]] Result<int> startReading(Renderer& renderer);
  /** That copy, or null. */
  [[nodiscard]] const Readback* readback() const { return readback_.get(); }
  /** To scan out. `opaque`: as the format's variant without alpha. */
  [[nodiscard]] const Result<Framebuffer>& framebuffer(const KmsDevice& device, bool opaque);
  /**
   * Removes the framebuffers of every buffer there is from the kernel, shown or not (R9: the session was switched away). They are
   * made again when asked for.
   */
  static void removeAllFramebuffers();

private:
  explicit DmabufBuffer(Dmabuf dmabuf);
  ~DmabufBuffer();
  static const wlr_buffer_impl impl;
  wlr_buffer base_{}; ///< first: from() casts
  Dmabuf dmabuf_;
  std::vector<QuotaShare> shares_;
  BufferFences fences_;
  Listener<void> release_;
  void forgetLostImports(const Renderer& renderer);
  uint64_t generation_ = 0; ///< the renderer's, of the two that follow
  std::optional<Result<std::unique_ptr<Texture>>> texture_;
  std::optional<Result<std::unique_ptr<RenderTarget>>> target_;
  std::unique_ptr<Readback> readback_;
  std::optional<Result<Framebuffer>> framebuffer_;
  std::optional<Result<Framebuffer>> opaqueFramebuffer_;
};

/** Gives a buffer of ours up (wlr_buffer_drop): it is freed when nobody holds it any more. */
struct BufferDrop {
  void operator()(DmabufBuffer* buffer) const { wlr_buffer_drop(buffer->base()); }
};
using OwnedBuffer = std::unique_ptr<DmabufBuffer, BufferDrop>;

/** A lock on a wlr_buffer: while it lives, the client does not get the buffer back. */
class BufferLock {
public:
  BufferLock() = default;
  explicit BufferLock(DmabufBuffer* buffer) : buffer_(buffer) {
    if (buffer_ != nullptr) wlr_buffer_lock(buffer_->base());
  }
  BufferLock(BufferLock&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}
  BufferLock& operator=(BufferLock&& other) noexcept {
    if (this != &other) {
      reset();
      buffer_ = std::exchange(other.buffer_, nullptr);
    }
    return *this;
  }
  ~BufferLock() { reset(); }
  void reset() {
    if (DmabufBuffer* buffer = std::exchange(buffer_, nullptr)) wlr_buffer_unlock(buffer->base());
  }
  [[nodiscard]] DmabufBuffer* get() const { return buffer_; }

private:
  DmabufBuffer* buffer_ = nullptr;
};

} // namespace vitrine
