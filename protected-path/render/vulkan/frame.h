#pragma once

#include <memory>
#include <span>
#include <vector>

#include "protected-path/render/vulkan/host_buffer.h"

namespace vitrine::vulkan {

/** What recorded commands are to write, and do not where they are never executed. */
struct Content {
  bool lost = false;
};

/** One command buffer with everything that its execution needs, used again when the GPU is done with it. */
struct Frame {
  CommandPool pool;
  VkCommandBuffer commands = VK_NULL_HANDLE;
  Semaphore done;               ///< exported as a sync file, which takes its payload away again
  std::vector<Semaphore> waits; ///< sync files are imported into the first `waitCount`
  size_t waitCount = 0;
  StagingArena staging;
  std::vector<std::shared_ptr<const void>> keepAlive; ///< what the commands use, whatever becomes of its owner
  std::vector<std::shared_ptr<Content>> writes;       ///< lost if the frame is abandoned or its submission fails
  uint64_t ticket = 0;                                ///< the timeline's value when it is done; 0: never submitted
  bool isProtected = false;
  bool recording = false;
  bool doneIsStale = false; ///< `done` was signalled but never exported, and cannot be signalled again
};

/**
 * The frames, and the timeline semaphore that says which are done. Protected and ordinary command buffers come from
 * pools of their own (VK_COMMAND_POOL_CREATE_PROTECTED_BIT) but share the queue, so their order is the order of
 * submission.
 */
class FramePool {
public:
  /** More than this in flight and begin() waits for the oldest: a GPU that far behind must not eat all memory. */
  static constexpr size_t maximumFrames = 8;

  [[nodiscard]] static Result<std::shared_ptr<FramePool>> create(std::shared_ptr<Device> device);
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;
  ~FramePool();

  /** A frame that is recording. It belongs to the pool; give it to submit() or abandon(). */
  [[nodiscard]] Result<Frame*> begin(bool isProtected);
  /** Makes the frame's submission wait for a sync file; takes the fd whatever happens. An invalid fd is already
   * signalled. */
  [[nodiscard]] Result<> waitFor(Frame& frame, UniqueFd syncFile);
  /** Ends recording and submits. */
  [[nodiscard]] Result<> submit(Frame& frame);
  /** As submit(); the sync file signals when the frame is done. An invalid fd means that it already is. */
  [[nodiscard]] Result<UniqueFd> submitWithFence(Frame& frame);
  /** Forgets what was recorded. */
  void abandon(Frame& frame);
  /** Waits on the CPU. */
  [[nodiscard]] Result<> wait(uint64_t ticket);
  [[nodiscard]] Result<> waitIdle() { return wait(lastTicket_); }
  /** Lets go of what done frames kept alive. */
  void collect();

private:
  explicit FramePool(std::shared_ptr<Device> device) : device_(std::move(device)) {}
  [[nodiscard]] Result<Frame*> idleFrame(bool isProtected);
  [[nodiscard]] Result<Frame*> addFrame(bool isProtected);
  [[nodiscard]] Result<Semaphore> exportableSemaphore() const;
  [[nodiscard]] Result<> submit(Frame& frame, bool signalDone);
  [[nodiscard]] Result<> endAndSubmit(Frame& frame, bool signalDone);
  /** Of the last frame that the GPU is known to be done with. */
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
