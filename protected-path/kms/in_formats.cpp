#include "protected-path/kms/in_formats.h"

#include <algorithm>
#include <cstring>
#include <format>

#include <drm_mode.h>

namespace vitrine {
namespace {

/** Copies an entry, since the blob need not be aligned. */
template<typename T>
T readAt(std::span<const std::byte> blob, uint64_t offset) {
  T value;
  std::memcpy(&value, blob.data() + offset, sizeof value);
  return value;
}

bool fits(std::span<const std::byte> blob, uint64_t offset, uint64_t count, uint64_t entryBytes) {
  return offset <= blob.size() && count <= (blob.size() - offset) / entryBytes;
}

} // namespace

Result<std::vector<FormatModifier>> parseInFormats(std::span<const std::byte> blob) {
  const auto bad = [&](std::string_view what) {
    return invalid("parse IN_FORMATS", std::format("blob of {} bytes", blob.size()), what);
  };
  if (blob.size() < sizeof(drm_format_modifier_blob)) return bad("shorter than its header");
  const auto header = readAt<drm_format_modifier_blob>(blob, 0);
  if (header.version != FORMAT_BLOB_CURRENT) return bad(std::format("version {} is not known", header.version));
  if (!fits(blob, header.formats_offset, header.count_formats, sizeof(uint32_t))) return bad("formats pass its end");
  if (!fits(blob, header.modifiers_offset, header.count_modifiers, sizeof(drm_format_modifier))) {
    return bad("modifiers pass its end");
  }

  std::vector<FormatModifier> pairs;
  for (uint32_t m = 0; m < header.count_modifiers; ++m) {
    const auto entry =
        readAt<drm_format_modifier>(blob, header.modifiers_offset + uint64_t{m} * sizeof(drm_format_modifier));
    for (unsigned bit = 0; bit < 64; ++bit) {
      if ((entry.formats >> bit & 1) == 0) continue;
      const uint64_t index = uint64_t{entry.offset} + bit;
      if (index >= header.count_formats) return bad("a modifier names a format that it does not have");
      pairs.push_back({readAt<uint32_t>(blob, header.formats_offset + index * sizeof(uint32_t)), entry.modifier});
    }
  }
  std::ranges::sort(pairs);
  const auto repeated = std::ranges::unique(pairs);
  pairs.erase(repeated.begin(), repeated.end());
  return pairs;
}

} // namespace vitrine
