#pragma once

#include <memory>
#include <span>
#include <vector>

#include "protected-path/render/vulkan/host_buffer.h"

namespace vitrine::vulkan {

/** Something that recorded commands write. It is lost if they are never executed. */
struct Content {
  bool lost = false;
};

/** One command buffer with everything that its execution needs. It is reused after the GPU is done with it. */
struct Frame {
  CommandPool pool;
  VkCommandBuffer commands = VK_NULL_HANDLE;
  Semaphore done;               ///< exported as a sync file, which resets it
  std::vector<Semaphore> waits; ///< the first `waitCount` have imported sync files
  size_t waitCount = 0;
  StagingArena staging;
  std::vector<std::shared_ptr<const void>> keepAlive; ///< what the commands use, even after its owner has let go of it
  std::vector<std::shared_ptr<Content>> writes;       ///< lost if the frame is abandoned or its submission fails
  uint64_t ticket = 0;                                ///< the timeline's value after this frame; 0: never submitted
  bool isProtected = false;
  bool recording = false;
  bool doneIsStale = false; ///< `done` was signalled but not exported, so it cannot be signalled again
};

/**
 * The frames, and the timeline semaphore that says which of them are done. Protected and ordinary command buffers come
 * from separate pools (VK_COMMAND_POOL_CREATE_PROTECTED_BIT) but share the queue, so they execute in submission order.
 */
class FramePool {
public:
  /** With this many frames in flight, begin() waits for the oldest one, so that a slow GPU cannot exhaust memory. */
  static constexpr size_t maximumFrames = 8;

  [[nodiscard]] static Result<std::shared_ptr<FramePool>> create(std::shared_ptr<Device> device);
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;
  ~FramePool();

  /** Starts recording a frame. The pool owns it; the caller must pass it to submit() or abandon(). */
  [[nodiscard]] Result<Frame*> begin(bool isProtected);
  /** Makes the frame's submission wait for a sync file. Consumes the fd, also on error. An invalid fd is signalled. */
  [[nodiscard]] Result<> waitFor(Frame& frame, UniqueFd syncFile);
  /** Ends recording and submits the frame. */
  [[nodiscard]] Result<> submit(Frame& frame);
  /** As submit(). Returns a sync file that signals when the frame is done; an invalid fd means that it already is. */
  [[nodiscard]] Result<UniqueFd> submitWithFence(Frame& frame);
  /** Discards what was recorded. */
  void abandon(Frame& frame);
  /** Waits on the CPU until the timeline has reached `ticket`. */
  [[nodiscard]] Result<> wait(uint64_t ticket);
  [[nodiscard]] Result<> waitIdle() { return wait(lastTicket_); }
  /** Releases what finished frames kept alive. */
  void collect();

private:
  explicit FramePool(std::shared_ptr<Device> device) : device_(std::move(device)) {}
  [[nodiscard]] Result<Frame*> idleFrame(bool isProtected);
  [[nodiscard]] Result<Frame*> addFrame(bool isProtected);
  [[nodiscard]] Result<Semaphore> exportableSemaphore() const;
  [[nodiscard]] Result<> submit(Frame& frame, bool signalDone);
  [[nodiscard]] Result<> endAndSubmit(Frame& frame, bool signalDone);
  /** The ticket of the last frame that the GPU is known to be done with. */
  [[nodiscard]] uint64_t doneTicket();
  std::shared_ptr<Device> device_;
  Semaphore timeline_;
  uint64_t lastTicket_ = 0;
  uint64_t done_ = 0;
  std::vector<std::unique_ptr<Frame>> frames_;
  std::vector<VkSemaphore> waitHandles_; ///< scratch of submit()
  std::vector<VkPipelineStageFlags> waitStages_;
  std::vector<uint64_t> waitValues_;
};

} // namespace vitrine::vulkan
