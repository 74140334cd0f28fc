#pragma once

#include "protected-path/base/refusal.h"
#include "protected-path/dmabuf/dmabuf.h"

namespace vitrine {

/** What an output is, as far as protection goes. */
enum class OutputKind { Internal, External, Virtual, Headless, Nested, Writeback };

/** What the configuration says of an output; Automatic is the right decision by its kind. */
enum class OutputRule { Automatic, Allow, Deny };

/** Who is looking. */
enum class View { Secure, Public };

/** Facts about an output. */
struct OutputFacts {
  OutputKind kind = OutputKind::External;
  OutputRule rule = OutputRule::Automatic;
  /** HDCP as asked for is on; an External output without it does not show protected content unless its rule is Allow.
   */
  bool hdcpSatisfied = false;
};

/** Whether a buffer may be seen. */
struct Verdict {
  bool show = false;
  Refusal refusal = Refusal::None; ///< why not
};

/**
 * Who may see what. Pure.
 *
 * Unprotected content (Evidence::None) is shown everywhere. Anything else is shown in the secure view of an output
 * whose policy allows it, and never in a public view, whatever the rule (R5, R6).
 */
[[nodiscard]] Verdict judge(Evidence evidence, const OutputFacts& output, View view);

/** Whether the GPU may import a buffer, given what the device can do; Claimed is never imported as ordinary memory. */
struct GpuFacts {
  bool present = false;
  bool dmabufImport = false;
  bool protectedMemory = false;
};
[[nodiscard]] Verdict judgeGpuImport(Evidence evidence, const GpuFacts& gpu);

} // namespace vitrine
