#include "tests/platform/gpu/rules.h"

#include <format>

namespace vitrine::gpu {

void Recording::violates(const char* rule, const std::string& what) {
  if (buffer_.violation) return;
  const bool isNumber = *rule >= '0' && *rule <= '9';
  buffer_.violation = Violation{isNumber ? std::format("VUID-{}-commandBuffer-{}", command_, rule) : rule,
                                std::format("{} in {}: {}", command_, describe(handle_, buffer_), what)};
}

void Recording::onlyUnprotected(const char* rule) {
  if (isProtected()) violates(rule, "not allowed there");
}

void Recording::reads(const Resource& resource, const char* rule) {
  if (resource.isProtected && !isProtected()) violates(rule, "touches " + describe(resource));
}

void Recording::readsInOtherStage(const Resource& resource, const char* rule) {
  if (!resource.isProtected) return;
  violates(isProtected() ? accessRules : rule,
           "touches " + describe(resource) + (isProtected() ? " before the framebuffer-space stages" : ""));
}

void Recording::writes(const Resource& resource, const char* rule, const char* unprotectedRule) {
  reads(resource, rule);
  if (resource.handle != 0 && !resource.isProtected && isProtected())
    violates(unprotectedRule, "writes to " + describe(resource));
}

void Recording::drawsToAttachments(const char* rule, const char* unprotectedRule) {
  for (const auto& [attachment, written] : buffer_.attachments) {
    if (written) {
      writes(attachment, rule, unprotectedRule);
    } else {
      reads(attachment, rule);
    }
  }
}

} // namespace vitrine::gpu
