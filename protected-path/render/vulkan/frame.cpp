#include "protected-path/render/vulkan/frame.h"

#include <algorithm>
#include <limits>

#include "protected-path/base/log.h"

namespace vitrine::vulkan {

Result<std::shared_ptr<FramePool>> FramePool::create(std::shared_ptr<Device> device) {
  std::shared_ptr<FramePool> pool(new FramePool(std::move(device)));
  const DeviceFunctions& vk = pool->device_->vk();
  const VkSemaphoreTypeCreateInfo type{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                       .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
  const VkSemaphoreCreateInfo info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &type};
  auto timeline = makeObject<Semaphore>(vk, vk.CreateSemaphore, info, "vkCreateSemaphore", "timeline");
  if (!timeline) return std::unexpected(timeline.error());
  pool->timeline_ = std::move(*timeline);
  return pool;
}

FramePool::~FramePool() {
  if (auto idle = waitIdle(); !idle) log("vulkan").warn("{}", idle.error().text());
}

Result<Semaphore> FramePool::exportableSemaphore() const {
  const VkExportSemaphoreCreateInfo exported{.sType = VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO,
                                             .handleTypes = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT};
  const VkSemaphoreCreateInfo info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &exported};
  return makeObject<Semaphore>(device_->vk(), device_->vk().CreateSemaphore, info, "vkCreateSemaphore", "sync file");
}

Result<Frame*> FramePool::addFrame(bool isProtected) {
  const DeviceFunctions& vk = device_->vk();
  auto frame = std::make_unique<Frame>();
  frame->isProtected = isProtected;
  const VkCommandPoolCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
      .flags = isProtected ? VkCommandPoolCreateFlags{VK_COMMAND_POOL_CREATE_PROTECTED_BIT} : 0,
      .queueFamilyIndex = device_->queueFamily()};
  auto pool = makeObject<CommandPool>(vk, vk.CreateCommandPool, info, "vkCreateCommandPool");
  if (!pool) return std::unexpected(pool.error());
  frame->pool = std::move(*pool);
  const VkCommandBufferAllocateInfo buffer{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                           .commandPool = frame->pool.get(),
                                           .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                           .commandBufferCount = 1};
  const VkResult result = vk.AllocateCommandBuffers(vk.device, &buffer, &frame->commands);
  if (result != VK_SUCCESS) return vulkanError("vkAllocateCommandBuffers", "", result);
  auto done = exportableSemaphore();
  if (!done) return std::unexpected(done.error());
  frame->done = std::move(*done);
  return frames_.emplace_back(std::move(frame)).get();
}

uint64_t FramePool::doneTicket() {
  uint64_t value = 0;
  const VkResult result = device_->vk().GetSemaphoreCounterValue(device_->vk().device, timeline_.get(), &value);
  if (result == VK_SUCCESS) done_ = value;
  // A lost device accesses nothing any more.
  if (result == VK_ERROR_DEVICE_LOST) done_ = std::numeric_limits<uint64_t>::max();
  return done_;
}

void FramePool::collect() {
  const uint64_t done = doneTicket();
  for (const auto& frame : frames_) {
    if (!frame->recording && frame->ticket <= done) frame->keepAlive.clear();
  }
}

Result<Frame*> FramePool::idleFrame(bool isProtected) {
  const uint64_t done = doneTicket();
  Frame* oldest = nullptr;
  size_t ofThisKind = 0;
  for (const auto& frame : frames_) {
    if (frame->isProtected != isProtected) continue;
    ofThisKind += 1;
    if (frame->recording) continue;
    if (frame->ticket <= done) return frame.get();
    if (oldest == nullptr || frame->ticket < oldest->ticket) oldest = frame.get();
  }
  if (ofThisKind < maximumFrames || oldest == nullptr) return addFrame(isProtected);
  log("vulkan").warn("the GPU is {} frames behind: waiting for it", ofThisKind);
  if (auto waited = wait(oldest->ticket); !waited) return std::unexpected(waited.error());
  return oldest;
}

Result<Frame*> FramePool::begin(bool isProtected) {
  collect();
  auto found = idleFrame(isProtected);
  if (!found) return found;
  Frame& frame = **found;
  frame.keepAlive.clear();
  frame.staging.recycle();
  frame.waitCount = 0;
  if (frame.doneIsStale) {
    auto fresh = exportableSemaphore();
    if (!fresh) return std::unexpected(fresh.error());
    frame.done = std::move(*fresh);
    frame.doneIsStale = false;
  }
  const DeviceFunctions& vk = device_->vk();
  VkResult result = vk.ResetCommandPool(vk.device, frame.pool.get(), 0);
  if (result != VK_SUCCESS) return vulkanError("vkResetCommandPool", "", result);
  const VkCommandBufferBeginInfo info{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                      .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
  result = vk.BeginCommandBuffer(frame.commands, &info);
  if (result != VK_SUCCESS) return vulkanError("vkBeginCommandBuffer", "", result);
  frame.recording = true;
  return &frame;
}

Result<> FramePool::waitFor(Frame& frame, UniqueFd syncFile) {
  if (!syncFile) return {};
  const DeviceFunctions& vk = device_->vk();
  if (frame.waitCount == frame.waits.size()) {
    const VkSemaphoreCreateInfo info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    auto semaphore = makeObject<Semaphore>(vk, vk.CreateSemaphore, info, "vkCreateSemaphore", "acquire fence");
    if (!semaphore) return std::unexpected(semaphore.error());
    frame.waits.push_back(std::move(*semaphore));
  }
  // Temporary import: after the wait, the semaphore has its own payload again and can be reused.
  const VkImportSemaphoreFdInfoKHR info{.sType = VK_STRUCTURE_TYPE_IMPORT_SEMAPHORE_FD_INFO_KHR,
                                        .semaphore = frame.waits[frame.waitCount].get(),
                                        .flags = VK_SEMAPHORE_IMPORT_TEMPORARY_BIT,
                                        .handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
                                        .fd = syncFile.get()};
  const VkResult result = vk.ImportSemaphoreFdKHR(vk.device, &info);
  if (result != VK_SUCCESS) return vulkanError("vkImportSemaphoreFdKHR", "acquire fence", result);
  static_cast<void>(syncFile.release()); // the driver owns it since the import succeeded
  frame.waitCount += 1;
  return {};
}

Result<> FramePool::submit(Frame& frame) {
  return submit(frame, false);
}

Result<> FramePool::submit(Frame& frame, bool signalDone) {
  // `recording` stays set during submission, so that collect() does not take the frame's old ticket as done.
  auto submitted = endAndSubmit(frame, signalDone);
  if (!submitted) abandon(frame);
  frame.writes.clear();
  frame.recording = false;
  return submitted;
}

Result<> FramePool::endAndSubmit(Frame& frame, bool signalDone) {
  const VkResult ended = device_->vk().EndCommandBuffer(frame.commands);
  if (ended != VK_SUCCESS) return vulkanError("vkEndCommandBuffer", "", ended);
  waitHandles_.clear();
  for (size_t i = 0; i < frame.waitCount; ++i)
    waitHandles_.push_back(frame.waits[i].get());
  waitStages_.assign(frame.waitCount, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
  waitValues_.assign(frame.waitCount, 0);
  const uint64_t ticket = lastTicket_ + 1;
  const std::array<VkSemaphore, 2> signals{timeline_.get(), frame.done.get()};
  const std::array<uint64_t, 2> values{ticket, 0}; // values of binary semaphores (0, and all waits) are not read
  const uint32_t signalCount = signalDone ? 2 : 1;
  VkTimelineSemaphoreSubmitInfo timeline{.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
                                         .waitSemaphoreValueCount = static_cast<uint32_t>(frame.waitCount),
                                         .pWaitSemaphoreValues = waitValues_.data(),
                                         .signalSemaphoreValueCount = signalCount,
                                         .pSignalSemaphoreValues = values.data()};
  const VkProtectedSubmitInfo protection{.sType = VK_STRUCTURE_TYPE_PROTECTED_SUBMIT_INFO, .protectedSubmit = VK_TRUE};
  if (frame.isProtected) timeline.pNext = &protection;
  const VkSubmitInfo info{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                          .pNext = &timeline,
                          .waitSemaphoreCount = static_cast<uint32_t>(frame.waitCount),
                          .pWaitSemaphores = waitHandles_.data(),
                          .pWaitDstStageMask = waitStages_.data(),
                          .commandBufferCount = 1,
                          .pCommandBuffers = &frame.commands,
                          .signalSemaphoreCount = signalCount,
                          .pSignalSemaphores = signals.data()};
  auto submitted = device_->submit(info);
  if (!submitted) return submitted;
  lastTicket_ = ticket;
  frame.ticket = ticket;
  frame.doneIsStale = signalDone;
  return {};
}

Result<UniqueFd> FramePool::submitWithFence(Frame& frame) {
  if (auto submitted = submit(frame, true); !submitted) return std::unexpected(submitted.error());
  const DeviceFunctions& vk = device_->vk();
  const VkSemaphoreGetFdInfoKHR info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_GET_FD_INFO_KHR,
                                     .semaphore = frame.done.get(),
                                     .handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT};
  int fd = -1;
  const VkResult result = vk.GetSemaphoreFdKHR(vk.device, &info, &fd);
  if (result != VK_SUCCESS) {
    // The frame was submitted. After an error, the caller may overwrite memory that the GPU is still reading.
    if (auto waited = wait(frame.ticket); !waited) log("vulkan").warn("{}", waited.error().text());
    return vulkanError("vkGetSemaphoreFdKHR", "render fence", result);
  }
  frame.doneIsStale = false;
  return UniqueFd(fd);
}

void FramePool::abandon(Frame& frame) {
  frame.recording = false;
  for (const auto& content : frame.writes)
    content->lost = true;
  frame.writes.clear();
  frame.keepAlive.clear();
}

Result<> FramePool::wait(uint64_t ticket) {
  if (ticket == 0) return {};
  const VkSemaphore semaphore = timeline_.get();
  const VkSemaphoreWaitInfo info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                 .semaphoreCount = 1,
                                 .pSemaphores = &semaphore,
                                 .pValues = &ticket};
  const VkResult result =
      device_->vk().WaitSemaphores(device_->vk().device, &info, std::numeric_limits<uint64_t>::max());
  if (result != VK_SUCCESS) return vulkanError("vkWaitSemaphores", "timeline", result);
  return {};
}

} // namespace vitrine::vulkan
