#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "protected-path/base/format.h"
#include "protected-path/base/unique_fd.h"
#include "protected-path/heap/heap_solver.h"
#include "tests/board/clip/clip_crypto.h"

/*
 * A clip: NV12 frames, each encrypted for the TEE, in one file. All numbers are little endian.
 *
 *   0     8  `VITRCLIP`
 *   8     4  version (1)
 *   12    4  size of the header in bytes (192)
 *   16    8  width, height in pixels, both even
 *   24    8  frame rate: numerator, denominator
 *   32    4  colour encoding (0 BT.601, 1 BT.709, 2 BT.2020)
 *   36    4  colour range (0 limited, 1 full)
 *   40    4  stride alignment in bytes for which the frames are laid out (BufferRequest::strideAlignmentBytes)
 *   44    4  stride of the luma plane in bytes
 *   48    4  stride of the chroma plane in bytes
 *   52    4  offset of the chroma plane in bytes; the luma plane's is 0
 *   56    8  frames
 *   64    8  bytes of a frame, to the end of the chroma plane
 *   72    8  nonce: random per clip
 *   80   16  zero
 *   96   32  key check: HMAC over the label `key check`
 *   128  32  MAC of the bytes 0…127
 *   160  32  SHA-256 of the bytes 0…159: tells a damaged header from a wrong key
 *   192      frame 0, its MAC; frame 1, its MAC; …   (a MAC has 32 bytes)
 *
 * A frame lies as it will lie in the dma-buf, so that the TEE decrypts straight into it. It is encrypted with
 * AES-128-CTR under the clip's key; its first counter block is the nonce, the frame's number (4 bytes, big endian) and
 * four zero bytes, so that no block of any frame is used twice. Encrypt-then-MAC: the MAC is of the ciphertext (label
 * `frame`, index the frame's number), so that a damaged frame is noticed where it would be shown, without reading the
 * rest.
 *
 * In a product the key would never be in a file: it reaches the TEE wrapped, in its own licence exchange.
 */
namespace vitrine {

/** What a clip's header says. */
struct ClipHeader {
  Size size;
  uint32_t rateNumerator = 0;
  uint32_t rateDenominator = 0;
  ColorEncoding encoding = ColorEncoding::Bt709;
  ColorRange range = ColorRange::Limited;
  uint32_t strideAlignmentBytes = 64;
  uint32_t lumaStrideBytes = 0;
  uint32_t chromaStrideBytes = 0;
  uint32_t chromaOffsetBytes = 0;
  uint64_t frameCount = 0;
  uint64_t frameBytes = 0;
  ClipNonce nonce{};

  [[nodiscard]] double rate() const { return static_cast<double>(rateNumerator) / rateDenominator; }
  bool operator==(const ClipHeader&) const = default;

  static constexpr uint32_t version = 1;
  static constexpr size_t sizeBytes = 192;
};

/**
 * A header for frames of `size`, laid out by layoutFor(); without frames and nonce yet. Invalid for odd sizes or a rate
 * that is none; Refused(SizeInvalid).
 */
[[nodiscard]] Result<ClipHeader> makeClipHeader(Size size, uint32_t rateNumerator, uint32_t rateDenominator,
                                                ColorEncoding encoding, ColorRange range);

/** What the player asks of a heap so that a clip's frames fit. */
[[nodiscard]] BufferRequest bufferRequestFor(const ClipHeader& header);

/** The counter block of one frame. */
[[nodiscard]] CounterBlock frameCounter(const ClipHeader& header, uint64_t frame);

/** What is wrong with a clip. */
enum class ClipFault {
  None,
  NotAClip,      ///< the file does not begin as a clip does
  OtherVersion,  ///< a clip of a version that this build does not read
  CutShort,      ///< fewer bytes than the header says
  TrailingBytes, ///< more bytes than the header says
  HeaderBroken,  ///< the header is damaged, or its MAC is
  WrongKey,      ///< whole, but made with another key
  FrameBroken,   ///< the MAC of one frame does not fit
};

[[nodiscard]] const char* clipFaultName(ClipFault fault);

/** The fault that an Error of ClipReader carries (ErrorKind::Invalid, `number`); None for any other. */
[[nodiscard]] ClipFault clipFaultOf(const Error& error);

/** Reads a clip, checking all that it hands out. */
class ClipReader {
public:
  /** Checks header, size and key. Errors: System from the file; else every ClipFault but FrameBroken, in their order.
   */
  [[nodiscard]] static Result<ClipReader> open(const std::filesystem::path& file, const ClipKey& key);

  [[nodiscard]] const ClipHeader& header() const { return header_; }

  /**
   * The ciphertext of a frame, checked; valid until the next call. FrameBroken names the frame; CutShort where the file
   * has become shorter since it was opened.
   */
  [[nodiscard]] Result<std::span<const std::byte>> readFrame(uint64_t frame);

private:
  ClipReader(std::filesystem::path file, UniqueFd fd, ClipHeader header, ClipMac mac);
  std::filesystem::path file_;
  UniqueFd fd_;
  ClipHeader header_;
  ClipMac mac_;
  std::vector<std::byte> buffer_; ///< a frame and its MAC
};

/**
 * Writes a clip: into a temporary file beside `file`, which takes its place when all is written. Destroyed before
 * finish(), it leaves nothing behind.
 */
class ClipWriter {
public:
  /** `header` from makeClipHeader(). Takes a nonce. */
  [[nodiscard]] static Result<ClipWriter> create(const std::filesystem::path& file, ClipHeader header,
                                                 const ClipKey& key);
  ClipWriter(ClipWriter&& other) noexcept;
  ClipWriter& operator=(ClipWriter&&) = delete;
  ~ClipWriter();

  /** With as many frames as were added so far. */
  [[nodiscard]] const ClipHeader& header() const { return header_; }

  /** Encrypts and appends a frame of `header().frameBytes`; encrypts in place. */
  [[nodiscard]] Result<> addFrame(std::span<std::byte> frame);

  /** Writes the header and puts the file in its place. Invalid without a frame. Nothing may follow. */
  [[nodiscard]] Result<> finish();

private:
  ClipWriter(std::filesystem::path file, std::filesystem::path temporary, UniqueFd fd, const ClipHeader& header,
             const ClipKey& key, ClipMac mac);
  std::filesystem::path file_;
  std::filesystem::path temporary_; ///< empty once there is nothing to take away
  UniqueFd fd_;
  ClipHeader header_;
  ClipKey key_;
  ClipMac mac_;
};

} // namespace vitrine
