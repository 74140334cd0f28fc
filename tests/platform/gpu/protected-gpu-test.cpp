#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string_view>

#include "tests/platform/gpu/dmabufs.h"
#include "tests/platform/gpu/gpu_fixture.h"
#include "tests/platform/kernel/vitrine_gpu.h"

// Properties of the platform's GPU. Its protected jobs can access protected memory, and nothing else can.

namespace vitrine::gpu::test {
namespace {

constexpr size_t words = side * side;

std::vector<uint32_t> pattern() {
  std::vector<uint32_t> content(words);
  for (uint32_t i = 0; i < words; ++i)
    content[i] = 0x01020304U * (i % 64);
  return content;
}

/** Binds a dma-buf to a protected image or buffer of the caller. Duplicates the fd. */
VkDeviceMemory import(Gpu& gpu, int fd, VkDeviceSize bytes) {
  const VkImportMemoryFdInfoKHR import{.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
                                       .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
                                       .fd = duplicateFd(fd)->release()};
  const VkMemoryAllocateInfo info{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                  .pNext = &import,
                                  .allocationSize = bytes,
                                  .memoryTypeIndex = gpu.memoryType(~0U, true)};
  VkDeviceMemory memory = VK_NULL_HANDLE;
  EXPECT_EQ(vkAllocateMemory(gpu.device, &info, nullptr, &memory), VK_SUCCESS);
  gpu.atEnd([&gpu, memory] { vkFreeMemory(gpu.device, memory, nullptr); });
  return memory;
}

TestBuffer importedBuffer(Gpu& gpu, int fd) {
  const VkExternalMemoryBufferCreateInfo external{.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
                                                  .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT};
  const VkBufferCreateInfo info{.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                .pNext = &external,
                                .flags = VK_BUFFER_CREATE_PROTECTED_BIT,
                                .size = bufferBytes,
                                .usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT};
  TestBuffer made;
  EXPECT_EQ(vkCreateBuffer(gpu.device, &info, nullptr, &made.buffer), VK_SUCCESS);
  gpu.atEnd([&gpu, buffer = made.buffer] { vkDestroyBuffer(gpu.device, buffer, nullptr); });
  VkMemoryRequirements requirements{};
  vkGetBufferMemoryRequirements(gpu.device, made.buffer, &requirements);
  EXPECT_EQ(requirements.memoryTypeBits, 1U << gpu.memoryType(~0U, true));
  made.memory = import(gpu, fd, bufferBytes);
  EXPECT_EQ(vkBindBufferMemory(gpu.device, made.buffer, made.memory, 0), VK_SUCCESS);
  return made;
}

TEST(ProtectedGpu, saysWhatItIs) {
  Gpu gpu;
  VkPhysicalDeviceProtectedMemoryProperties fault{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROTECTED_MEMORY_PROPERTIES, .protectedNoFault = VK_TRUE};
  VkPhysicalDeviceProperties2 properties{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &fault};
  vkGetPhysicalDeviceProperties2(gpu.physical, &properties);
  EXPECT_TRUE(std::string_view(properties.properties.deviceName).starts_with("Vitrine simulated GPU (llvmpipe"));
  EXPECT_EQ(properties.properties.deviceType, VK_PHYSICAL_DEVICE_TYPE_CPU);
  EXPECT_EQ(fault.protectedNoFault, VK_FALSE);
  VkPhysicalDevicePipelineProtectedAccessFeaturesEXT access{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_PROTECTED_ACCESS_FEATURES_EXT};
  VkPhysicalDeviceVulkan11Features vulkan11{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES,
                                            .pNext = &access};
  VkPhysicalDeviceFeatures2 features{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &vulkan11};
  vkGetPhysicalDeviceFeatures2(gpu.physical, &features);
  EXPECT_EQ(vulkan11.protectedMemory, VK_TRUE);
  EXPECT_EQ(access.pipelineProtectedAccess, VK_TRUE);
  uint32_t count = 1;
  VkQueueFamilyProperties family{};
  vkGetPhysicalDeviceQueueFamilyProperties(gpu.physical, &count, &family);
  EXPECT_NE(family.queueFlags & VK_QUEUE_PROTECTED_BIT, 0U);
  const VkMemoryType type = gpu.memoryTypes.memoryTypes[gpu.memoryType(~0U, true)];
  EXPECT_EQ(type.propertyFlags,
            VkMemoryPropertyFlags{VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_PROTECTED_BIT});
  EXPECT_EQ(gpu.memoryTypes.memoryHeaps[type.heapIndex].size, 128U << 20);
}

TEST(ProtectedGpu, requirementsKeepTheWorldsApart) {
  Gpu gpu;
  const uint32_t protectedBit = 1U << gpu.memoryType(~0U, true);
  VkMemoryRequirements requirements{};
  vkGetImageMemoryRequirements(gpu.device, gpu.unboundImage(true), &requirements);
  EXPECT_EQ(requirements.memoryTypeBits, protectedBit);
  vkGetImageMemoryRequirements(gpu.device, gpu.unboundImage(false), &requirements);
  EXPECT_EQ(requirements.memoryTypeBits & protectedBit, 0U);
  EXPECT_NE(requirements.memoryTypeBits, 0U);
}

TEST(ProtectedGpu, fdPropertiesTellProtectedFromOrdinary) {
  Gpu gpu;
  const auto ask = gpu.function<PFN_vkGetMemoryFdPropertiesKHR>("vkGetMemoryFdPropertiesKHR");
  const uint32_t protectedBit = 1U << gpu.memoryType(~0U, true);
  const UniqueFd buffer = protectedBuffer(pattern());
  VkMemoryFdPropertiesKHR properties{.sType = VK_STRUCTURE_TYPE_MEMORY_FD_PROPERTIES_KHR};
  EXPECT_EQ(ask(gpu.device, VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT, buffer.get(), &properties), VK_SUCCESS);
  EXPECT_EQ(properties.memoryTypeBits, protectedBit);
  const UniqueFd node = openRenderNode(); // no dma-buf
  EXPECT_EQ(ask(gpu.device, VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT, node.get(), &properties),
            VK_ERROR_INVALID_EXTERNAL_HANDLE);
}

TEST(ProtectedGpu, copiesFromProtectedToProtected) {
  Gpu gpu({.validation = true});
  const UniqueFd source = protectedBuffer(pattern());
  const UniqueFd target = protectedBuffer(std::vector<uint32_t>(words));
  const TestBuffer from = importedBuffer(gpu, source.get());
  const TestBuffer to = importedBuffer(gpu, target.get());
  VkCommandBuffer commands = gpu.commands(true);
  const VkBufferCopy region{0, 0, bufferBytes};
  vkCmdCopyBuffer(commands, from.buffer, to.buffer, 1, &region);
  ASSERT_EQ(gpu.submit(commands, true), VK_SUCCESS);
  EXPECT_EQ(contentOf(target.get(), words), pattern());
}

TEST(ProtectedGpu, drawsAProtectedTextureIntoAProtectedTarget) {
  Gpu gpu({.validation = true});
  const UniqueFd sourceFd = protectedBuffer(pattern());
  const UniqueFd targetFd = protectedBuffer(std::vector<uint32_t>(words));
  const TestBuffer source = importedBuffer(gpu, sourceFd.get());
  const TestBuffer target = importedBuffer(gpu, targetFd.get());
  const TestImage texture = gpu.image(true);
  const TestImage drawn = gpu.image(true);
  VkCommandBuffer commands = gpu.commands(true);
  gpu.prepare(commands, texture);
  gpu.prepare(commands, drawn);
  const VkBufferImageCopy region{.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
                                 .imageExtent = {side, side, 1}};
  vkCmdCopyBufferToImage(commands, source.buffer, texture.image, VK_IMAGE_LAYOUT_GENERAL, 1, &region);
  const VkMemoryBarrier barrier{.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                                .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
                                .dstAccessMask = VK_ACCESS_MEMORY_READ_BIT};
  const auto flush = [&] {
    vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 1,
                         &barrier, 0, nullptr, 0, nullptr);
  };
  flush();
  recordCopyingDraw(gpu, commands, texture, drawn);
  flush();
  vkCmdCopyImageToBuffer(commands, drawn.image, VK_IMAGE_LAYOUT_GENERAL, target.buffer, 1, &region);
  ASSERT_EQ(gpu.submit(commands, true), VK_SUCCESS);
  EXPECT_EQ(contentOf(targetFd.get(), words), pattern());
}

TEST(ProtectedGpu, handsOutTheOriginalAndNotTheView) {
  Gpu gpu;
  const UniqueFd buffer = protectedBuffer(pattern());
  const VkMemoryGetFdInfoKHR info{.sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR,
                                  .memory = import(gpu, buffer.get(), bufferBytes),
                                  .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT};
  int fd = -1;
  ASSERT_EQ(gpu.function<PFN_vkGetMemoryFdKHR>("vkGetMemoryFdKHR")(gpu.device, &info, &fd), VK_SUCCESS);
  const UniqueFd exported(fd);
  EXPECT_EQ(mmap(nullptr, bufferBytes, PROT_READ, MAP_SHARED, exported.get(), 0), MAP_FAILED);
  EXPECT_EQ(contentOf(exported.get(), words), pattern());
}

TEST(ProtectedGpu, anExhaustedPoolIsOutOfDeviceMemory) {
  Gpu gpu;
  const VkMemoryAllocateInfo info{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                  .allocationSize = VkDeviceSize{1} << 30,
                                  .memoryTypeIndex = gpu.memoryType(~0U, true)};
  VkDeviceMemory memory = VK_NULL_HANDLE;
  EXPECT_EQ(vkAllocateMemory(gpu.device, &info, nullptr, &memory), VK_ERROR_OUT_OF_DEVICE_MEMORY);
}

/** The kernel's access control without a driver: a protected buffer with a pattern, and a mapped view of it. */
struct Door {
  UniqueFd buffer = protectedBuffer(pattern());
  UniqueFd node = openRenderNode();
  UniqueFd view;
  volatile uint32_t* content = nullptr;

  Door() {
    // The sanitizer's handler would report the fault; the test needs the process to die by SIGBUS.
    std::signal(SIGBUS, SIG_DFL);
    std::signal(SIGSEGV, SIG_DFL);
    drm_vitrine_gpu_view made{.fd = buffer.get(), .view_fd = -1};
    if (ioctl(node.get(), DRM_IOCTL_VITRINE_GPU_VIEW, &made) != 0) std::abort();
    view = UniqueFd(made.view_fd);
    void* at = mmap(nullptr, bufferBytes, PROT_READ | PROT_WRITE, MAP_SHARED, view.get(), 0);
    if (at == MAP_FAILED) std::abort();
    content = static_cast<volatile uint32_t*>(at);
  }
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;
  ~Door() { munmap(const_cast<uint32_t*>(content), bufferBytes); }

  void begin() const {
    if (ioctl(node.get(), DRM_IOCTL_VITRINE_GPU_JOB_BEGIN) != 0) std::abort();
  }
  void end() const {
    if (ioctl(node.get(), DRM_IOCTL_VITRINE_GPU_JOB_END) != 0) std::abort();
  }
  void touch() const { static_cast<void>(content[words - 1]); }
};

// A child of fork() does not inherit the mapping of a view, so death tests create their own.

TEST(Door, isOpenWithinAJob) {
  const Door door;
  door.begin();
  EXPECT_EQ(door.content[words - 1], pattern()[words - 1]);
  door.end();
}

TEST(DoorDeathTest, isClosedBeforeAJob) {
  EXPECT_EXIT(Door().touch(), testing::KilledBySignal(SIGBUS), "");
}

void touchAfterTheLastJob() {
  const Door door;
  door.begin();
  door.begin();
  door.touch();
  door.end();
  door.touch(); // one job still runs
  std::fputs("so far\n", stderr);
  door.end();
  door.touch();
}

TEST(DoorDeathTest, isClosedAfterTheLastJob) {
  EXPECT_EXIT(touchAfterTheLastJob(), testing::KilledBySignal(SIGBUS), "so far");
}

void touchAfterTheFilesEnd() {
  Door door;
  door.begin();
  door.touch();
  std::fputs("so far\n", stderr);
  door.node.reset();
  door.touch();
}

TEST(DoorDeathTest, closesWithItsFile) {
  EXPECT_EXIT(touchAfterTheFilesEnd(), testing::KilledBySignal(SIGBUS), "so far");
}

void touchInAnothersJob() {
  const Door mine;
  const Door other;
  other.begin();
  other.touch();
  std::fputs("so far\n", stderr);
  mine.touch();
}

TEST(DoorDeathTest, isOpenToItsOwnFileAlone) {
  EXPECT_EXIT(touchInAnothersJob(), testing::KilledBySignal(SIGBUS), "so far");
}

TEST(DoorDeathTest, isNotInherited) {
  const Door door;
  door.begin();
  door.touch();
  EXPECT_EXIT(door.touch(), testing::KilledBySignal(SIGSEGV), "");
  door.end();
}

TEST(Door, refusesPrivateMappings) {
  const Door door;
  EXPECT_EQ(mmap(nullptr, bufferBytes, PROT_READ, MAP_PRIVATE, door.view.get(), 0), MAP_FAILED);
  EXPECT_EQ(errno, EINVAL);
}

TEST(Door, outlivesTheOriginalsFd) {
  Door door;
  door.buffer.reset();
  door.begin();
  EXPECT_EQ(door.content[1], pattern()[1]);
  door.end();
}

TEST(Door, namesItsRefusals) {
  const Door door;
  const auto refusal = [&](int fd) {
    drm_vitrine_gpu_view view{.fd = fd, .view_fd = -1};
    return ioctl(door.node.get(), DRM_IOCTL_VITRINE_GPU_VIEW, &view) == 0 ? 0 : errno;
  };
  EXPECT_EQ(refusal(ordinaryDmabuf().get()), EOPNOTSUPP);
  EXPECT_EQ(refusal(door.view.get()), EACCES);
  EXPECT_EQ(refusal(door.node.get()), EINVAL) << "no dma-buf";
  EXPECT_EQ(refusal(-1), EBADF);
  EXPECT_EQ(ioctl(door.node.get(), DRM_IOCTL_VITRINE_GPU_JOB_END), -1);
  EXPECT_EQ(errno, EINVAL);
}

TEST(Door, theFirewallMayKeepTheGpuOut) {
  const Door door;
  const auto trust = [](const char* value) { std::ofstream("/sys/module/vitrine_gpu/parameters/trusted") << value; };
  trust("0");
  drm_vitrine_gpu_view view{.fd = door.buffer.get(), .view_fd = -1};
  EXPECT_EQ(ioctl(door.node.get(), DRM_IOCTL_VITRINE_GPU_VIEW, &view), -1);
  EXPECT_EQ(errno, EACCES);
  trust("1");
  EXPECT_EQ(ioctl(door.node.get(), DRM_IOCTL_VITRINE_GPU_VIEW, &view), 0);
  const UniqueFd again(view.view_fd);
}

TEST(Door, noDeviceImportsAView) {
  const Door door;
  const UniqueFd display(open("/dev/dri/card0", O_RDWR | O_CLOEXEC));
  drm_prime_handle import{.handle = 0, .flags = 0, .fd = door.view.get()};
  EXPECT_EQ(ioctl(display.get(), DRM_IOCTL_PRIME_FD_TO_HANDLE, &import), -1);
  EXPECT_EQ(errno, EACCES);
}

TEST(RenderNode, hasTimelineSyncobjs) {
  const UniqueFd node = openRenderNode();
  drm_syncobj_create create{.handle = 0, .flags = 0};
  ASSERT_EQ(ioctl(node.get(), DRM_IOCTL_SYNCOBJ_CREATE, &create), 0);
  uint64_t point = 7;
  drm_syncobj_timeline_array signal{};
  signal.handles = reinterpret_cast<uint64_t>(&create.handle);
  signal.points = reinterpret_cast<uint64_t>(&point);
  signal.count_handles = 1;
  EXPECT_EQ(ioctl(node.get(), DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, &signal), 0);
  uint64_t reached = 0;
  signal.points = reinterpret_cast<uint64_t>(&reached);
  EXPECT_EQ(ioctl(node.get(), DRM_IOCTL_SYNCOBJ_QUERY, &signal), 0);
  EXPECT_EQ(reached, 7U);
}

/** Submits are counted per process. A death test runs in a child, before all other tests, so its count starts at 0. */
void resetAtTheSecondSubmit() {
  setenv("VITRINE_GPU_RESET_AT", "2,4", 1);
  const auto emptySubmit = [](Gpu& gpu) { return vkQueueSubmit(gpu.queue, 0, nullptr, VK_NULL_HANDLE); };
  bool right = true;
  {
    Gpu gpu;
    right = emptySubmit(gpu) == VK_SUCCESS && emptySubmit(gpu) == VK_ERROR_DEVICE_LOST &&
            vkDeviceWaitIdle(gpu.device) == VK_ERROR_DEVICE_LOST;
  }
  Gpu next;
  right = right && emptySubmit(next) == VK_SUCCESS && emptySubmit(next) == VK_ERROR_DEVICE_LOST;
  std::_Exit(right ? 0 : 1);
}

TEST(ResetDeathTest, losesTheDeviceAndANewOneWorks) {
  EXPECT_EXIT(resetAtTheSecondSubmit(), testing::ExitedWithCode(0), "VITRINE_GPU_RESET_AT: the GPU was reset");
}

} // namespace
} // namespace vitrine::gpu::test
