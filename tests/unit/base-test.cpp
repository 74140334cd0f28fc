#include <drm_fourcc.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <set>

#include "protected-path/base/format.h"
#include "protected-path/base/log.h"
#include "protected-path/base/refusal.h"
#include "protected-path/base/unique_fd.h"

using namespace vitrine;

namespace {

bool isOpen(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

UniqueFd someFd() {
  return UniqueFd(::memfd_create("base-test", MFD_CLOEXEC));
}

TEST(Error, namesOperationObjectCauseAndRemedy) {
  const auto error = systemError("open", "/dev/dma_heap/x", EACCES, "install the udev rule").error();
  EXPECT_EQ(error.text(), "open /dev/dma_heap/x: EACCES (13); install the udev rule");
}

TEST(Error, carriesARefusalThroughAResult) {
  const Error error = refused(Refusal::NoMap, "map", "1280x720 NV12").error();
  EXPECT_EQ(refusalOf(error, Refusal::None), Refusal::NoMap);
  EXPECT_NE(error.text().find("NoMap"), std::string::npos) << error.text();
  EXPECT_EQ(refusalOf(systemError("open", "x", ENOENT).error(), Refusal::HeapFailed), Refusal::HeapFailed);
}

TEST(Error, showsTeeResultsAsTheSpecificationWritesThem) {
  const Error error{ErrorKind::Tee, static_cast<int>(0xffff0001), "TEE_IOC_INVOKE",
                    "command 1",    "TEE_ERROR_ACCESS_DENIED",    {}};
  EXPECT_EQ(error.text(), "TEE_IOC_INVOKE command 1: TEE_ERROR_ACCESS_DENIED (0xffff0001)");
}

TEST(Error, onlyWantBusynessAndSignalsPass) {
  EXPECT_TRUE(isTransient(systemError("open", "x", EMFILE).error()));
  EXPECT_TRUE(isTransient(systemError("DRM_IOCTL_MODE_ATOMIC", "x", EBUSY).error()));
  EXPECT_FALSE(isTransient(systemError("DRM_IOCTL_MODE_ATOMIC", "x", EINVAL).error()));
  const auto sameNumber = Error{.kind = ErrorKind::Vulkan, .number = ENOMEM};
  EXPECT_FALSE(isTransient(sameNumber)) << "a VkResult";
}

TEST(Refusal, everyReasonHasItsOwnNameAndWords) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Refusal::ViewPublic); ++i) {
    const auto refusal = static_cast<Refusal>(i);
    EXPECT_TRUE(names.insert(refusalName(refusal)).second) << i << " has no name of its own";
    EXPECT_EQ(refusalWords(refusal).empty(), refusal == Refusal::None) << refusalName(refusal);
  }
}

TEST(UniqueFd, closesOnceAndOnlyWhatItOwns) {
  int raw = -1;
  {
    UniqueFd fd = someFd();
    raw = fd.get();
    EXPECT_TRUE(isOpen(raw));
  }
  EXPECT_FALSE(isOpen(raw));
}

TEST(UniqueFd, movedFromOwnsNothing) {
  UniqueFd first = someFd();
  const int raw = first.get();
  UniqueFd second = std::move(first);
  first.reset(); // NOLINT(bugprone-use-after-move): this is what the test is about
  EXPECT_TRUE(isOpen(raw));
  second = someFd();
  EXPECT_NE(second.get(), -1);
  const int released = second.release();
  second.reset();
  EXPECT_TRUE(isOpen(released));
  ::close(released);
}

TEST(UniqueFd, duplicateIsIndependentAndCloseOnExec) {
  UniqueFd first = someFd();
  auto copy = duplicateFd(first.get());
  ASSERT_TRUE(copy);
  EXPECT_EQ(::fcntl(copy->get(), F_GETFD), FD_CLOEXEC);
  first.reset();
  EXPECT_TRUE(isOpen(copy->get()));
  EXPECT_EQ(duplicateFd(-1).error().number, EBADF);
}

TEST(Format, subsampledPlanesRoundUp) {
  const FormatInfo* nv12 = formatInfo(DRM_FORMAT_NV12);
  ASSERT_NE(nv12, nullptr);
  EXPECT_EQ(planeSize(*nv12, {5, 3}, 0), (Size{5, 3}));
  EXPECT_EQ(planeSize(*nv12, {5, 3}, 1), (Size{3, 2}));
  EXPECT_EQ(minimumStrideBytes(*nv12, {5, 3}, 1), 6U);
  EXPECT_EQ(minimumStrideBytes(*formatInfo(DRM_FORMAT_P010), {4, 4}, 1), 8U);
}

TEST(Format, tableIsConsistent) {
  for (const FormatInfo& info : allFormats()) {
    EXPECT_EQ(formatInfo(info.fourcc), &info) << info.name << " stands twice";
    ASSERT_NE(formatInfo(info.opaque), nullptr) << info.name;
    EXPECT_FALSE(formatInfo(info.opaque)->hasAlpha) << info.name;
    EXPECT_EQ(formatInfo(info.opaque)->bytesPerSample, info.bytesPerSample) << info.name;
  }
  EXPECT_EQ(formatInfo(0), nullptr);
  EXPECT_EQ(fourccName(DRM_FORMAT_NV12), "NV12");
  EXPECT_EQ(fourccName(DRM_FORMAT_R8), "R8");
  EXPECT_EQ(fourccName(0x20013152), "R1?");
  EXPECT_EQ(fourccName(0), "????");
}

TEST(Log, refusesALevelThatDoesNotExist) {
  ASSERT_TRUE(setLogLevels("warn,base-test=trace"));
  EXPECT_EQ(log("base-test").level(), spdlog::level::trace);
  EXPECT_EQ(log("base-test-other").level(), spdlog::level::warn);
  const auto result = setLogLevels("kms=loud");
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().text().find("kms=loud"), std::string::npos);
  ASSERT_TRUE(setLogLevels("off"));
  EXPECT_EQ(audit().level(), spdlog::level::info) << "the audit log is never silenced";
}

} // namespace
