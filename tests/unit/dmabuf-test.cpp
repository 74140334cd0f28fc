#include <gtest/gtest.h>

#include <drm_fourcc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <limits>

#include "protected-path/dmabuf/dmabuf.h"
#include "protected-path/dmabuf/fdinfo.h"
#include "protected-path/dmabuf/inspector.h"
#include "protected-path/dmabuf/layout.h"
#include "protected-path/dmabuf/sync_file.h"

namespace vitrine {
namespace {

UniqueFd memfd(size_t sizeBytes) {
  UniqueFd fd(memfd_create("dmabuf-test", MFD_CLOEXEC));
  EXPECT_TRUE(fd);
  EXPECT_EQ(ftruncate(fd.get(), static_cast<off_t>(sizeBytes)), 0);
  return fd;
}

// ---- Layout ----

struct LayoutCase {
  const char* what;
  DmabufNumbers numbers;
  Refusal expected;
  const char* object; ///< what the error must name
};

constexpr uint64_t tiled = I915_FORMAT_MOD_Y_TILED;
constexpr uint32_t most = std::numeric_limits<uint32_t>::max();

constexpr LayoutCase layoutCases[] = {
    {"XRGB8888, exact", {{64, 64}, DRM_FORMAT_XRGB8888, 0, 1, {0}, {256}, {16384}}, Refusal::None, ""},
    {"NV12 in one dma-buf, exact",
     {{64, 64}, DRM_FORMAT_NV12, 0, 2, {0, 4096}, {64, 64}, {6144, 6144}},
     Refusal::None,
     ""},
    {"NV12 in two dma-bufs", {{64, 64}, DRM_FORMAT_NV12, 0, 2, {0, 0}, {64, 64}, {4096, 2048}}, Refusal::None, ""},
    {"odd size: chroma rounds up",
     {{65, 65}, DRM_FORMAT_NV12, 0, 2, {0, 0}, {66, 66}, {66 * 65, 66 * 33}},
     Refusal::None,
     ""},
    {"largest size", {{16384, 16384}, DRM_FORMAT_XRGB8888, 0, 1, {0}, {65536}, {1ULL << 30}}, Refusal::None, ""},
    {"implicit modifier, exact",
     {{64, 64}, DRM_FORMAT_XRGB8888, DRM_FORMAT_MOD_INVALID, 1, {0}, {256}, {16384}},
     Refusal::None,
     ""},
    {"tiled: strides are the driver's", {{64, 64}, DRM_FORMAT_XRGB8888, tiled, 1, {0}, {1}, {16}}, Refusal::None, ""},
    {"tiled with a compression plane",
     {{64, 64}, DRM_FORMAT_XRGB8888, tiled, 2, {0, 8}, {1, 1}, {16, 16}},
     Refusal::None,
     ""},

    {"no width",
     {{0, 64}, DRM_FORMAT_XRGB8888, 0, 1, {0}, {256}, {16384}},
     Refusal::SizeInvalid,
     "0x64 XRGB8888 LINEAR"},
    {"no height",
     {{64, 0}, DRM_FORMAT_XRGB8888, 0, 1, {0}, {256}, {16384}},
     Refusal::SizeInvalid,
     "64x0 XRGB8888 LINEAR"},
    {"too wide", {{16385, 1}, DRM_FORMAT_XRGB8888, 0, 1, {0}, {most}, {most}}, Refusal::SizeInvalid, "16385x1"},
    {"huge",
     {{most, most}, DRM_FORMAT_XRGB8888, 0, 1, {0}, {most}, {most}},
     Refusal::SizeInvalid,
     "4294967295x4294967295"},
    {"unknown format", {{64, 64}, 0x58585858, 0, 1, {0}, {256}, {16384}}, Refusal::FormatUnknown, "64x64 XXXX"},
    {"NV12 with one plane",
     {{64, 64}, DRM_FORMAT_NV12, 0, 1, {0}, {64}, {6144}},
     Refusal::PlaneCountWrong,
     "with 1 planes"},
    {"RGB with two planes",
     {{64, 64}, DRM_FORMAT_XRGB8888, 0, 2, {0, 0}, {256, 256}, {16384, 16384}},
     Refusal::PlaneCountWrong,
     "with 2 planes"},
    {"no plane", {{64, 64}, DRM_FORMAT_XRGB8888, 0, 0, {}, {}, {}}, Refusal::PlaneCountWrong, "with 0 planes"},
    {"five planes", {{64, 64}, DRM_FORMAT_XRGB8888, tiled, 5, {}, {}, {}}, Refusal::PlaneCountWrong, "with 5 planes"},
    {"most planes", {{64, 64}, DRM_FORMAT_XRGB8888, tiled, most, {}, {}, {}}, Refusal::PlaneCountWrong, "planes"},
    {"tiled NV12 with one plane",
     {{64, 64}, DRM_FORMAT_NV12, tiled, 1, {0}, {64}, {6144}},
     Refusal::PlaneCountWrong,
     "1 planes"},
    {"stride one short",
     {{64, 64}, DRM_FORMAT_XRGB8888, 0, 1, {0}, {255}, {16384}},
     Refusal::StrideTooSmall,
     "plane 0"},
    {"no stride", {{64, 64}, DRM_FORMAT_XRGB8888, 0, 1, {0}, {0}, {16384}}, Refusal::StrideTooSmall, "stride 0"},
    {"chroma stride one short",
     {{64, 64}, DRM_FORMAT_NV12, 0, 2, {0, 4096}, {64, 63}, {6144, 6144}},
     Refusal::StrideTooSmall,
     "plane 1"},
    {"odd width: chroma row",
     {{65, 64}, DRM_FORMAT_NV12, 0, 2, {0, 8192}, {128, 65}, {65536, 65536}},
     Refusal::StrideTooSmall,
     "plane 1"},
    {"dma-buf one short",
     {{64, 64}, DRM_FORMAT_XRGB8888, 0, 1, {0}, {256}, {16383}},
     Refusal::LayoutOutOfBounds,
     "plane 0 (offset 0, stride 256, dma-buf of 16383 bytes)"},
    {"offset one too far",
     {{64, 64}, DRM_FORMAT_XRGB8888, 0, 1, {1}, {256}, {16384}},
     Refusal::LayoutOutOfBounds,
     "offset 1"},
    {"chroma past the end",
     {{64, 64}, DRM_FORMAT_NV12, 0, 2, {0, 4096}, {64, 64}, {6144, 6143}},
     Refusal::LayoutOutOfBounds,
     "plane 1"},
    {"chroma in a small dma-buf of its own",
     {{64, 64}, DRM_FORMAT_NV12, 0, 2, {0, 0}, {64, 64}, {1 << 20, 2047}},
     Refusal::LayoutOutOfBounds,
     "plane 1"},
    {"odd height: chroma rounds up",
     {{64, 65}, DRM_FORMAT_NV12, 0, 2, {0, 0}, {64, 64}, {4160, 2048}},
     Refusal::LayoutOutOfBounds,
     "plane 1"},
    {"stride × height overflows 32 bits",
     {{64, 64}, DRM_FORMAT_XRGB8888, 0, 1, {0}, {1U << 26}, {16384}},
     Refusal::LayoutOutOfBounds,
     ""},
    {"offset + size overflows 32 bits",
     {{64, 64}, DRM_FORMAT_XRGB8888, 0, 1, {most}, {256}, {16384}},
     Refusal::LayoutOutOfBounds,
     ""},
    {"all at most",
     {{16384, 16384}, DRM_FORMAT_XRGB8888, 0, 1, {most}, {most}, {most}},
     Refusal::LayoutOutOfBounds,
     ""},
    {"implicit modifier, one short",
     {{64, 64}, DRM_FORMAT_XRGB8888, DRM_FORMAT_MOD_INVALID, 1, {0}, {256}, {16383}},
     Refusal::LayoutOutOfBounds,
     "INVALID"},
    {"empty dma-buf", {{1, 1}, DRM_FORMAT_XRGB8888, 0, 1, {0}, {4}, {0}}, Refusal::LayoutOutOfBounds, ""},
    {"tiled: offset at the end",
     {{64, 64}, DRM_FORMAT_XRGB8888, tiled, 1, {16}, {1}, {16}},
     Refusal::LayoutOutOfBounds,
     "offset 16"},
};

TEST(DmabufLayout, ByTable) {
  for (const LayoutCase& one : layoutCases) {
    const auto format = checkShape(one.numbers);
    const Result<> result = format ? checkBounds(one.numbers, **format) : Result<>(std::unexpected(format.error()));
    if (one.expected == Refusal::None) {
      EXPECT_TRUE(result) << one.what << ": " << result.error().text();
      continue;
    }
    ASSERT_FALSE(result) << one.what;
    EXPECT_EQ(refusalOf(result.error(), Refusal::None), one.expected) << one.what << ": " << result.error().text();
    EXPECT_TRUE(result.error().object.contains(one.object)) << one.what << ": " << result.error().text();
  }
}

// ---- What is not a dma-buf ----

DmabufAttributes pictureOn(UniqueFd fd) {
  DmabufAttributes attributes{{64, 64}, DRM_FORMAT_XRGB8888, DRM_FORMAT_MOD_LINEAR, 1, {}};
  attributes.planes[0] = {std::move(fd), 0, 256};
  return attributes;
}

TEST(Dmabuf, RefusesWhatIsNone) {
  struct Case {
    const char* what;
    UniqueFd fd;
  };
  Case cases[] = {{"memfd", memfd(65536)}, {"no fd", UniqueFd()}};
  for (Case& one : cases) {
    const auto buffer = Dmabuf::create(pictureOn(std::move(one.fd)));
    ASSERT_FALSE(buffer) << one.what;
    EXPECT_EQ(refusalOf(buffer.error(), Refusal::None), Refusal::NotADmabuf) << one.what;
    EXPECT_TRUE(buffer.error().object.starts_with("plane 0")) << buffer.error().text();
  }
}

TEST(Dmabuf, ChecksNumbersBeforeFds) {
  DmabufAttributes attributes = pictureOn(memfd(65536));
  attributes.size.width = 0;
  EXPECT_EQ(refusalOf(Dmabuf::create(std::move(attributes)).error(), Refusal::None), Refusal::SizeInvalid);
}

TEST(Inspector, RefusesWhatIsNoDmabuf) {
  const UniqueFd file = memfd(4096);
  for (const int fd : {file.get(), -1}) {
    const auto identity = Inspector::identify(fd);
    ASSERT_FALSE(identity);
    EXPECT_EQ(refusalOf(identity.error(), Refusal::None), Refusal::NotADmabuf);
    EXPECT_EQ(identity.error().text(), "identify fd " + std::to_string(fd) + ": NotADmabuf: the fd is not a dma-buf");
  }
}

TEST(SyncFile, ErrorsNameTheIoctl) {
  const UniqueFd file = memfd(4096);
  const std::string fd = std::to_string(file.get());
  EXPECT_EQ(exportSyncFile(file.get(), FenceUse::Read).error().text(),
            "DMA_BUF_IOCTL_EXPORT_SYNC_FILE fd " + fd + ": ENOTTY (25)");
  EXPECT_EQ(importSyncFile(file.get(), -1, FenceUse::Write).error().text(),
            "DMA_BUF_IOCTL_IMPORT_SYNC_FILE fd " + fd + " with sync file -1: ENOTTY (25)");
  EXPECT_EQ(mergeSyncFiles(-1, file.get()).error().text(), "SYNC_IOC_MERGE sync files -1 and " + fd + ": EBADF (9)");
  EXPECT_EQ(syncFileSignalled(987654).error().number, EBADF);
}

// ---- fdinfo ----

TEST(Fdinfo, ReadsTheExporterAndNothingForged) {
  struct Case {
    const char* what;
    const char* text;
    std::optional<std::string_view> expected;
  };
  constexpr const char* head = "pos:\t0\nflags:\t02000002\nmnt_id:\t12\nino:\t34\nsize:\t4096\ncount:\t1\n";
  const Case cases[] = {
      {"kernel's own", "exp_name:\ttee\n", "tee"},
      {"with a name", "exp_name:\tsystem\nname:\tvideo\n", "system"},
      {"a name that forges a protected exporter", "exp_name:\tsystem\nname:\tx\nexp_name:\ttee\n", "system"},
      {"a name that forges an ordinary exporter", "exp_name:\ttee\nname:\tx\nexp_name:\tsystem\n", "tee"},
      {"a forged line where the kernel wrote none", "name:\tx\nexp_name:\tsystem\n", std::nullopt},
      {"commas and spaces", "exp_name:\tprotected,secure-video x\n", "protected,secure-video x"},
      {"empty name", "exp_name:\t\n", ""},
      {"cut short", "exp_name:\tte", std::nullopt},
      {"none", "", std::nullopt},
      {"another separator", "exp_name: tee\n", std::nullopt},
      {"inside another line", "xexp_name:\ttee\n", std::nullopt},
  };
  for (const Case& one : cases) {
    const std::string text = std::string(head) + one.text;
    EXPECT_EQ(exporterNameIn(text), one.expected) << one.what;
  }
}

TEST(Evidence, IsOrderedByStrength) {
  EXPECT_LT(Evidence::None, Evidence::Claimed);
  EXPECT_LT(Evidence::Claimed, Evidence::Suspect);
  EXPECT_LT(Evidence::Suspect, Evidence::Unmappable);
  EXPECT_LT(Evidence::Unmappable, Evidence::KernelProtected);
}

} // namespace
} // namespace vitrine
