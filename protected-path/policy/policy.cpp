#include "protected-path/policy/policy.h"

namespace vitrine {
namespace {

bool outputAllows(const OutputFacts& output) {
  switch (output.rule) {
  case OutputRule::Allow:
    return true;
  case OutputRule::Deny:
    return false;
  case OutputRule::Automatic:
    break;
  }
  switch (output.kind) {
  case OutputKind::Internal:
    return true;
  case OutputKind::External:
    return output.hdcpSatisfied;
  case OutputKind::Virtual: // the pictures of all of these end in readable memory
  case OutputKind::Headless:
  case OutputKind::Nested:
  case OutputKind::Writeback:
    return false;
  }
  return false;
}

constexpr Verdict shown{true, Refusal::None};
constexpr Verdict hidden(Refusal refusal) {
  return {false, refusal};
}

} // namespace

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
