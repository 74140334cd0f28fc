#include "protected-path/policy/policy.h"

namespace vitrine {
namespace {

bool outputAllows(const OutputFacts& output) {
  switch (output.kind) {
  case OutputKind::Headless: // a program gets the pictures of these: they are public views (R5)
  case OutputKind::Nested:
  case OutputKind::Writeback:
    return false;
  case OutputKind::Internal:
  case OutputKind::External:
  case OutputKind::Virtual:
    break;
  }
  switch (output.rule) {
  case OutputRule::Allow:
    return true;
  case OutputRule::Deny:
    return false;
  case OutputRule::Automatic:
    break;
  }
  if (output.kind == OutputKind::External) return output.hdcp != Hdcp::Off && output.hdcp >= output.neededHdcp;
  return output.kind == OutputKind::Internal;
}

constexpr Verdict shown{true, Refusal::None};
constexpr Verdict hidden(Refusal refusal) {
  return {false, refusal};
}

} // namespace

const char* hdcpName(Hdcp hdcp) {
  switch (hdcp) {
  case Hdcp::Off:
    return "off";
  case Hdcp::Type0:
    return "type0";
  case Hdcp::Type1:
    break;
  }
  return "type1";
}

Verdict judge(Evidence evidence, const OutputFacts& output, View view) {
  if (evidence == Evidence::None) return shown;
  if (view == View::Public) return hidden(Refusal::ViewPublic); // checked first: no rule opens a public view
  return outputAllows(output) ? shown : hidden(Refusal::OutputNotAllowed);
}

Verdict judgeGpuImport(Evidence evidence, const GpuFacts& gpu) {
  if (!gpu.present) return hidden(Refusal::GpuAbsent);
  if (!gpu.dmabufImport) return hidden(Refusal::GpuNoDmabufImport);
  if (evidence == Evidence::None) return shown;
  // Ordinary memory that is claimed to be protected. Importing it as ordinary memory would loosen the claim, and
  // importing it as protected memory would be wrong.
  if (evidence == Evidence::Claimed) return hidden(Refusal::ClaimWithoutEvidence);
  return gpu.protectedMemory ? shown : hidden(Refusal::GpuNoProtectedMemory);
}

} // namespace vitrine
