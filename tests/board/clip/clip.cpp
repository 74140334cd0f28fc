#include "tests/board/clip/clip.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <format>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/board/clip/clip_header.h"

namespace vitrine {
namespace {

constexpr uint64_t macBytes = sizeof(Mac);

std::unexpected<Error> fault(ClipFault which, std::string_view object, std::string_view words,
                             std::string_view remedy = {}) {
  auto error = invalid("read", object, words, remedy);
  error.error().number = static_cast<int>(which);
  return error;
}

/** Reads until `target` is full or the file ends. Returns the number of bytes. */
Result<size_t> readAt(int fd, uint64_t offset, std::span<std::byte> target, const std::string& name) {
  size_t done = 0;
  while (done < target.size()) {
    const ssize_t got = pread(fd, target.data() + done, target.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return systemError("read", name);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

Result<> writeAt(int fd, uint64_t offset, std::span<const std::byte> bytes, const std::string& name) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t put = pwrite(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return systemError("write", name);
    done += static_cast<size_t>(put);
  }
  return {};
}

uint64_t frameOffset(const ClipHeader& header, uint64_t frame) {
  return ClipHeader::sizeBytes + frame * (header.frameBytes + macBytes);
}

std::unexpected<Error> headerFault(ClipFault which, const std::string& name, std::span<const std::byte> bytes) {
  switch (which) {
  case ClipFault::NotAClip:
    return fault(which, name, "it is not a clip", "make one with vitrine-pack");
  case ClipFault::OtherVersion: {
    uint32_t version = 0;
    std::memcpy(&version, bytes.data() + 8, sizeof(version));
    return fault(which, name,
                 std::format("it is a clip of version {}; this build reads version {}", version, ClipHeader::version),
                 "make it again with this build's vitrine-pack");
  }
  case ClipFault::CutShort:
    return fault(which, name, "it is cut short: it ends within its header");
  case ClipFault::WrongKey:
    return fault(which, name, "its key is another one", "give the key that vitrine-pack made it with: --key FILE");
  default:
    return fault(ClipFault::HeaderBroken, name, "its header is damaged");
  }
}

/** Compares the file's size with what its header says. */
Result<> checkSize(const ClipHeader& header, uint64_t fileBytes, const std::string& name) {
  // The product cannot overflow: the header limits frames to 2^32 and their bytes to 2^30.
  const uint64_t expected = frameOffset(header, header.frameCount);
  if (fileBytes < expected)
    return fault(ClipFault::CutShort, name,
                 std::format("it is cut short: {} of {} frames are whole",
                             (fileBytes - ClipHeader::sizeBytes) / (header.frameBytes + macBytes), header.frameCount));
  if (fileBytes > expected)
    return fault(ClipFault::TrailingBytes, name, std::format("{} bytes follow its last frame", fileBytes - expected));
  return {};
}

} // namespace

const char* clipFaultName(ClipFault which) {
  switch (which) {
  case ClipFault::None:
    return "None";
  case ClipFault::NotAClip:
    return "NotAClip";
  case ClipFault::OtherVersion:
    return "OtherVersion";
  case ClipFault::CutShort:
    return "CutShort";
  case ClipFault::TrailingBytes:
    return "TrailingBytes";
  case ClipFault::HeaderBroken:
    return "HeaderBroken";
  case ClipFault::WrongKey:
    return "WrongKey";
  case ClipFault::FrameBroken:
    return "FrameBroken";
  }
  return "None";
}

ClipFault clipFaultOf(const Error& error) {
  const bool carries = error.kind == ErrorKind::Invalid && error.operation == "read" && error.number > 0 &&
                       error.number <= static_cast<int>(ClipFault::FrameBroken);
  return carries ? static_cast<ClipFault>(error.number) : ClipFault::None;
}

ClipReader::ClipReader(std::filesystem::path file, UniqueFd fd, ClipHeader header, ClipMac mac)
    : file_(std::move(file)), fd_(std::move(fd)), header_(header), mac_(std::move(mac)),
      buffer_(header.frameBytes + macBytes) {}

Result<ClipReader> ClipReader::open(const std::filesystem::path& file, const ClipKey& key) {
  const std::string name = file.string();
  UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return systemError("open", name);
  struct stat status{};
  if (fstat(fd.get(), &status) != 0) return systemError("fstat", name);

  ClipHeaderBytes storage{};
  const auto got = readAt(fd.get(), 0, storage, name);
  if (!got) return std::unexpected(got.error());
  const auto bytes = std::span<const std::byte>(storage).first(*got);
  const auto header = decodeClipHeader(bytes);
  if (!header) return headerFault(header.error(), name, bytes);
  if (auto size = checkSize(*header, static_cast<uint64_t>(status.st_size), name); !size)
    return std::unexpected(size.error());

  auto mac = ClipMac::create(key, header->nonce);
  if (!mac) return std::unexpected(mac.error());
  const auto authentic = authenticateClipHeader(bytes, *mac);
  if (!authentic) return std::unexpected(authentic.error());
  if (*authentic != ClipFault::None) return headerFault(*authentic, name, bytes);
  return ClipReader(file, std::move(fd), *header, std::move(*mac));
}

Result<std::span<const std::byte>> ClipReader::readFrame(uint64_t frame) {
  const std::string name = std::format("{}, frame {}", file_.string(), frame);
  if (frame >= header_.frameCount) return invalid("read", name, std::format("it has {} frames", header_.frameCount));
  const auto got = readAt(fd_.get(), frameOffset(header_, frame), buffer_, name);
  if (!got) return std::unexpected(got.error());
  if (*got < buffer_.size()) return fault(ClipFault::CutShort, name, "it has been cut short since it was opened");
  const auto ciphertext = std::span<const std::byte>(buffer_).first(header_.frameBytes);
  Mac stored{};
  std::memcpy(stored.data(), buffer_.data() + header_.frameBytes, stored.size());
  const auto computed = mac_.compute(frameMacLabel, frame, ciphertext);
  if (!computed) return std::unexpected(computed.error());
  if (!equalMacs(stored, *computed)) return fault(ClipFault::FrameBroken, name, "its MAC does not fit: it is damaged");
  return ciphertext;
}

ClipWriter::ClipWriter(std::filesystem::path file, std::filesystem::path temporary, UniqueFd fd,
                       const ClipHeader& header, const ClipKey& key, ClipMac mac)
    : file_(std::move(file)), temporary_(std::move(temporary)), fd_(std::move(fd)), header_(header), key_(key),
      mac_(std::move(mac)) {}

ClipWriter::ClipWriter(ClipWriter&& other) noexcept
    : file_(std::move(other.file_)), temporary_(std::exchange(other.temporary_, {})), fd_(std::move(other.fd_)),
      header_(other.header_), key_(other.key_), mac_(std::move(other.mac_)) {}

ClipWriter::~ClipWriter() {
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

Result<ClipWriter> ClipWriter::create(const std::filesystem::path& file, ClipHeader header, const ClipKey& key) {
  if (auto random = randomBytes(header.nonce); !random) return std::unexpected(random.error());
  auto mac = ClipMac::create(key, header.nonce);
  if (!mac) return std::unexpected(mac.error());
  header.frameCount = 0;
  std::string temporary = file.string() + ".XXXXXX";
  UniqueFd fd(mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return systemError("create", temporary);
  return ClipWriter(file, temporary, std::move(fd), header, key, std::move(*mac));
}

Result<> ClipWriter::addFrame(std::span<std::byte> frame) {
  const std::string name = temporary_.string();
  const uint64_t number = header_.frameCount;
  if (frame.size() != header_.frameBytes)
    return invalid("write", name,
                   std::format("frame {} has {} bytes instead of {}", number, frame.size(), header_.frameBytes));
  if (number > UINT32_MAX) return invalid("write", name, "a clip has at most 2^32 frames");
  if (auto done = aesCtr(key_, frameCounter(header_, number), frame, frame); !done) return done;
  const auto mac = mac_.compute(frameMacLabel, number, frame);
  if (!mac) return std::unexpected(mac.error());
  const uint64_t offset = frameOffset(header_, number);
  if (auto done = writeAt(fd_.get(), offset, frame, name); !done) return done;
  if (auto done = writeAt(fd_.get(), offset + frame.size(), std::as_bytes(std::span(*mac)), name); !done) return done;
  header_.frameCount += 1;
  return {};
}

Result<> ClipWriter::finish() {
  if (header_.frameCount == 0) return invalid("write", file_.string(), "there is no frame in it");
  const auto bytes = encodeClipHeader(header_, mac_);
  if (!bytes) return std::unexpected(bytes.error());
  if (auto done = writeAt(fd_.get(), 0, *bytes, temporary_.string()); !done) return done;
  // mkostemp creates it with mode 0600, but a clip is ciphertext and needs no protection.
  const mode_t mask = umask(0);
  umask(mask);
  if (fchmod(fd_.get(), 0666 & ~mask) != 0) return systemError("fchmod", temporary_.string());
  if (rename(temporary_.c_str(), file_.c_str()) != 0)
    return systemError("rename", temporary_.string() + " to " + file_.string());
  temporary_.clear();
  return {};
}

} // namespace vitrine
