#include "tests/board/wayland/surface_protection.h"

#include <utility>

namespace vitrine {
namespace {

std::string pathOf(uint32_t path) {
  switch (path) {
  case VITRINE_PROTECTED_CONTENT_V1_PATH_PLANE:
    return "plane";
  case VITRINE_PROTECTED_CONTENT_V1_PATH_COMPOSITED:
    return "composited";
  default:
    return "placeholder";
  }
}

std::string orEmpty(const char* text) {
  return text != nullptr ? text : "";
}

} // namespace

const vitrine_protected_surface_v1_listener SurfaceProtection::surfaceListener = {
    .attainable =
        [](void* data, vitrine_protected_surface_v1*, const char* output, uint32_t path, uint32_t, uint32_t,
           const char* refusal, const char* reason) {
          static_cast<SurfaceProtection*>(data)->batch_.push_back(
              {output, pathOf(path), orEmpty(refusal), orEmpty(reason)});
        },
    .done =
        [](void* data, vitrine_protected_surface_v1*) {
          auto* self = static_cast<SurfaceProtection*>(data);
          self->attainable_ = std::exchange(self->batch_, {});
        },
    .outcome =
        [](void* data, vitrine_protected_surface_v1*, const char* output, uint32_t path, uint32_t, const char* refusal,
           const char* reason) {
          auto* self = static_cast<SurfaceProtection*>(data);
          if (self->onOutcome) self->onOutcome({output, pathOf(path), orEmpty(refusal), orEmpty(reason)});
        },
};

const vitrine_heap_feedback_v1_listener SurfaceProtection::feedbackListener = {
    .heap = [](void* data, vitrine_heap_feedback_v1*, const char* name,
               uint32_t) { static_cast<SurfaceProtection*>(data)->described_.emplace_back(name); },
    .formats = [](void*, vitrine_heap_feedback_v1*, wl_array*) {},
    .done =
        [](void* data, vitrine_heap_feedback_v1*) {
          auto* self = static_cast<SurfaceProtection*>(data);
          self->heaps_ = std::exchange(self->described_, {});
        },
};

SurfaceProtection::SurfaceProtection(WaylandConnection& connection, wl_surface* surface)
    : connection_(connection), surface_(surface),
      object_(vitrine_protected_content_v1_get_surface(connection.globals().protectedContent.get(), surface)) {
  vitrine_protected_surface_v1_add_listener(object_.get(), &surfaceListener, this);
  vitrine_protected_surface_v1_require_evidence(object_.get(), VITRINE_PROTECTED_CONTENT_V1_EVIDENCE_UNMAPPABLE);
}

Result<> SurfaceProtection::ask() {
  wl_surface_commit(surface_);
  feedback_.reset(vitrine_protected_surface_v1_get_heap_feedback(object_.get()));
  vitrine_heap_feedback_v1_add_listener(feedback_.get(), &feedbackListener, this);
  return connection_.roundtrip();
}

} // namespace vitrine
