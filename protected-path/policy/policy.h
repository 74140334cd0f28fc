#pragma once

#include <cstdint>

#include "protected-path/base/refusal.h"
#include "protected-path/dmabuf/dmabuf.h"

namespace vitrine {

/** The kind of an output, as far as protection is concerned. */
enum class OutputKind { Internal, External, Virtual, Headless, Nested, Writeback };

/**
 * The configuration's rule for an output. Automatic: decided by the output's kind. Allow opens External outputs without HDCP and Virtual
 * ones; it never opens an output whose pictures a program gets (Headless, Nested, Writeback), because of R5.
 */
enum class OutputRule { Automatic, Allow, Deny };

/** HDCP content types of a link, ordered: what it has, and what content needs. */
enum class Hdcp : uint8_t {
  Off,   ///< no encryption
  Type0, ///< any version of HDCP
  Type1, ///< HDCP 2.2 or later on the whole link
};
[[nodiscard]] const char* hdcpName(Hdcp hdcp);

/** Who sees the picture: the panel (Secure), or a program (Public). */
enum class View { Secure, Public };

/** Facts about an output. */
struct OutputFacts {
  OutputKind kind = OutputKind::External;
  OutputRule rule = OutputRule::Automatic;
  /** What the link of an External output has. */
  Hdcp hdcp = Hdcp::Off;
  /** What protected content needs of the link of an External output whose rule is Automatic. */
  Hdcp neededHdcp = Hdcp::Type0;
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
