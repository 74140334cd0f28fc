#include <gtest/gtest.h>

#include <dlfcn.h>
#include <drm_fourcc.h>
#include <linux/dma-buf.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdarg>
#include <cstring>
#include <vector>

#include "protected-path/dmabuf/inspector.h"
#include "protected-path/dmabuf/mapping.h"

/*
 * The no-map guard refuses before the kernel is asked. That is seen by standing between the library and the C library:
 * this executable has mmap, fstatfs and ioctl of its own, which count. They also let a memfd pass for a dma-buf, so
 * that this runs on machines without any.
 */

namespace {

struct Calls {
  int mmaps = 0;
  int lastProtection = 0;
  std::vector<uint64_t> syncs; ///< flags of each DMA_BUF_IOCTL_SYNC
  int refuseWith = 0;          ///< errno for mmap, 0 to let it pass
  bool disguise = false;       ///< memfds pass for dma-bufs
};
Calls calls;

template<typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

} // namespace

// Their symbols are mmap64 and fstatfs64 with 64-bit offsets, which the headers arrange for callers and for us alike.
extern "C" {

void* mmap(void* address, size_t length, int protection, int flags, int fd, off_t offset) noexcept {
  if (calls.disguise) {
    ++calls.mmaps;
    calls.lastProtection = protection;
    if (calls.refuseWith != 0) {
      errno = calls.refuseWith;
      return MAP_FAILED;
    }
  }
  static const auto real = next<void*(void*, size_t, int, int, int, off_t)>("mmap64");
  return real(address, length, protection, flags, fd, offset);
}

int fstatfs(int fd, struct statfs* answer) noexcept {
  static const auto real = next<int(int, struct statfs*)>("fstatfs64");
  const int result = real(fd, answer);
  if (calls.disguise && result == 0) answer->f_type = DMA_BUF_MAGIC;
  return result;
}

int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list list;
  va_start(list, request);
  void* argument = va_arg(list, void*);
  va_end(list);
  if (calls.disguise && request == DMA_BUF_IOCTL_SYNC) {
    calls.syncs.push_back(static_cast<dma_buf_sync*>(argument)->flags);
    return 0;
  }
  static const auto real = next<int(int, unsigned long, ...)>("ioctl");
  return real(fd, request, argument);
}
}

namespace vitrine {
namespace {

constexpr uint32_t offsetBytes = 100; ///< not on a page: planes need not be

class NoMap : public testing::Test {
protected:
  void SetUp() override {
    calls = {};
    calls.disguise = true;
    UniqueFd fd(memfd_create("no-map-test", MFD_CLOEXEC));
    ASSERT_EQ(ftruncate(fd.get(), 65536), 0);
    ASSERT_EQ(pwrite(fd.get(), "glass", 5, offsetBytes), 5);
    DmabufAttributes attributes{{64, 64}, DRM_FORMAT_XRGB8888, DRM_FORMAT_MOD_LINEAR, 1, {}};
    attributes.planes[0] = {std::move(fd), offsetBytes, 256};
    auto made = Dmabuf::create(std::move(attributes));
    ASSERT_TRUE(made) << made.error().text();
    buffer_.emplace(std::move(*made));
  }
  void TearDown() override { calls = {}; }

  std::optional<Dmabuf> buffer_;
};

TEST_F(NoMap, RefusesBeforeTheKernelIsAsked) {
  for (const Evidence evidence :
       {Evidence::Claimed, Evidence::Unmappable, Evidence::KernelNamed, Evidence::Authenticated}) {
    buffer_->raiseEvidence(evidence);
    for (const auto access : {Mapping::Access::Read, Mapping::Access::Write}) {
      const auto mapping = Mapping::map(*buffer_, 0, access);
      ASSERT_FALSE(mapping) << evidenceName(evidence);
      EXPECT_EQ(refusalOf(mapping.error(), Refusal::None), Refusal::NoMap);
      EXPECT_EQ(mapping.error().text(), std::string("mmap 64x64 XRGB8888 LINEAR, ") + evidenceName(evidence) +
                                            ", plane 0: NoMap: the buffer is no_map: it may not be mapped for the CPU");
    }
  }
  EXPECT_EQ(calls.mmaps, 0);
  EXPECT_TRUE(calls.syncs.empty());
}

TEST_F(NoMap, HoldsForDuplicates) {
  buffer_->raiseEvidence(Evidence::Claimed);
  auto copy = buffer_->duplicate();
  ASSERT_TRUE(copy);
  EXPECT_EQ(copy->evidence(), Evidence::Claimed);
  EXPECT_NE(copy->plane(0).fd.get(), buffer_->plane(0).fd.get());
  EXPECT_EQ(refusalOf(Mapping::map(*copy, 0, Mapping::Access::Read).error(), Refusal::None), Refusal::NoMap);
  EXPECT_EQ(calls.mmaps, 0);
}

TEST_F(NoMap, OrdinaryBuffersMapBetweenSyncs) {
  {
    const auto mapping = Mapping::map(*buffer_, 0, Mapping::Access::Read);
    ASSERT_TRUE(mapping) << mapping.error().text();
    EXPECT_EQ(calls.lastProtection, PROT_READ);
    ASSERT_EQ(mapping->bytes().size(), 65536U - offsetBytes);
    EXPECT_EQ(std::memcmp(mapping->bytes().data(), "glass", 5), 0);
    EXPECT_EQ(calls.syncs, std::vector<uint64_t>({DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ}));
  }
  EXPECT_EQ(calls.syncs.back(), uint64_t{DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ});
  EXPECT_EQ(calls.mmaps, 1);

  calls.syncs.clear();
  auto first = Mapping::map(*buffer_, 0, Mapping::Access::Write);
  ASSERT_TRUE(first);
  {
    const Mapping second = std::move(*first);
  }
  EXPECT_EQ(calls.lastProtection, PROT_READ | PROT_WRITE);
  EXPECT_EQ(calls.syncs,
            std::vector<uint64_t>({DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW}));
}

TEST_F(NoMap, TheKernelsRefusalKeepsItsErrno) {
  calls.refuseWith = EPERM;
  const auto mapping = Mapping::map(*buffer_, 0, Mapping::Access::Read);
  ASSERT_FALSE(mapping);
  EXPECT_EQ(mapping.error().text(), "mmap 64x64 XRGB8888 LINEAR, None, plane 0: EPERM (1)");
  EXPECT_TRUE(calls.syncs.empty());
}

TEST_F(NoMap, APlaneThatIsNotThere) {
  EXPECT_EQ(Mapping::map(*buffer_, 1, Mapping::Access::Read).error().detail, "no such plane");
  EXPECT_EQ(calls.mmaps, 0);
}

// ---- The inspector: whom it asks, and what it maps ----

struct GradeCase {
  const char* what;
  std::optional<bool> byName;
  std::optional<bool> byTee;
  int mmapErrno;
  bool claimed;
  Evidence expected;
  int mmaps;
};

constexpr GradeCase grades[] = {
    {"ordinary exporter", false, std::nullopt, 0, false, Evidence::None, 0},
    {"ordinary exporter, TEE asked", false, false, 0, false, Evidence::None, 0},
    {"protected exporter", true, std::nullopt, 0, false, Evidence::KernelNamed, 0},
    {"protected exporter that another TEE does not know", true, false, 0, false, Evidence::KernelNamed, 0},
    {"the TEE knows it", true, true, 0, false, Evidence::Authenticated, 0},
    {"the TEE knows it, whatever the table says", false, true, 0, false, Evidence::Authenticated, 0},
    {"the TEE knows it, the table does not", std::nullopt, true, 0, false, Evidence::Authenticated, 0},
    {"unknown exporter that maps", std::nullopt, false, 0, false, Evidence::None, 1},
    {"unknown exporter, EINVAL", std::nullopt, std::nullopt, EINVAL, false, Evidence::Unmappable, 1},
    {"unknown exporter, EPERM", std::nullopt, std::nullopt, EPERM, false, Evidence::Unmappable, 1},
    {"unknown exporter, any errno: fail closed", std::nullopt, std::nullopt, ENOMEM, false, Evidence::Unmappable, 1},
    {"claim on an ordinary buffer", false, std::nullopt, 0, true, Evidence::Claimed, 0},
    {"claim on a protected buffer changes nothing", true, std::nullopt, 0, true, Evidence::KernelNamed, 0},
};

TEST_F(NoMap, TheInspectorGrades) {
  for (const GradeCase& one : grades) {
    SetUp();
    calls.refuseWith = one.mmapErrno;
    const Inspector inspector({[&](std::string_view) { return one.byName; }, [&](int) { return one.byTee; }});
    const auto result = inspector.inspect(*buffer_, one.claimed);
    ASSERT_TRUE(result) << one.what << result.error().text();
    EXPECT_EQ(buffer_->evidence(), one.expected) << one.what << ": " << evidenceName(buffer_->evidence());
    EXPECT_EQ(buffer_->noMap(), one.expected != Evidence::None) << one.what;
    EXPECT_EQ(calls.mmaps, one.mmaps) << one.what;
    EXPECT_EQ(calls.lastProtection, one.mmaps != 0 ? PROT_NONE : 0) << one.what;
    const Evidence unclaimed = one.expected == Evidence::Claimed ? Evidence::None : one.expected;
    EXPECT_EQ(*inspector.evidenceFor(buffer_->plane(0).fd.get()), unclaimed) << one.what;
  }
}

TEST_F(NoMap, TheInspectorAsksOncePerDmabuf) {
  int asked = 0;
  auto fd = duplicateFd(buffer_->plane(0).fd.get());
  auto again = duplicateFd(buffer_->plane(0).fd.get());
  DmabufAttributes attributes{{64, 64}, DRM_FORMAT_NV12, DRM_FORMAT_MOD_LINEAR, 2, {}};
  attributes.planes[0] = {std::move(*fd), 0, 64};
  attributes.planes[1] = {std::move(*again), 4096, 64};
  auto video = Dmabuf::create(std::move(attributes));
  ASSERT_TRUE(video);
  const Inspector inspector({[&](std::string_view) { return ++asked, std::optional(true); }, {}});
  ASSERT_TRUE(inspector.inspect(*video, false));
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(video->evidence(), Evidence::KernelNamed);
}

TEST_F(NoMap, EvidenceIsNeverLowered) {
  buffer_->raiseEvidence(Evidence::KernelNamed);
  buffer_->raiseEvidence(Evidence::Claimed);
  buffer_->raiseEvidence(Evidence::None);
  EXPECT_EQ(buffer_->evidence(), Evidence::KernelNamed);
}

} // namespace
} // namespace vitrine
