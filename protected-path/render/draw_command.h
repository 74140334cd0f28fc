#pragma once

#include <cstdint>

#include "protected-path/base/format.h"

namespace vitrine {

class Texture;

/** Straight (not premultiplied) colour in 0…1, in the output's own (gamma-encoded) space. */
struct Color {
  float red = 0;
  float green = 0;
  float blue = 0;
  float alpha = 1;
  bool operator==(const Color&) const = default;
};

/** One draw of a pass. A pass draws its commands in order. */
struct DrawCommand {
  enum class Kind : uint8_t {
    Solid,       ///< `color` over `destination`
    Texture,     ///< `texture`'s `source` over `destination`
    Placeholder, ///< the placeholder over `destination`, for content that may not be shown here
    Hole,        ///< replaces `destination` with transparent black, so that an underlay shows through
  };
  Kind kind = Kind::Solid;
  Rect destination; ///< in target pixels
  Color color;
  /** Borrowed. Must live until the pass's fence has signalled, or until the texture releases itself. */
  const Texture* texture = nullptr;
  SourceRect source;
  /** As KMS's `rotation`: a flipped transform mirrors left to right first, then turns counter-clockwise. */
  Transform transform = Transform::Normal;
  float alpha = 1.0F;
  bool blend = true;                             ///< premultiplied "over"; false replaces
  bool nearest = false;                          ///< nearest instead of bilinear filtering
  ColorEncoding encoding = ColorEncoding::Bt709; ///< YCbCr only, as the two below
  ColorRange range = ColorRange::Limited;
  ChromaLocation chroma = ChromaLocation::Left; ///< Chroma is interpolated linearly between its samples' places.
};

} // namespace vitrine
