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
 *   40    4  stride alignment of the frames' layout in bytes (BufferRequest::strideAlignmentBytes)
 *   44    4  stride of the luma plane in bytes
 *   48    4  stride of the chroma plane in bytes
 *   52    4  offset of the chroma plane in bytes; the luma plane's is 0
 *   56    8  frames
 *   64    8  bytes of a frame, to the end of the chroma plane
 *   72    8  nonce: random per clip
 *   80   16  zero
 *   96   32  key check: HMAC over the label `key check`
 *   128  32  MAC of the bytes 0…127
 *   160  32  SHA-256 of the bytes 0…159: distinguishes a damaged header from a wrong key
 *   192      frame 0, its MAC; frame 1, its MAC; …   (a MAC has 32 bytes)
 *
 * A frame has the layout of the dma-buf, so that the TEE decrypts it directly into the buffer. It is encrypted with
 * AES-128-CTR under the clip's key. Its first counter block is the nonce, the frame's number (4 bytes, big endian) and
 * four zero bytes, so no counter block is used twice. Encrypt-then-MAC: the MAC is over the ciphertext (label `frame`,
 * index: the frame's number), so a damaged frame is detected when it is read, without reading the rest of the clip.
 *
 * A product would never keep the key in a file: the TEE gets it in wrapped form, by a licence exchange of its own.
 */
namespace vitrine {

/** The contents of a clip's header. */
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
 * A header for frames of `size` with the layout of layoutFor(). The number of frames and the nonce are not set yet.
 * Errors: Invalid for an odd size or an invalid rate; Refused(SizeInvalid).
 */
[[nodiscard]] Result<ClipHeader> makeClipHeader(Size size, uint32_t rateNumerator, uint32_t rateDenominator,
                                                ColorEncoding encoding, ColorRange range);

/** The request with which a heap allocates buffers for this clip's frames. */
[[nodiscard]] BufferRequest bufferRequestFor(const ClipHeader& header);

/** The counter block of one frame. */
[[nodiscard]] CounterBlock frameCounter(const ClipHeader& header, uint64_t frame);

/** Why a clip cannot be read. */
enum class ClipFault {
  None,
  NotAClip,      ///< the file does not begin like a clip
  OtherVersion,  ///< a clip of a version that this build cannot read
  CutShort,      ///< fewer bytes than the header says
  TrailingBytes, ///< more bytes than the header says
  HeaderBroken,  ///< the header or its MAC is damaged
  WrongKey,      ///< intact, but made with another key
  FrameBroken,   ///< the MAC of a frame is wrong
};

[[nodiscard]] const char* clipFaultName(ClipFault fault);

/** The fault in an Error of ClipReader (ErrorKind::Invalid, `number`); None for any other Error. */
[[nodiscard]] ClipFault clipFaultOf(const Error& error);

/** Reads a clip, and checks everything that it returns. */
class ClipReader {
public:
  /** Checks header, size and key. Errors: System from the file; every ClipFault except FrameBroken, in their order. */
  [[nodiscard]] static Result<ClipReader> open(const std::filesystem::path& file, const ClipKey& key);

  [[nodiscard]] const ClipHeader& header() const { return header_; }

  /**
   * The ciphertext of a frame, checked. Valid until the next call. Errors: FrameBroken, which names the frame; CutShort
   * if the file has become shorter since it was opened.
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
 * Writes a clip to a temporary file beside `file`, and renames it when it is complete. If it is destroyed before
 * finish(), no file is left.
 */
class ClipWriter {
public:
  /** `header`: from makeClipHeader(). Sets a random nonce. */
  [[nodiscard]] static Result<ClipWriter> create(const std::filesystem::path& file, ClipHeader header,
                                                 const ClipKey& key);
  ClipWriter(ClipWriter&& other) noexcept;
  ClipWriter& operator=(ClipWriter&&) = delete;
  ~ClipWriter();

  /** The header, with the number of frames added so far. */
  [[nodiscard]] const ClipHeader& header() const { return header_; }

  /** Encrypts a frame of `header().frameBytes` in place, and appends it. */
  [[nodiscard]] Result<> addFrame(std::span<std::byte> frame);

  /** Writes the header and renames the file. Error: Invalid if there is no frame. Must be the last call. */
  [[nodiscard]] Result<> finish();

private:
  ClipWriter(std::filesystem::path file, std::filesystem::path temporary, UniqueFd fd, const ClipHeader& header,
             const ClipKey& key, ClipMac mac);
  std::filesystem::path file_;
  std::filesystem::path temporary_; ///< to be removed; empty if there is none
  UniqueFd fd_;
  ClipHeader header_;
  ClipKey key_;
  ClipMac mac_;
};

} // namespace vitrine
