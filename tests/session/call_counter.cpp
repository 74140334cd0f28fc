/*
 * Counts what a process asks of the kernel, the GPU and the allocator, from outside its code: preloaded (LD_PRELOAD), it stands in
 * front of mmap, ioctl, operator new and vkGetInstanceProcAddr, notes the call in the file $VITRINE_CALL_COUNTS, and passes it on.
 * tests/session/call_counter.py reads the file, while the process runs or after. It may write there, too, how many of the next atomic
 * requests fail as if memory were short, and what connectors say of themselves.
 *
 * A map of a protected dma-buf is recognised by the kernel's own word (`exp_name` in fdinfo), whoever asks for it: our code,
 * libraries, a Vulkan driver.
 */
#undef _FILE_OFFSET_BITS // both mmap and mmap64 are defined here
#include <dlfcn.h>
#include <drm_mode.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/tee.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vulkan/vulkan.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include <drm.h>

namespace {

/** In the order of NAMES in call_counter.py. */
struct Counts {
  std::atomic<uint64_t> protectedMapAttempts;
  std::atomic<uint64_t> protectedMaps;
  std::atomic<uint64_t> maps;
  std::atomic<uint64_t> atomicCommits;
  std::atomic<uint64_t> testOnlyCommits;
  std::atomic<uint64_t> vulkanSubmits;
  std::atomic<uint64_t> vulkanAllocations;
  std::atomic<uint64_t> bufferAllocations; ///< dumb buffers
  std::atomic<uint64_t> framebuffersAdded;
  std::atomic<uint64_t> heapAllocations;
  std::atomic<uint64_t> allocationsByNew; ///< of the main thread
  std::atomic<uint64_t> teeInvocations;
  std::atomic<uint64_t> modesets; ///< commits that may be one
  // What is ordered, and counts down.
  std::atomic<uint64_t> commitsToFail;
  std::atomic<uint64_t> testsToFail;
  std::atomic<uint64_t> modesetsToFail;
  std::atomic<uint64_t> framesToFail; ///< commits that are no modeset
  std::atomic<uint64_t> badLinks;     ///< connectors that the kernel next tells of, and whose link-status is BAD then
  std::atomic<uint64_t> headsets;     ///< the same for non-desktop
};

template<typename Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

using MapFunction = void* (*)(void*, size_t, int, int, int, off_t);

MapFunction realMap() {
  static const auto function = next<MapFunction>("mmap");
  return function;
}

Counts unattached; // until the file is there, and in processes that were not asked to count

Counts* attach() {
  const char* path = std::getenv("VITRINE_CALL_COUNTS");
  if (path == nullptr) return &unattached;
  const int fd = ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ::ftruncate(fd, sizeof(Counts)) != 0) return &unattached;
  void* memory = realMap()(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  // What the process starts counts for itself, or not at all.
  ::unsetenv("LD_PRELOAD");
  return memory == MAP_FAILED ? &unattached : static_cast<Counts*>(memory);
}

std::atomic<Counts*> attached = nullptr;

Counts& counts() {
  Counts* now = attached.load(std::memory_order_acquire);
  return now != nullptr ? *now : unattached;
}

[[gnu::constructor]] void attachAtStart() {
  attached.store(attach(), std::memory_order_release);
}

/** How the protected heaps of the platform's boards name themselves as exporters. */
constexpr const char* protectedExporters[] = {"exp_name:\ttee\n", "exp_name:\trestricted_mtk_cma\n",
                                              "exp_name:\tvframe-secure\n", "exp_name:\theap-secure\n",
                                              "exp_name:\tsecure_display_region\n"};

bool isProtected(int fd) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  const int info = ::open(path, O_RDONLY | O_CLOEXEC);
  if (info < 0) return false;
  char text[512] = {};
  const ssize_t length = ::read(info, text, sizeof text - 1);
  ::close(info);
  return length > 0 && std::ranges::any_of(protectedExporters, [&text](const char* exporter) {
           return std::strstr(text, exporter) != nullptr;
         });
}

bool isTest(const void* atomic) {
  return (static_cast<const drm_mode_atomic*>(atomic)->flags & DRM_MODE_ATOMIC_TEST_ONLY) != 0;
}

bool isModeset(const void* atomic) {
  return !isTest(atomic) && (static_cast<const drm_mode_atomic*>(atomic)->flags & DRM_MODE_ATOMIC_ALLOW_MODESET) != 0;
}

/** Whether one of the ordered ones was left. */
bool takeOne(std::atomic<uint64_t>& left) {
  uint64_t now = left; // whoever orders may write meanwhile
  while (now != 0 && !left.compare_exchange_weak(now, now - 1)) {
  }
  return now != 0;
}

/** Whether this request is ordered to fail. */
bool fails(unsigned long request, const void* argument) {
  if (request != DRM_IOCTL_MODE_ATOMIC) return false;
  if (isModeset(argument) && takeOne(counts().modesetsToFail)) return true;
  if (!isModeset(argument) && !isTest(argument) && takeOne(counts().framesToFail)) return true;
  return takeOne(isTest(argument) ? counts().testsToFail : counts().commitsToFail);
}

/** Has a connector say that its link is bad, or that it is a headset, where that was ordered. */
void alterConnector(int fd, const drm_mode_obj_get_properties& list, int (*real)(int, unsigned long, ...)) {
  if (list.obj_type != DRM_MODE_OBJECT_CONNECTOR || list.props_ptr == 0 || list.prop_values_ptr == 0) return;
  for (uint32_t i = 0; i < list.count_props; ++i) {
    drm_mode_get_property property{};
    property.prop_id = reinterpret_cast<const uint32_t*>(list.props_ptr)[i];
    if (real(fd, DRM_IOCTL_MODE_GETPROPERTY, &property) != 0) continue;
    const bool isLink = std::strcmp(property.name, "link-status") == 0;
    const bool isKind = std::strcmp(property.name, "non-desktop") == 0;
    if ((isLink && takeOne(counts().badLinks)) || (isKind && takeOne(counts().headsets))) {
      reinterpret_cast<uint64_t*>(list.prop_values_ptr)[i] = 1;
    }
  }
}

void noteIoctl(unsigned long request, const void* argument) {
  switch (request) {
  case DRM_IOCTL_MODE_ATOMIC:
    (isTest(argument) ? counts().testOnlyCommits : counts().atomicCommits)++;
    if (isModeset(argument)) counts().modesets++;
    break;
  case DRM_IOCTL_MODE_CREATE_DUMB:
    counts().bufferAllocations++;
    break;
  case DRM_IOCTL_MODE_ADDFB2:
    counts().framebuffersAdded++;
    break;
  case TEE_IOC_INVOKE:
    counts().teeInvocations++;
    break;
  case DMA_HEAP_IOCTL_ALLOC:
    counts().heapAllocations++;
    break;
  default:
    break;
  }
}

PFN_vkQueueSubmit realSubmit = nullptr;
PFN_vkQueueSubmit2 realSubmit2 = nullptr;
PFN_vkAllocateMemory realAllocate = nullptr;
PFN_vkGetDeviceProcAddr realDeviceAddress = nullptr;
PFN_vkGetInstanceProcAddr realInstanceAddress = nullptr;

VKAPI_ATTR VkResult VKAPI_CALL submit(VkQueue queue, uint32_t count, const VkSubmitInfo* infos, VkFence fence) {
  counts().vulkanSubmits++;
  return realSubmit(queue, count, infos, fence);
}

VKAPI_ATTR VkResult VKAPI_CALL submit2(VkQueue queue, uint32_t count, const VkSubmitInfo2* infos, VkFence fence) {
  counts().vulkanSubmits++;
  return realSubmit2(queue, count, infos, fence);
}

VKAPI_ATTR VkResult VKAPI_CALL allocate(VkDevice device, const VkMemoryAllocateInfo* info,
                                        const VkAllocationCallbacks* callbacks, VkDeviceMemory* memory) {
  counts().vulkanAllocations++;
  return realAllocate(device, info, callbacks, memory);
}

PFN_vkVoidFunction deviceAddress(VkDevice device, const char* name);

/** Our stand-in for a function, remembering the real one. */
PFN_vkVoidFunction standIn(const char* name, PFN_vkVoidFunction real) {
  if (real == nullptr) return nullptr;
  const auto replace = [&](auto& slot, auto* ours) {
    slot = reinterpret_cast<std::remove_reference_t<decltype(slot)>>(real);
    return reinterpret_cast<PFN_vkVoidFunction>(ours);
  };
  if (std::strcmp(name, "vkQueueSubmit") == 0) return replace(realSubmit, &submit);
  if (std::strcmp(name, "vkQueueSubmit2") == 0) return replace(realSubmit2, &submit2);
  if (std::strcmp(name, "vkAllocateMemory") == 0) return replace(realAllocate, &allocate);
  if (std::strcmp(name, "vkGetDeviceProcAddr") == 0) return replace(realDeviceAddress, &deviceAddress);
  return real;
}

PFN_vkVoidFunction deviceAddress(VkDevice device, const char* name) {
  return standIn(name, realDeviceAddress(device, name));
}

} // namespace

extern "C" {

void* mmap(void* address, size_t length, int protection, int flags, int fd, off_t offset) noexcept {
  counts().maps++;
  // The inspector's question, a page without any access (PROT_NONE), shows nobody anything.
  const bool counted = fd >= 0 && protection != PROT_NONE && isProtected(fd);
  if (counted) counts().protectedMapAttempts++;
  void* result = realMap()(address, length, protection, flags, fd, offset);
  if (counted && result != MAP_FAILED) counts().protectedMaps++;
  return result;
}

void* mmap64(void* address, size_t length, int protection, int flags, int fd, off_t offset) noexcept {
  return mmap(address, length, protection, flags, fd, offset);
}

int ioctl(int fd, unsigned long request, ...) noexcept {
  static const auto real = next<int (*)(int, unsigned long, ...)>("ioctl");
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  noteIoctl(request, argument);
  if (fails(request, argument)) {
    errno = ENOMEM;
    return -1;
  }
  const int result = real(fd, request, argument);
  if (result == 0 && request == DRM_IOCTL_MODE_OBJ_GETPROPERTIES) {
    alterConnector(fd, *static_cast<const drm_mode_obj_get_properties*>(argument), real);
  }
  return result;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vkGetInstanceProcAddr(VkInstance instance, const char* name) {
  if (realInstanceAddress == nullptr) realInstanceAddress = next<PFN_vkGetInstanceProcAddr>("vkGetInstanceProcAddr");
  return standIn(name, realInstanceAddress(instance, name));
}

} // extern "C"

void* operator new(size_t size) {
  static const auto real = next<void* (*)(size_t)>("_Znwm");
  if (::getpid() == ::gettid()) counts().allocationsByNew++;
  return real(size);
}
