#pragma once

#include <memory>

#include <xf86drm.h>
#include <xf86drmMode.h>

namespace vitrine {

/** Calls the free function of a libdrm type. No other code knows these functions. */
struct DrmDeleter {
  void operator()(drmVersion* pointer) const { drmFreeVersion(pointer); }
  void operator()(drmModeRes* pointer) const { drmModeFreeResources(pointer); }
  void operator()(drmModePlaneRes* pointer) const { drmModeFreePlaneResources(pointer); }
  void operator()(drmModePlane* pointer) const { drmModeFreePlane(pointer); }
  void operator()(drmModeConnector* pointer) const { drmModeFreeConnector(pointer); }
  void operator()(drmModeObjectProperties* pointer) const { drmModeFreeObjectProperties(pointer); }
  void operator()(drmModePropertyRes* pointer) const { drmModeFreeProperty(pointer); }
  void operator()(drmModePropertyBlobRes* pointer) const { drmModeFreePropertyBlob(pointer); }
};

/** Owns the result of a libdrm call; null if the call failed. */
template<typename T>
using DrmPointer = std::unique_ptr<T, DrmDeleter>;

} // namespace vitrine
