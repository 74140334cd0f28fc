#include "compositor/protocols/surface_protection.h"

namespace vitrine {

Hdcp hdcpOf(const OutputFacts& output) {
  if (output.kind == OutputKind::Internal) return Hdcp::Type1;
  return output.kind == OutputKind::External ? output.hdcp : Hdcp::Off;
}

Refusal judgeRequirements(const ProtectionRequirements& required, Evidence evidence, const OutputFacts& output) {
  if (evidence < required.evidence) return Refusal::ClaimWithoutEvidence;
  return hdcpOf(output) < required.hdcp ? Refusal::OutputNotAllowed : Refusal::None;
}

} // namespace vitrine
