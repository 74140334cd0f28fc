#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "protected-path/kms/kms_object.h"

namespace vitrine {

// Which connector of a device gets which CRTC, and which CRTC gets which planes. Pure. CRTCs are named by their index, the bit
// that they have in possibleCrtcs.

/** A connector that is to be lit. */
struct ConnectorWish {
  uint32_t possibleCrtcs = 0;
  std::optional<uint32_t>
      current; ///< the CRTC that it has now, which it keeps where that costs no other connector its CRTC
};

/**
 * A CRTC per connector, or empty where there is none for it. As many connectors as possible get one. Where not all can, those that
 * have one come first, then the order of the list decides. `usable`: the CRTCs that may be given (those with a primary plane).
 */
[[nodiscard]] std::vector<std::optional<uint32_t>> allocateCrtcs(std::span<const ConnectorWish> wishes,
                                                                 uint32_t usable);

/**
 * The plane of one type, primary or cursor, for each CRTC; null where there is none for it. The kernel does not say which primary a
 * driver means for which CRTC: the order of planes and CRTCs is the convention, kept as far as possibleCrtcs allows. Pointers are
 * into `planes`.
 */
[[nodiscard]] std::vector<const Plane*> allocateFixedPlanes(std::span<const Plane> planes, PlaneType type,
                                                            uint32_t crtcCount);

/** What a CRTC that is on would do with overlay planes. */
struct OverlayDemand {
  uint32_t crtcIndex = 0;
  unsigned mandatory = 0; ///< layers that can be shown on planes alone
  unsigned wanted = 0;    ///< layers that could be on planes, the mandatory ones among them
};

/**
 * The CRTC for each plane of type overlay; empty for other planes, and where no CRTC with a demand can use it. Mandatory layers of
 * all CRTCs come first, then wanted ones, in turn; the remaining planes are divided evenly. A plane stays where it is (`current`,
 * per plane) as long as its CRTC has a claim to as many planes.
 */
[[nodiscard]] std::vector<std::optional<uint32_t>> allocateOverlays(std::span<const Plane> planes,
                                                                    std::span<const OverlayDemand> demands,
                                                                    std::span<const std::optional<uint32_t>> current);

} // namespace vitrine
