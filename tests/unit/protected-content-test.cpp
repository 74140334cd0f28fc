#include <drm_fourcc.h>
#include <gtest/gtest.h>

#include "compositor/protocols/protected_content.h"
#include "vitrine-protected-content-v1-server-protocol.h"

namespace vitrine {
namespace {

constexpr uint32_t plane = VITRINE_HEAP_FEEDBACK_V1_REACH_PLANE;
constexpr uint32_t gpu = VITRINE_HEAP_FEEDBACK_V1_REACH_GPU;
constexpr FormatModifier nv12{DRM_FORMAT_NV12, DRM_FORMAT_MOD_LINEAR};
constexpr FormatModifier p010{DRM_FORMAT_P010, DRM_FORMAT_MOD_LINEAR};
constexpr FormatModifier xrgb{DRM_FORMAT_XRGB8888, DRM_FORMAT_MOD_LINEAR};
constexpr FormatModifier argb{DRM_FORMAT_ARGB8888, DRM_FORMAT_MOD_LINEAR};

TEST(ReachedFormats, WhatReachesBothComesFirstAndVideoBeforeRgb) {
  Plane primary;
  primary.formats = {argb, xrgb};
  Plane overlay;
  overlay.formats = {xrgb, nv12, {DRM_FORMAT_NV12, I915_FORMAT_MOD_Y_TILED}};
  const OutputProtection output{.output = nullptr, .facts = {}, .planes = {&primary, &overlay}, .composes = true};
  const std::vector<FormatModifier> sampled{p010, xrgb, nv12};
  EXPECT_EQ(reachedFormats({&output, 1}, sampled), (std::vector<ReachedFormat>{
                                                       {DRM_FORMAT_NV12, plane | gpu, DRM_FORMAT_MOD_LINEAR},
                                                       {DRM_FORMAT_XRGB8888, plane | gpu, DRM_FORMAT_MOD_LINEAR},
                                                       {DRM_FORMAT_NV12, plane, I915_FORMAT_MOD_Y_TILED},
                                                       {DRM_FORMAT_ARGB8888, plane, DRM_FORMAT_MOD_LINEAR},
                                                       {DRM_FORMAT_P010, gpu, DRM_FORMAT_MOD_LINEAR},
                                                   }));
}

TEST(ReachedFormats, WithoutProtectedCompositionOnlyPlanesCount) {
  Plane overlay;
  overlay.formats = {nv12};
  const std::vector<FormatModifier> sampled{xrgb};
  const OutputProtection planesOnly{.output = nullptr, .facts = {}, .planes = {&overlay}, .composes = false};
  const std::vector<ReachedFormat> expected{{DRM_FORMAT_NV12, plane, DRM_FORMAT_MOD_LINEAR}};
  EXPECT_EQ(reachedFormats({&planesOnly, 1}, sampled), expected);
  EXPECT_EQ(reachedFormats({&planesOnly, 1}, {}), expected);
  EXPECT_TRUE(reachedFormats({}, {}).empty());
}

TEST(Requirements, TightenByEvidenceAndByHdcp) {
  const OutputFacts internal{.kind = OutputKind::Internal};
  const OutputFacts external{.kind = OutputKind::External};
  const OutputFacts newest{.kind = OutputKind::External, .hdcp = Hdcp::Type1};
  const OutputFacts encrypted{.kind = OutputKind::External, .hdcp = Hdcp::Type0};
  const struct {
    ProtectionRequirements required;
    Evidence evidence;
    OutputFacts output;
    Refusal expected;
  } cases[] = {
      {{}, Evidence::None, external, Refusal::None},
      {{Evidence::Claimed, Hdcp::Off}, Evidence::None, internal, Refusal::ClaimWithoutEvidence},
      {{Evidence::Unmappable, Hdcp::Off}, Evidence::Claimed, internal, Refusal::ClaimWithoutEvidence},
      {{Evidence::Unmappable, Hdcp::Off}, Evidence::Unmappable, internal, Refusal::None},
      {{Evidence::None, Hdcp::Type1}, Evidence::None, internal, Refusal::None},
      {{Evidence::None, Hdcp::Type0}, Evidence::None, external, Refusal::OutputNotAllowed},
      {{Evidence::None, Hdcp::Type0}, Evidence::None, encrypted, Refusal::None},
      {{Evidence::None, Hdcp::Type1}, Evidence::None, encrypted, Refusal::OutputNotAllowed},
      {{Evidence::None, Hdcp::Type1}, Evidence::None, newest, Refusal::None},
      {{Evidence::None, Hdcp::Off, Hdcp::Type1}, Evidence::None, external, Refusal::None},
      {{Evidence::Unmappable, Hdcp::Type1}, Evidence::None, external, Refusal::ClaimWithoutEvidence},
  };
  for (const auto& one : cases)
    EXPECT_EQ(judgeRequirements(one.required, one.evidence, one.output), one.expected)
        << evidenceName(one.evidence) << " on output kind " << static_cast<int>(one.output.kind);
}

TEST(Requirements, AnyOfThemHidesTheContentFromReaders) {
  EXPECT_FALSE(ProtectionRequirements{}.hidesFromReaders());
  EXPECT_TRUE((ProtectionRequirements{Evidence::Claimed, Hdcp::Off}).hidesFromReaders());
  EXPECT_TRUE((ProtectionRequirements{Evidence::None, Hdcp::Type0}).hidesFromReaders());
}

} // namespace
} // namespace vitrine
