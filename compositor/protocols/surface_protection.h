#pragma once

#include <cstdint>

#include "compositor/wlr/wlroots.h"
#include "protected-path/dmabuf/dmabuf.h"
#include "protected-path/policy/policy.h"

namespace vitrine {

/**
 * What a client demands for a surface's content (vitrine_protected_content_v1, weston_content_protection). It tightens decisions, never
 * loosens them.
 */
struct ProtectionRequirements {
  Evidence evidence = Evidence::None;
  Hdcp hdcp = Hdcp::Off;       ///< without it, the placeholder is shown
  Hdcp wantedHdcp = Hdcp::Off; ///< to be tried for; content is shown without it, too
  bool operator==(const ProtectionRequirements&) const = default;

  /** Whether nobody but the panel may see the content, even if its memory is ordinary. */
  [[nodiscard]] bool hidesFromReaders() const { return evidence != Evidence::None || hdcp != Hdcp::Off; }
};

/** The committed requirements of a surface; those of one without are none. `surface` may be null. */
[[nodiscard]] ProtectionRequirements requirementsOf(wlr_surface* surface);

/** What the link of an output has. A built-in panel needs no encryption. */
[[nodiscard]] Hdcp hdcpOf(const OutputFacts& output);

/** Why content with this evidence may not be shown on an output, given the requirements; None: it may. Pure. */
[[nodiscard]] Refusal judgeRequirements(const ProtectionRequirements& required, Evidence evidence,
                                        const OutputFacts& output);

} // namespace vitrine
