#pragma once

#include <array>

#include "tests/board/clip/clip.h"

namespace vitrine {

using ClipHeaderBytes = std::array<std::byte, ClipHeader::sizeBytes>;

/** The header's bytes in the file, with key check, MAC and digest. */
[[nodiscard]] Result<ClipHeaderBytes> encodeClipHeader(const ClipHeader& header, const ClipMac& mac);

/** Checks and parses the header's bytes without a key. Errors: NotAClip to HeaderBroken, or an invalid value. */
[[nodiscard]] std::expected<ClipHeader, ClipFault> decodeClipHeader(std::span<const std::byte> bytes);

/** None; WrongKey; or HeaderBroken if the key is right and the MAC is wrong. */
[[nodiscard]] Result<ClipFault> authenticateClipHeader(std::span<const std::byte> bytes, const ClipMac& mac);

/** The label of the frames' MACs. */
inline constexpr const char* frameMacLabel = "frame";

} // namespace vitrine
