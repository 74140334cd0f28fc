#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <format>
#include <fstream>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "tests/board/clip/clip.h"
#include "tests/board/clip/clip_header.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr ClipKey key{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
constexpr uint64_t frames = 3;

class ClipTest : public testing::Test {
protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "vitrine-clip-test.XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    file_ = directory_ / "test.clip";
    write(file_);
  }
  void TearDown() override { fs::remove_all(directory_); }

  static std::vector<std::byte> plainFrame(const ClipHeader& header, uint64_t number) {
    std::vector<std::byte> frame(header.frameBytes);
    for (size_t i = 0; i < frame.size(); ++i)
      frame[i] = static_cast<std::byte>(i * 7 + number * 31);
    return frame;
  }

  void write(const fs::path& file) {
    const auto header = makeClipHeader({64, 48}, 30000, 1001, ColorEncoding::Bt601, ColorRange::Full);
    ASSERT_TRUE(header) << header.error().text();
    auto writer = ClipWriter::create(file, *header, key);
    ASSERT_TRUE(writer) << writer.error().text();
    for (uint64_t number = 0; number < frames; ++number) {
      auto frame = plainFrame(*header, number);
      ASSERT_TRUE(writer->addFrame(frame));
    }
    ASSERT_TRUE(writer->finish());
  }

  /** The result of opening the clip and reading every frame. */
  static std::pair<ClipFault, std::string> check(const fs::path& file, const ClipKey& withKey = key) {
    auto reader = ClipReader::open(file, withKey);
    if (!reader) return {clipFaultOf(reader.error()), reader.error().text()};
    for (uint64_t number = 0; number < reader->header().frameCount; ++number)
      if (auto frame = reader->readFrame(number); !frame) return {clipFaultOf(frame.error()), frame.error().text()};
    return {ClipFault::None, ""};
  }

  void flip(uint64_t offset) const {
    std::fstream stream(file_, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(offset));
    const auto byte = static_cast<char>(stream.get() ^ 0x10);
    stream.seekp(static_cast<std::streamoff>(offset));
    stream.put(byte);
  }

  [[nodiscard]] uint64_t frameBytes() const {
    return (fs::file_size(file_) - ClipHeader::sizeBytes) / frames - sizeof(Mac);
  }

  fs::path directory_;
  fs::path file_;
};

TEST_F(ClipTest, RoundTrip) {
  auto reader = ClipReader::open(file_, key);
  ASSERT_TRUE(reader) << reader.error().text();
  const ClipHeader& header = reader->header();
  EXPECT_EQ(header.size, (Size{64, 48}));
  EXPECT_EQ(header.rateNumerator, 30000U);
  EXPECT_EQ(header.rateDenominator, 1001U);
  EXPECT_EQ(header.encoding, ColorEncoding::Bt601);
  EXPECT_EQ(header.range, ColorRange::Full);
  EXPECT_EQ(header.frameCount, frames);
  for (const uint64_t number : {2U, 0U, 1U}) {
    const auto ciphertext = reader->readFrame(number);
    ASSERT_TRUE(ciphertext) << ciphertext.error().text();
    const auto expected = plainFrame(header, number);
    EXPECT_FALSE(std::ranges::equal(*ciphertext, expected)) << "the file must not hold the plain frame";
    std::vector<std::byte> plain(ciphertext->size());
    ASSERT_TRUE(aesCtr(key, frameCounter(header, number), *ciphertext, plain));
    EXPECT_EQ(plain, expected);
  }
  const auto beyond = reader->readFrame(frames);
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().detail, "it has 3 frames");
}

TEST_F(ClipTest, TwoClipsOfOneKeyShareNoCounter) {
  const fs::path other = directory_ / "other.clip";
  write(other);
  EXPECT_NE(ClipReader::open(file_, key)->header().nonce, ClipReader::open(other, key)->header().nonce);
}

TEST_F(ClipTest, EveryFrameHasItsCounters) {
  ClipHeader header;
  header.nonce = {0xa1, 2, 3, 4, 5, 6, 7, 0xa8};
  const CounterBlock expected{0xa1, 2, 3, 4, 5, 6, 7, 0xa8, 0x01, 0x02, 0x03, 0x04, 0, 0, 0, 0};
  EXPECT_EQ(frameCounter(header, 0x01020304), expected);
}

// NIST SP 800-38A, F.5.1, the first block.
TEST(ClipCrypto, AesCtrIsTheStandards) {
  const ClipKey nistKey{0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
  CounterBlock counter{};
  std::iota(counter.begin(), counter.end(), uint8_t{0xf0});
  const std::array<uint8_t, 16> plain{0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96,
                                      0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a};
  const std::array<uint8_t, 16> expected{0x87, 0x4d, 0x61, 0x91, 0xb6, 0x20, 0xe3, 0x26,
                                         0x1b, 0xef, 0x68, 0x64, 0x99, 0x0d, 0xb6, 0xce};
  std::array<uint8_t, 16> cipher{};
  ASSERT_TRUE(aesCtr(nistKey, counter, std::as_bytes(std::span(plain)), std::as_writable_bytes(std::span(cipher))));
  EXPECT_EQ(cipher, expected);
}

TEST_F(ClipTest, CutShort) {
  struct Case {
    uint64_t bytes;
    ClipFault fault;
    const char* words;
  };
  const uint64_t record = frameBytes() + sizeof(Mac);
  const std::vector<Case> cases{
      {0, ClipFault::NotAClip, "it is not a clip"},
      {5, ClipFault::CutShort, "it is cut short: it ends within its header"},
      {100, ClipFault::CutShort, "it is cut short: it ends within its header"},
      {ClipHeader::sizeBytes - 1, ClipFault::CutShort, "it is cut short: it ends within its header"},
      {ClipHeader::sizeBytes, ClipFault::CutShort, "it is cut short: 0 of 3 frames are whole"},
      {ClipHeader::sizeBytes + record, ClipFault::CutShort, "it is cut short: 1 of 3 frames are whole"},
      {ClipHeader::sizeBytes + 3 * record - 1, ClipFault::CutShort, "it is cut short: 2 of 3 frames are whole"},
      {ClipHeader::sizeBytes + 3 * record + 1, ClipFault::TrailingBytes, "1 bytes follow its last frame"},
  };
  for (const Case& one : cases) {
    write(file_);
    fs::resize_file(file_, one.bytes);
    const auto [fault, text] = check(file_);
    EXPECT_STREQ(clipFaultName(fault), clipFaultName(one.fault)) << one.bytes;
    EXPECT_NE(text.find(one.words), std::string::npos) << one.bytes << ": " << text;
  }
}

TEST_F(ClipTest, CutShortWhileItIsPlayed) {
  auto reader = ClipReader::open(file_, key);
  ASSERT_TRUE(reader);
  fs::resize_file(file_, ClipHeader::sizeBytes + frameBytes());
  const auto frame = reader->readFrame(1);
  ASSERT_FALSE(frame);
  EXPECT_EQ(clipFaultOf(frame.error()), ClipFault::CutShort);
  EXPECT_EQ(frame.error().detail, "it has been cut short since it was opened");
}

TEST_F(ClipTest, FlippedBit) {
  struct Case {
    const char* where;
    uint64_t offset;
    ClipFault fault;
    const char* words;
  };
  const uint64_t frame1 = ClipHeader::sizeBytes + frameBytes() + sizeof(Mac);
  const std::vector<Case> cases{
      {"magic", 3, ClipFault::NotAClip, "it is not a clip"},
      {"version", 8, ClipFault::OtherVersion, "it is a clip of version 17; this build reads version 1"},
      {"header size", 12, ClipFault::HeaderBroken, "its header is damaged"},
      {"width", 16, ClipFault::HeaderBroken, "its header is damaged"},
      {"encoding", 32, ClipFault::HeaderBroken, "its header is damaged"},
      {"frame count", 56, ClipFault::HeaderBroken, "its header is damaged"},
      {"nonce", 72, ClipFault::HeaderBroken, "its header is damaged"},
      {"key check", 96, ClipFault::HeaderBroken, "its header is damaged"},
      {"header MAC", 140, ClipFault::HeaderBroken, "its header is damaged"},
      {"digest", 191, ClipFault::HeaderBroken, "its header is damaged"},
      {"first frame", ClipHeader::sizeBytes, ClipFault::FrameBroken, "frame 0: its MAC does not fit"},
      {"middle of a frame", frame1 + 1000, ClipFault::FrameBroken, "frame 1: its MAC does not fit"},
      {"frame's MAC", frame1 + frameBytes(), ClipFault::FrameBroken, "frame 1: its MAC does not fit"},
  };
  for (const Case& one : cases) {
    write(file_);
    flip(one.offset);
    const auto [fault, text] = check(file_);
    EXPECT_STREQ(clipFaultName(fault), clipFaultName(one.fault)) << one.where;
    EXPECT_NE(text.find(one.words), std::string::npos) << one.where << ": " << text;
  }
}

TEST_F(ClipTest, SwappedFramesAreNoticed) {
  std::fstream stream(file_, std::ios::in | std::ios::out | std::ios::binary);
  const uint64_t record = frameBytes() + sizeof(Mac);
  std::vector<char> both(2 * record);
  stream.seekg(ClipHeader::sizeBytes);
  stream.read(both.data(), static_cast<std::streamsize>(both.size()));
  std::rotate(both.begin(), both.begin() + static_cast<std::ptrdiff_t>(record), both.end());
  stream.seekp(ClipHeader::sizeBytes);
  stream.write(both.data(), static_cast<std::streamsize>(both.size()));
  stream.close();
  const auto [fault, text] = check(file_);
  EXPECT_EQ(fault, ClipFault::FrameBroken) << text;
}

TEST_F(ClipTest, WrongKey) {
  ClipKey other = key;
  other[15] ^= 1;
  const auto [fault, text] = check(file_, other);
  EXPECT_EQ(fault, ClipFault::WrongKey);
  EXPECT_NE(text.find("its key is another one; give the key that vitrine-pack made it with: --key FILE"),
            std::string::npos)
      << text;
}

// An attacker who knows the format but not the key can correct the digest, but not the MAC.
TEST_F(ClipTest, ForgedHeader) {
  auto mac = ClipMac::create({}, {});
  ASSERT_TRUE(mac);
  ClipHeader header = ClipReader::open(file_, key)->header();
  ClipHeaderBytes original{};
  std::ifstream(file_, std::ios::binary).read(reinterpret_cast<char*>(original.data()), original.size());
  header.range = ColorRange::Limited;
  auto forged = encodeClipHeader(header, *mac);
  ASSERT_TRUE(forged);
  std::copy(original.begin() + 96, original.begin() + 160, forged->begin() + 96); // the true key check and MAC
  const auto digest = sha256(std::span<const std::byte>(*forged).first(160));
  ASSERT_TRUE(digest);
  std::memcpy(forged->data() + 160, digest->data(), digest->size());
  std::fstream(file_, std::ios::in | std::ios::out | std::ios::binary)
      .write(reinterpret_cast<const char*>(forged->data()), forged->size());
  const auto [fault, text] = check(file_);
  EXPECT_EQ(fault, ClipFault::HeaderBroken) << text;
}

TEST_F(ClipTest, UnfinishedLeavesNothing) {
  const fs::path other = directory_ / "unfinished.clip";
  {
    const auto header = makeClipHeader({64, 48}, 25, 1, ColorEncoding::Bt709, ColorRange::Limited);
    auto writer = ClipWriter::create(other, *header, key);
    ASSERT_TRUE(writer);
    auto moved = std::move(*writer);
    auto frame = plainFrame(*header, 0);
    ASSERT_TRUE(moved.addFrame(frame));
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_), fs::directory_iterator()), 1) << "only the finished one";
}

TEST_F(ClipTest, MakerIsTold) {
  const auto odd = makeClipHeader({63, 48}, 25, 1, ColorEncoding::Bt709, ColorRange::Limited);
  ASSERT_FALSE(odd);
  EXPECT_EQ(odd.error().detail, "NV12 needs an even width and height");
  const auto still = makeClipHeader({64, 48}, 0, 1, ColorEncoding::Bt709, ColorRange::Limited);
  ASSERT_FALSE(still);
  EXPECT_EQ(still.error().detail, "the frame rate is zero");

  const auto header = makeClipHeader({64, 48}, 25, 1, ColorEncoding::Bt709, ColorRange::Limited);
  auto writer = ClipWriter::create(directory_ / "empty.clip", *header, key);
  ASSERT_TRUE(writer);
  std::array<std::byte, 5> small{};
  const auto short_ = writer->addFrame(small);
  ASSERT_FALSE(short_);
  EXPECT_EQ(short_.error().detail, std::format("frame 0 has 5 bytes instead of {}", header->frameBytes));
  const auto empty = writer->finish();
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().detail, "there is no frame in it");

  const auto nowhere = ClipWriter::create(directory_ / "absent" / "x.clip", *header, key);
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().number, ENOENT);
}

TEST_F(ClipTest, KeyFiles) {
  const fs::path file = directory_ / "k";
  ASSERT_TRUE(writeKeyFile(file, key));
  EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(*readKeyFile(file), key);
  EXPECT_EQ(writeKeyFile(file, ClipKey{}).error().number, EEXIST);
  EXPECT_EQ(readKeyFile(directory_ / "absent").error().number, ENOENT);
  EXPECT_EQ(*parseKey("0102030405060708090a0b0c0d0e0F10"), key);
  for (const char* wrong : {"", "01", "0102030405060708090a0b0c0d0e0f1", "0102030405060708090a0b0c0d0e0f1g",
                            "0102030405060708090a0b0c0d0e0f1011"})
    EXPECT_EQ(parseKey(wrong).error().detail, "it has to be 32 hexadecimal digits (AES-128)") << wrong;
}

} // namespace
} // namespace vitrine
