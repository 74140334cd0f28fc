#include <gtest/gtest.h>

#include <dlfcn.h>
#include <drm_fourcc.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdarg>
#include <cstring>
#include <sstream>
#include <vector>

#include <spdlog/sinks/ostream_sink.h>

#include "protected-path/base/log.h"
#include "protected-path/dmabuf/inspector.h"
#include "protected-path/dmabuf/mapping.h"

/*
 * The no-map guard refuses before the kernel is asked. That is seen by standing between the library and the C library:
 * this executable has mmap, fstatfs, open and ioctl of its own, which count. They also let a memfd pass for a dma-buf of
 * any exporter, so that this runs on machines without any.
 */

namespace {

struct Calls {
  int mmaps = 0;
  int lastProtection = 0;
  std::vector<uint64_t> syncs; ///< flags of each DMA_BUF_IOCTL_SYNC
  int refuseWith = 0;          ///< errno for mmap, 0 to let it pass
  bool disguise = false;       ///< memfds pass for dma-bufs
  std::string exporter;        ///< `exp_name` of all fds while `disguise`
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

// The symbol is open64 with 64-bit offsets.
int open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  static const auto real = next<int(const char*, int, ...)>("open64");
  if (!calls.disguise || std::strncmp(path, "/proc/self/fdinfo/", 18) != 0) return real(path, flags, mode);
  const int text = memfd_create("fdinfo", MFD_CLOEXEC);
  dprintf(text, "pos:\t0\nexp_name:\t%s\n", calls.exporter.c_str());
  lseek(text, 0, SEEK_SET);
  return text;
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
       {Evidence::Claimed, Evidence::Suspect, Evidence::Unmappable, Evidence::KernelProtected}) {
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

// ---- The inspector: a name nominates, behaviour proves ----

using As = Nomination::As;

struct GradeCase {
  const char* what;
  const char* exporter;
  Nomination name;
  int mmapErrno;
  bool claimed;
  Evidence expected;
  int mmaps = 1;
};

constexpr GradeCase grades[] = {
    {"ordinary exporter: not tried", "system", {As::Ordinary}, EINVAL, false, Evidence::None, 0},
    {"mainline's heap", "tee", {As::Protected}, EINVAL, false, Evidence::KernelProtected},
    {"mainline's exporter, unknown to the table", "tee", {As::Unknown}, EINVAL, false, Evidence::KernelProtected},
    {"a heap called tee that maps", "tee", {As::Protected}, 0, false, Evidence::Suspect},
    {"vendor heap, EPERM", "vframe-secure", {As::Protected}, EPERM, false, Evidence::Unmappable},
    {"vendor heap, EACCES", "vframe-secure", {As::Protected}, EACCES, false, Evidence::Unmappable},
    {"a name on memory that maps", "secure_display_region", {As::Protected}, 0, false, Evidence::Suspect},
    {"unknown exporter that maps", "glass", {As::Unknown}, 0, false, Evidence::None},
    {"unknown exporter, EINVAL", "glass", {As::Unknown}, EINVAL, false, Evidence::Unmappable},
    {"override: protected, and it is", "glass", {As::Protected, true}, EINVAL, false, Evidence::Unmappable},
    {"override: protected, but it maps", "glass", {As::Protected, true}, 0, false, Evidence::Suspect},
    {"override: ordinary, and it is", "secure_display_region", {As::Ordinary, true}, 0, false, Evidence::None},
    {"override: ordinary, but it does not map", "tee", {As::Ordinary, true}, EINVAL, false, Evidence::KernelProtected},
    {"claim on an ordinary buffer", "system", {As::Ordinary}, 0, true, Evidence::Claimed, 0},
    {"claim on a suspect buffer", "secure", {As::Protected}, 0, true, Evidence::Suspect},
    {"claim on a protected buffer changes nothing", "tee", {As::Protected}, EINVAL, true, Evidence::KernelProtected},
};

/** An inspector that takes every exporter for `name`. */
Inspector inspectorWith(Nomination name) {
  return Inspector([name](std::string_view) { return name; });
}

TEST_F(NoMap, TheInspectorGrades) {
  for (const GradeCase& one : grades) {
    SetUp();
    calls.refuseWith = one.mmapErrno;
    calls.exporter = one.exporter;
    const Inspector inspector = inspectorWith(one.name);
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

TEST(Evidence, ProofIsARefusedMapping) {
  EXPECT_FALSE(isProven(Evidence::None));
  EXPECT_FALSE(isProven(Evidence::Claimed));
  EXPECT_FALSE(isProven(Evidence::Suspect));
  EXPECT_TRUE(isProven(Evidence::Unmappable));
  EXPECT_TRUE(isProven(Evidence::KernelProtected));
}

TEST_F(NoMap, AProcessWithoutRoomForAMappingHasNoEvidence) {
  for (const int number : {ENOMEM, EAGAIN}) {
    calls.refuseWith = number;
    const auto result = inspectorWith({As::Protected}).inspect(*buffer_, false);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::System);
    EXPECT_EQ(result.error().number, number);
    EXPECT_EQ(result.error().operation, "mmap");
    EXPECT_EQ(buffer_->evidence(), Evidence::None);
  }
}

TEST_F(NoMap, AnOverrideThatBehaviourContradictsIsLoggedOncePerExporter) {
  std::ostringstream lines;
  const auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(lines);
  audit().sinks().push_back(sink);
  calls.exporter = "glass";
  calls.refuseWith = EINVAL;
  const Inspector inspector = inspectorWith({As::Ordinary, true});
  ASSERT_TRUE(inspector.inspect(*buffer_, false));
  ASSERT_TRUE(inspector.inspect(*buffer_, false));
  calls.exporter = "water";
  calls.refuseWith = 0;
  ASSERT_TRUE(inspectorWith({As::Protected, true}).inspect(*buffer_, false));
  std::erase(audit().sinks(), sink);
  const std::string text = lines.str();
  const auto count = [&text](std::string_view part) {
    size_t found = 0;
    for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1))
      ++found;
    return found;
  };
  EXPECT_EQ(count("buffer.override_differs exporter=glass override=ordinary buffers=unmappable treated_as=protected"),
            1U)
      << text;
  EXPECT_EQ(count("buffer.override_differs exporter=water override=protected buffers=mappable treated_as=protected"),
            1U)
      << text;
  EXPECT_EQ(count("buffer.override_differs"), 2U) << text;
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
  calls.refuseWith = EPERM;
  const Inspector inspector([&](std::string_view) { return ++asked, Nomination{As::Protected}; });
  ASSERT_TRUE(inspector.inspect(*video, false));
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(video->evidence(), Evidence::Unmappable);
}

TEST_F(NoMap, EvidenceIsNeverLowered) {
  buffer_->raiseEvidence(Evidence::KernelProtected);
  buffer_->raiseEvidence(Evidence::Claimed);
  buffer_->raiseEvidence(Evidence::None);
  EXPECT_EQ(buffer_->evidence(), Evidence::KernelProtected);
}

} // namespace
} // namespace vitrine
