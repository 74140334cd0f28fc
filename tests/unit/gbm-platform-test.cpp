#include <gtest/gtest.h>

#include <dlfcn.h>
#include <drm_fourcc.h>
#include <fcntl.h>
#include <gbm.h>
#include <spdlog/sinks/ostream_sink.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <sstream>

#include "compositor/output/output_buffer_allocator.h"
#include "protected-path/base/log.h"
#include "protected-path/heap/heap_allocator.h"
#include "protected-path/tee/tee_session.h"
#include "tests/unit/open_fds.h"
#include "tests/unit/vulkan_interposer.h"

/*
 * What GBM drivers do with GBM_BO_USE_PROTECTED, and what is made of it. The driver of the platform's display (Mesa's
 * kms_swrast) does not know the flag, as most do not. For those that do, this executable has a gbm_bo_create and a
 * gbm_bo_get_fd_for_plane of its own: the one may refuse, the other may hand out memory of the protected heap in place
 * of the driver's, as it would come from a driver that honours the flag. Everything else of a buffer stays the driver's.
 */

namespace {

/** What a buffer object turned out to be when its fd was asked for. */
struct Given {
  ino_t inode = 0;
  bool maps = false; ///< asked of the kernel before the library has it
};

struct Driver {
  int refusesWith = 0;     ///< errno for gbm_bo_create, 0 to let it pass
  unsigned honours = 0;    ///< so many buffers come from protected memory; the rest as the driver here makes them
  vitrine::Heap heap = {}; ///< that they come from
  std::vector<uint32_t> flags;
  std::vector<Given> given;
};
Driver driver;

template<typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

Given look(int fd) {
  struct stat status{};
  EXPECT_EQ(fstat(fd, &status), 0);
  void* address = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0);
  if (address != MAP_FAILED) munmap(address, 4096);
  return {status.st_ino, address != MAP_FAILED};
}

} // namespace

extern "C" {

gbm_bo* gbm_bo_create(gbm_device* device, uint32_t width, uint32_t height, uint32_t format, uint32_t flags) {
  driver.flags.push_back(flags);
  if (driver.refusesWith != 0) {
    errno = driver.refusesWith;
    return nullptr;
  }
  static const auto real = next<gbm_bo*(gbm_device*, uint32_t, uint32_t, uint32_t, uint32_t)>("gbm_bo_create");
  return real(device, width, height, format, flags);
}

int gbm_bo_get_fd_for_plane(gbm_bo* buffer, int plane) {
  static const auto real = next<int(gbm_bo*, int)>("gbm_bo_get_fd_for_plane");
  int fd = -1;
  if (driver.given.size() < driver.honours) {
    auto made = vitrine::allocateFromHeap(driver.heap, uint64_t{gbm_bo_get_stride(buffer)} * gbm_bo_get_height(buffer));
    if (made) fd = made->release();
  } else {
    fd = real(buffer, plane);
  }
  driver.given.push_back(look(fd));
  return fd;
}
}

namespace vitrine {
namespace {

constexpr BufferRequest output{.size = {320, 180}, .fourcc = DRM_FORMAT_XRGB8888, .rowMultiple = 16};

/** The platform's display, its protected heap and its TEE. */
class Gbm : public testing::Test {
protected:
  void SetUp() override {
    driver = {};
    const auto nodes = KmsDevice::listNodes();
    if (nodes.empty()) GTEST_SKIP() << "no KMS device with a connector";
    node_ = nodes[0];
    for (const Heap& heap : listHeaps(table_)) {
      if (heap.heapClass == HeapClass::Protected) driver.heap = heap;
    }
    if (driver.heap.name.empty()) GTEST_SKIP() << "no protected heap";
    auto tee = TeeDevice::open();
    ASSERT_TRUE(tee) << tee.error().text();
    tee_.emplace(std::move(*tee));
    auto gbm = GbmDevice::open(node_);
    ASSERT_TRUE(gbm) << gbm.error().text();
    gbm_.emplace(std::move(*gbm));
  }
  void TearDown() override { driver = {}; }

  enum class Knows { Nothing, Names, Tee };
  Inspector inspector(Knows knows) const {
    InspectorSources sources;
    if (knows != Knows::Nothing) {
      sources.exporterIsProtected = [this](std::string_view name) { return table_.exporterIsProtected(name); };
    }
    if (knows == Knows::Tee) sources.teeAccepts = [this](int fd) { return teeAccepts(&*tee_, fd); };
    return Inspector(std::move(sources));
  }

  std::string node_;
  HeapTable table_;
  std::optional<TeeDevice> tee_;
  std::optional<GbmDevice> gbm_;
};

TEST_F(Gbm, ADriverThatIgnoresTheFlagIsNotBelieved) {
  for (const Knows knows : {Knows::Nothing, Knows::Names, Knows::Tee}) {
    driver.flags.clear();
    driver.given.clear();
    const auto fds = test::openFds();
    const auto buffer = gbm_->allocateProtected(output, inspector(knows));
    // What the driver did: it was asked for protected memory, answered with success, and gave what anyone may read.
    ASSERT_EQ(driver.flags.size(), 1U);
    EXPECT_TRUE(driver.flags[0] & GBM_BO_USE_PROTECTED);
    ASSERT_EQ(driver.given.size(), 1U);
    EXPECT_TRUE(driver.given[0].maps);

    ASSERT_FALSE(buffer);
    EXPECT_EQ(refusalOf(buffer.error(), Refusal::None), Refusal::HeapUnsuitable);
    EXPECT_EQ(buffer.error().text(),
              "gbm_bo_create " + node_ +
                  " (320x192 XRGB8888): HeapUnsuitable: the heap's memory is not of the class that "
                  "is needed: the driver ignores GBM_BO_USE_PROTECTED");
    EXPECT_EQ(test::openFds(), fds);
  }
}

TEST_F(Gbm, ADriverThatRefusesTheFlagIsQuoted) {
  driver.refusesWith = ENOSYS;
  const auto buffer = gbm_->allocateProtected(output, inspector(Knows::Tee));
  ASSERT_FALSE(buffer);
  EXPECT_EQ(buffer.error().text(), "gbm_bo_create " + node_ + " (320x192 XRGB8888): ENOSYS (38)");
}

TEST_F(Gbm, ADriverThatHonoursTheFlagIsBelievedByTheEvidence) {
  struct Case {
    Knows knows;
    Evidence expected;
  };
  for (const auto& [knows, expected] : {Case{Knows::Nothing, Evidence::Unmappable},
                                        {Knows::Names, Evidence::KernelNamed},
                                        {Knows::Tee, Evidence::Authenticated}}) {
    driver.given.clear();
    driver.honours = 1;
    const auto buffer = gbm_->allocateProtected(output, inspector(knows));
    ASSERT_TRUE(buffer) << buffer.error().text();
    EXPECT_EQ(buffer->evidence(), expected) << evidenceName(buffer->evidence());
    ASSERT_EQ(driver.given.size(), 1U);
    EXPECT_FALSE(driver.given[0].maps);
    EXPECT_EQ(Inspector::identify(buffer->plane(0).fd.get())->inode, driver.given[0].inode);
    EXPECT_EQ(buffer->size(), output.size);
    EXPECT_EQ(buffer->modifier(), DRM_FORMAT_MOD_LINEAR);
  }
}

/** What an output is composed into, where the GPU has the display's GBM for its own. */
class GbmOutput : public Gbm {
protected:
  void SetUp() override {
    Gbm::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    auto display = KmsDevice::open(UniqueFd(open(node_.c_str(), O_RDWR | O_CLOEXEC)), node_);
    ASSERT_TRUE(display) << display.error().text();
    display_ = std::move(*display);
    auto renderer = Renderer::create({});
    ASSERT_TRUE(renderer) << renderer.error().text();
    renderer_ = std::move(*renderer);
    if (!renderer_->device().gpu.protectedMemory) GTEST_SKIP() << "the Vulkan device has no protected memory";
    // The platform's GPU has a node without an allocator behind it, and does not say so.
    ASSERT_EQ(renderer_->device().renderNode, "");
    const_cast<VulkanDeviceReport&>(renderer_->device()).renderNode = node_;
    ASSERT_TRUE(setLogLevels("output=debug"));
    log("output").sinks().push_back(std::make_shared<spdlog::sinks::ostream_sink_mt>(said_));
  }
  void TearDown() override {
    if (display_ != nullptr && renderer_ != nullptr && !IsSkipped()) log("output").sinks().pop_back();
    Gbm::TearDown();
  }

  std::unique_ptr<KmsDevice> display_;
  std::unique_ptr<Renderer> renderer_;
  std::ostringstream said_;
};

TEST_F(GbmOutput, TakesProtectedMemoryFromGbmOrFromAHeapAndNothingElse) {
  struct Case {
    const char* what;
    int refusesWith;
    unsigned honours;
    unsigned unusable;  ///< so many of the driver's buffers the GPU does not take
    const char* reason; ///< in the log, where a heap was asked
  };
  constexpr Case cases[] = {
      {"ignores the flag", 0, 0, 0, ": the driver ignores GBM_BO_USE_PROTECTED; asking the heaps"},
      {"refuses it", EINVAL, 0, 0, ": EINVAL (22); asking the heaps"},
      {"honours it", 0, 3, 0, nullptr},
      {"honours it, with a buffer that the GPU does not take", 0, 3, 1, "; asking the heaps"},
      {"honours it once", 0, 1, 0, ": the driver ignores GBM_BO_USE_PROTECTED; asking the heaps"},
  };
  const Inspector inspected = inspector(Knows::Tee);
  const OutputBufferAllocator source({*display_, *renderer_, table_, inspected});
  for (const Case& one : cases) {
    SCOPED_TRACE(one.what);
    driver.refusesWith = one.refusesWith;
    driver.honours = one.honours;
    driver.flags.clear();
    driver.given.clear();
    said_.str("");
    if (one.unusable > 0) test::failCall("vkGetMemoryFdPropertiesKHR", VK_ERROR_INVALID_EXTERNAL_HANDLE);
    const auto chain = source.protectedMemory({320, 180}, DRM_FORMAT_XRGB8888);
    ASSERT_TRUE(chain) << chain.error().text();
    EXPECT_EQ(chain->slots().size(), 3U);
    EXPECT_EQ(driver.flags.size(), 3U) << "GBM is asked first";
    unsigned fromGbm = 0;
    for (const OutputBufferSet::Slot& slot : chain->slots()) {
      const Dmabuf& buffer = slot.buffer->dmabuf();
      EXPECT_EQ(buffer.evidence(), Evidence::Authenticated) << evidenceName(buffer.evidence());
      const auto identity = Inspector::identify(buffer.plane(0).fd.get());
      ASSERT_TRUE(identity);
      EXPECT_EQ(table_.exporterIsProtected(identity->exporterName), std::optional(true)) << identity->exporterName;
      fromGbm += static_cast<unsigned>(std::ranges::count(driver.given, identity->inode, &Given::inode));
    }
    EXPECT_EQ(fromGbm, one.honours - one.unusable);
    EXPECT_EQ(said_.str().empty(), one.reason == nullptr) << said_.str();
    if (one.reason != nullptr) {
      EXPECT_TRUE(said_.str().contains(one.reason)) << said_.str();
    }
  }
}

} // namespace
} // namespace vitrine
