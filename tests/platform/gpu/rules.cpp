#include "tests/platform/gpu/rules.h"

#include <format>

namespace vitrine::gpu {

void Recording::violates(const char* rule, const std::string& what) {
  if (buffer_.violation) return;
  buffer_.violation = Violation{rule, std::format("{} in {}: {}", command_, describe(handle_, buffer_), what)};
}

void Recording::onlyUnprotected(const char* rule) {
  if (isProtected()) violates(rule, "not allowed there");
}

void Recording::reads(const Resource& resource, const char* rule) {
  if (resource.isProtected && !isProtected()) violates(rule, "touches " + describe(resource));
}

void Recording::writes(const Resource& resource, const char* rule, const char* unprotectedRule) {
  reads(resource, rule);
  if (resource.handle != 0 && !resource.isProtected && isProtected())
    violates(unprotectedRule, "writes to " + describe(resource));
}

} // namespace vitrine::gpu
