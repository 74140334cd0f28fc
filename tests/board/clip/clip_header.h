#pragma once

#include <array>

#include "tests/board/clip/clip.h"

namespace vitrine {

using ClipHeaderBytes = std::array<std::byte, ClipHeader::sizeBytes>;

/** The header as it stands in the file, with key check, MAC and digest. */
[[nodiscard]] Result<ClipHeaderBytes> encodeClipHeader(const ClipHeader& header, const ClipMac& mac);

/** What is wrong with the header's bytes in themselves, before any key: NotAClip … HeaderBroken; or its values. */
[[nodiscard]] std::expected<ClipHeader, ClipFault> decodeClipHeader(std::span<const std::byte> bytes);

/** None, WrongKey, or HeaderBroken where the key is right and the MAC is not. */
[[nodiscard]] Result<ClipFault> authenticateClipHeader(std::span<const std::byte> bytes, const ClipMac& mac);

/** The label of the frames' MACs. */
inline constexpr const char* frameMacLabel = "frame";

} // namespace vitrine
