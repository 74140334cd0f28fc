#include "tests/board/clip/clip_header.h"

#include <algorithm>
#include <cstring>
#include <format>
#include <string_view>

#include <drm_fourcc.h>

#include "protected-path/dmabuf/dmabuf.h"

namespace vitrine {
namespace {

constexpr std::string_view magic = "VITRCLIP";
constexpr size_t keyCheckOffset = 96;
constexpr size_t macOffset = 128;
constexpr size_t digestOffset = 160;
constexpr const char* keyCheckLabel = "key check";
constexpr const char* headerMacLabel = "header";
/** 32 bits of the counter block number the frames, and 32 bits the blocks of a frame. */
constexpr uint64_t maximumFrames = uint64_t{1} << 32;
constexpr uint64_t maximumFrameBytes = uint64_t{1} << 30;

class Fields {
public:
  explicit Fields(ClipHeaderBytes& bytes) : bytes_(bytes) {}
  void put(size_t offset, uint64_t value, size_t count) {
    for (size_t i = 0; i < count; ++i)
      bytes_[offset + i] = static_cast<std::byte>(value >> (8 * i));
  }
  void put32(size_t offset, uint32_t value) { put(offset, value, 4); }
  void put64(size_t offset, uint64_t value) { put(offset, value, 8); }

private:
  ClipHeaderBytes& bytes_;
};

uint64_t get64(std::span<const std::byte> bytes, size_t offset, size_t count = 8) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i)
    value |= std::to_integer<uint64_t>(bytes[offset + i]) << (8 * i);
  return value;
}

uint32_t get32(std::span<const std::byte> bytes, size_t offset) {
  return static_cast<uint32_t>(get64(bytes, offset, 4));
}

Mac getMac(std::span<const std::byte> bytes, size_t offset) {
  Mac mac{};
  std::memcpy(mac.data(), bytes.data() + offset, mac.size());
  return mac;
}

/** Whether the values are possible for a clip. The digest was right, so a wrong value is the writer's fault. */
bool plausible(const ClipHeader& header, uint32_t encoding, uint32_t range) {
  if (encoding > static_cast<uint32_t>(ColorEncoding::Bt2020) || range > static_cast<uint32_t>(ColorRange::Full))
    return false;
  const uint32_t width = header.size.width;
  const uint32_t height = header.size.height;
  if (width == 0 || height == 0 || width % 2 != 0 || height % 2 != 0) return false;
  if (width > Dmabuf::maximumExtent || height > Dmabuf::maximumExtent) return false;
  if (header.rateNumerator == 0 || header.rateDenominator == 0) return false;
  const uint64_t lumaEnd = uint64_t{header.lumaStrideBytes} * height;
  const uint64_t chromaBytes = uint64_t{header.chromaStrideBytes} * (height / 2);
  return header.lumaStrideBytes >= width && header.chromaStrideBytes >= width && header.chromaOffsetBytes >= lumaEnd &&
         header.frameBytes == header.chromaOffsetBytes + chromaBytes && header.frameBytes <= maximumFrameBytes &&
         header.frameCount > 0 && header.frameCount <= maximumFrames;
}

} // namespace

Result<ClipHeader> makeClipHeader(Size size, uint32_t rateNumerator, uint32_t rateDenominator, ColorEncoding encoding,
                                  ColorRange range) {
  const std::string object = std::format("clip of {}x{}", size.width, size.height);
  if (size.width % 2 != 0 || size.height % 2 != 0)
    return invalid("lay out", object, "NV12 needs an even width and height", "scale it with --size");
  if (rateNumerator == 0 || rateDenominator == 0) return invalid("lay out", object, "the frame rate is zero");
  ClipHeader header;
  header.size = size;
  header.rateNumerator = rateNumerator;
  header.rateDenominator = rateDenominator;
  header.encoding = encoding;
  header.range = range;
  const auto layout = layoutFor(bufferRequestFor(header));
  if (!layout) return std::unexpected(layout.error());
  header.lumaStrideBytes = layout->strideBytes[0];
  header.chromaStrideBytes = layout->strideBytes[1];
  header.chromaOffsetBytes = layout->offsetBytes[1];
  header.frameBytes = header.chromaOffsetBytes + uint64_t{header.chromaStrideBytes} * (size.height / 2);
  return header;
}

BufferRequest bufferRequestFor(const ClipHeader& header) {
  BufferRequest request;
  request.size = header.size;
  request.fourcc = DRM_FORMAT_NV12;
  request.modifier = DRM_FORMAT_MOD_LINEAR;
  request.protectedContent = true;
  request.strideAlignmentBytes = header.strideAlignmentBytes;
  return request;
}

CounterBlock frameCounter(const ClipHeader& header, uint64_t frame) {
  CounterBlock counter{};
  std::ranges::copy(header.nonce, counter.begin());
  for (size_t i = 0; i < 4; ++i)
    counter[8 + i] = static_cast<uint8_t>(frame >> (8 * (3 - i)));
  return counter;
}

Result<ClipHeaderBytes> encodeClipHeader(const ClipHeader& header, const ClipMac& mac) {
  ClipHeaderBytes bytes{};
  Fields fields(bytes);
  std::memcpy(bytes.data(), magic.data(), magic.size());
  fields.put32(8, ClipHeader::version);
  fields.put32(12, ClipHeader::sizeBytes);
  fields.put32(16, header.size.width);
  fields.put32(20, header.size.height);
  fields.put32(24, header.rateNumerator);
  fields.put32(28, header.rateDenominator);
  fields.put32(32, static_cast<uint32_t>(header.encoding));
  fields.put32(36, static_cast<uint32_t>(header.range));
  fields.put32(40, header.strideAlignmentBytes);
  fields.put32(44, header.lumaStrideBytes);
  fields.put32(48, header.chromaStrideBytes);
  fields.put32(52, header.chromaOffsetBytes);
  fields.put64(56, header.frameCount);
  fields.put64(64, header.frameBytes);
  std::memcpy(bytes.data() + 72, header.nonce.data(), header.nonce.size());

  const std::span<const std::byte> all(bytes);
  auto store = [&bytes](size_t offset, const Result<Mac>& value) -> Result<> {
    if (!value) return std::unexpected(value.error());
    std::memcpy(bytes.data() + offset, value->data(), value->size());
    return {};
  };
  if (auto done = store(keyCheckOffset, mac.compute(keyCheckLabel, 0, {})); !done) return std::unexpected(done.error());
  if (auto done = store(macOffset, mac.compute(headerMacLabel, 0, all.first(macOffset))); !done)
    return std::unexpected(done.error());
  if (auto done = store(digestOffset, sha256(all.first(digestOffset))); !done) return std::unexpected(done.error());
  return bytes;
}

std::expected<ClipHeader, ClipFault> decodeClipHeader(std::span<const std::byte> bytes) {
  const size_t compared = std::min(bytes.size(), magic.size());
  if (compared == 0 || std::memcmp(bytes.data(), magic.data(), compared) != 0)
    return std::unexpected(ClipFault::NotAClip);
  if (bytes.size() < 12) return std::unexpected(ClipFault::CutShort);
  if (get32(bytes, 8) != ClipHeader::version) return std::unexpected(ClipFault::OtherVersion);
  if (bytes.size() < ClipHeader::sizeBytes) return std::unexpected(ClipFault::CutShort);
  const auto digest = sha256(bytes.first(digestOffset));
  if (!digest || !equalMacs(*digest, getMac(bytes, digestOffset)) || get32(bytes, 12) != ClipHeader::sizeBytes)
    return std::unexpected(ClipFault::HeaderBroken);

  ClipHeader header;
  header.size = {get32(bytes, 16), get32(bytes, 20)};
  header.rateNumerator = get32(bytes, 24);
  header.rateDenominator = get32(bytes, 28);
  header.encoding = static_cast<ColorEncoding>(get32(bytes, 32));
  header.range = static_cast<ColorRange>(get32(bytes, 36));
  header.strideAlignmentBytes = get32(bytes, 40);
  header.lumaStrideBytes = get32(bytes, 44);
  header.chromaStrideBytes = get32(bytes, 48);
  header.chromaOffsetBytes = get32(bytes, 52);
  header.frameCount = get64(bytes, 56);
  header.frameBytes = get64(bytes, 64);
  std::memcpy(header.nonce.data(), bytes.data() + 72, header.nonce.size());
  if (!plausible(header, get32(bytes, 32), get32(bytes, 36))) return std::unexpected(ClipFault::HeaderBroken);
  return header;
}

Result<ClipFault> authenticateClipHeader(std::span<const std::byte> bytes, const ClipMac& mac) {
  const auto keyCheck = mac.compute(keyCheckLabel, 0, {});
  if (!keyCheck) return std::unexpected(keyCheck.error());
  if (!equalMacs(*keyCheck, getMac(bytes, keyCheckOffset))) return ClipFault::WrongKey;
  const auto headerMac = mac.compute(headerMacLabel, 0, bytes.first(macOffset));
  if (!headerMac) return std::unexpected(headerMac.error());
  if (!equalMacs(*headerMac, getMac(bytes, macOffset))) return ClipFault::HeaderBroken;
  return ClipFault::None;
}

} // namespace vitrine
