#include <gtest/gtest.h>

#include <linux/tee.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <filesystem>
#include <fstream>

#include "protected-path/tee/frame_decrypt.h"
#include "protected-path/tee/frame_filler.h"
#include "protected-path/tee/tee_session.h"
#include "protected-path/tee/tee_uapi.h"
#include "tests/platform/kernel/vitrine_frame_decrypt.h"

/** A file of four bytes answers TEE_IOC_VERSION with them as the implementation's id. */
extern "C" int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  uint32_t implementation = 0;
  if (request != TEE_IOC_VERSION || pread(fd, &implementation, sizeof(implementation), 0) != sizeof(implementation))
    return static_cast<int>(syscall(SYS_ioctl, fd, request, argument));
  static_cast<tee_ioctl_version_data*>(argument)->impl_id = implementation;
  return 0;
}

namespace vitrine {
namespace {

// What a TEE does is tested in protected-heap-platform-test; here is what can be seen without one.

TEST(TeeUuid, IsBigEndianAsTheKernelWantsIt) {
  const TeeUuid uuid = TeeUuid::parse("12345678-5b69-11e4-9dbb-101f74f00099");
  const std::array<uint8_t, 16> expected = {0x12, 0x34, 0x56, 0x78, 0x5b, 0x69, 0x11, 0xe4,
                                            0x9d, 0xbb, 0x10, 0x1f, 0x74, 0xf0, 0x00, 0x99};
  EXPECT_EQ(uuid.bytes, expected);
}

TEST(FrameDecrypt, BothWorldsSpeakTheSameWire) {
  const std::array<uint8_t, 16> theirs = VITRINE_FRAME_DECRYPT_UUID;
  EXPECT_EQ(TeeUuid::parse(frame_decrypt::uuid).bytes, theirs);
  EXPECT_EQ(frame_decrypt::commandSetKey, uint32_t{VITRINE_FRAME_DECRYPT_SET_KEY});
  EXPECT_EQ(frame_decrypt::commandDecrypt, uint32_t{VITRINE_FRAME_DECRYPT_DECRYPT});
  EXPECT_EQ(frame_decrypt::keyBytes, size_t{VITRINE_FRAME_DECRYPT_KEY_SIZE});
  EXPECT_EQ(frame_decrypt::counterBytes, size_t{VITRINE_FRAME_DECRYPT_COUNTER_SIZE});
  EXPECT_EQ(std::tuple_size_v<FrameFiller::Key>, frame_decrypt::keyBytes);
  EXPECT_EQ(std::tuple_size_v<FrameFiller::Counter>, frame_decrypt::counterBytes);
}

TEST(TeeUapi, IoctlNumber) {
  // _IOWR(0xa4, 8, 24 bytes): direction 3 << 30, size << 16, type << 8, number
  EXPECT_EQ(teeIocShmRegisterFd, 0xc018a408UL);
}

TEST(TeeResult, Names) {
  struct Case {
    uint32_t result;
    const char* name;
  };
  constexpr Case cases[] = {
      {0, "TEE_SUCCESS"},
      {0xffff0001, "TEE_ERROR_ACCESS_DENIED"},
      {0xffff0006, "TEE_ERROR_BAD_PARAMETERS"},
      {0xffff0007, "TEE_ERROR_BAD_STATE"},
      {0xffff0008, "TEE_ERROR_ITEM_NOT_FOUND"},
      {0xffff0010, "TEE_ERROR_SHORT_BUFFER"},
      {0x12345678, "0x12345678"},
  };
  for (const Case& one : cases)
    EXPECT_EQ(teeResultName(one.result), one.name);
}

TEST(TeeDevice, OpeningANodeThatIsNotThere) {
  const auto device = TeeDevice::open("/nowhere/tee0");
  ASSERT_FALSE(device);
  EXPECT_EQ(device.error().text(), "open /nowhere/tee0: ENOENT (2)");
}

TEST(TeeDevice, OpeningSomethingThatIsNoTee) {
  const auto device = TeeDevice::open("/dev/null");
  ASSERT_FALSE(device);
  EXPECT_EQ(device.error().text(), "TEE_IOC_VERSION /dev/null: ENOTTY (25)");
}

TEST(TeeDevice, AMachineWithoutOneSaysSo) {
  const auto device = TeeDevice::open();
  if (device) GTEST_SKIP() << "this machine has a TEE: " << device->node();
  if (device.error().kind == ErrorKind::System) GTEST_SKIP() << "this machine has a TEE: " << device.error().text();
  EXPECT_EQ(device.error().kind, ErrorKind::Missing);
  EXPECT_TRUE(device.error().text().starts_with("open /dev/tee0 to /dev/tee9: this machine has no TEE"))
      << device.error().text();
}

// ---- Several TEEs: files that stand for their nodes, each with the implementation's id in it ----

class TeeNodes : public testing::Test {
protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() / ("tee-test-" + std::to_string(getpid()));
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  void add(const char* name, uint32_t implementation) const {
    std::ofstream(directory_ / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(&implementation), sizeof(implementation));
  }
  std::vector<std::string> listed() const {
    std::vector<std::string> names;
    for (const TeeDevice& device : TeeDevice::list(directory_))
      names.push_back(device.node().filename().string());
    return names;
  }
  std::filesystem::path directory_;
};

TEST_F(TeeNodes, OpTeeComesFirst) {
  add("tee0", TEE_IMPL_ID_TSTEE);
  add("tee1", TEE_IMPL_ID_AMDTEE);
  add("tee2", TEE_IMPL_ID_OPTEE);
  add("tee3", TEE_IMPL_ID_OPTEE);
  EXPECT_EQ(listed(), (std::vector<std::string>{"tee2", "tee3", "tee0", "tee1"}));
}

TEST_F(TeeNodes, ANodeThatDoesNotAnswerIsLeftOut) {
  std::ofstream(directory_ / "tee0") << "";
  add("tee1", TEE_IMPL_ID_OPTEE);
  std::optional<Error> failure;
  const auto devices = TeeDevice::list(directory_, &failure);
  ASSERT_EQ(devices.size(), 1U);
  EXPECT_EQ(devices[0].version().implementationId, uint32_t{TEE_IMPL_ID_OPTEE});
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->text(), "TEE_IOC_VERSION " + (directory_ / "tee0").string() + ": ENOTTY (25)");
}

TEST(TeeAccepts, NobodyToAskIsNoAnswer) {
  EXPECT_EQ(teeAccepts(nullptr, 0), std::nullopt);
}

} // namespace
} // namespace vitrine
