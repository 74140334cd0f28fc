#pragma once

#include "protected-path/base/refusal.h"
#include "protected-path/dmabuf/dmabuf.h"

namespace vitrine {

/** The kind of an output, as far as protection is concerned. */
enum class OutputKind { Internal, External, Virtual, Headless, Nested, Writeback };

/** The configuration's rule for an output. Automatic: decided by the output's kind. */
enum class OutputRule { Automatic, Allow, Deny };

/** Who sees the picture: the panel (Secure), or a program (Public). */
enum class View { Secure, Public };

/** Facts about an output. */
struct OutputFacts {
  OutputKind kind = OutputKind::External;
  OutputRule rule = OutputRule::Automatic;
  /** HDCP is active as required. Without it, an External output shows protected content only if its rule is Allow. */
  bool hdcpSatisfied = false;
};

/** Whether a buffer may be seen. */
struct Verdict {
  bool show = false;
  Refusal refusal = Refusal::None; ///< why it may not be seen
};

/**
 * Decides whether a view of an output may show a buffer. Pure.
 *
 * Unprotected content (Evidence::None) is shown everywhere. All other content is shown in the secure view of an output
 * whose policy allows it, and never in a public view, under any rule (R5, R6).
 */
[[nodiscard]] Verdict judge(Evidence evidence, const OutputFacts& output, View view);

/**
 * Decides whether the GPU may import a buffer, by the device's abilities. Claimed is never imported as ordinary memory.
 */
struct GpuFacts {
  bool present = false;
  bool dmabufImport = false;
  bool protectedMemory = false;
};
[[nodiscard]] Verdict judgeGpuImport(Evidence evidence, const GpuFacts& gpu);

} // namespace vitrine
