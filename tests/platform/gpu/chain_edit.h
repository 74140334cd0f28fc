#pragma once

#include "tests/platform/gpu/vulkan_include.h"

namespace vitrine::gpu {

/**
 * Removes a structure from a caller's pNext chain, and restores it in the destructor. The chain is edited in place (it
 * is usually on the caller's stack), because a copy would need the size of every structure in Vulkan.
 */
class WithoutStructure {
public:
  WithoutStructure(const void* chainOwner, VkStructureType type)
      : before_(static_cast<VkBaseOutStructure*>(const_cast<void*>(chainOwner))) {
    while (before_->pNext != nullptr && before_->pNext->sType != type)
      before_ = before_->pNext;
    taken_ = before_->pNext;
    if (taken_ != nullptr) before_->pNext = taken_->pNext;
  }
  WithoutStructure(const WithoutStructure&) = delete;
  WithoutStructure& operator=(const WithoutStructure&) = delete;
  ~WithoutStructure() {
    if (taken_ != nullptr) before_->pNext = taken_;
  }

private:
  VkBaseOutStructure* before_;
  VkBaseOutStructure* taken_ = nullptr;
};

/** Turns a feature of a caller's structure off, and restores it in the destructor. `feature` may be null. */
class WithoutFeature {
public:
  explicit WithoutFeature(VkBool32* feature) : feature_(feature), value_(feature == nullptr ? VK_FALSE : *feature) {
    if (feature_ != nullptr) *feature_ = VK_FALSE;
  }
  WithoutFeature(const WithoutFeature&) = delete;
  WithoutFeature& operator=(const WithoutFeature&) = delete;
  ~WithoutFeature() {
    if (feature_ != nullptr) *feature_ = value_;
  }
  [[nodiscard]] bool wasOn() const { return value_ == VK_TRUE; }

private:
  VkBool32* feature_;
  VkBool32 value_;
};

} // namespace vitrine::gpu
