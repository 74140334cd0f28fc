#include "compositor/protocols/protected_content.h"

#include <algorithm>

#include "compositor/protocols/protected_surface.h"
#include "compositor/protocols/protocol_error.h"
#include "protected-path/heap/heap_catalogue.h"
#include "protected-path/heap/heap_solver.h"
#include "vitrine-protected-content-v1-server-protocol.h"

namespace vitrine {

std::vector<ReachedFormat> reachedFormats(std::span<const OutputProtection> outputs,
                                          std::span<const FormatModifier> sampledProtected) {
  std::vector<ReachedFormat> formats;
  const auto add = [&formats](FormatModifier format, uint32_t reach) {
    if (formatInfo(format.fourcc) == nullptr) return; // nothing here could check its layout
    const auto known = std::ranges::find_if(formats, [&](const ReachedFormat& other) {
      return other.fourcc == format.fourcc && other.modifier == format.modifier;
    });
    if (known != formats.end()) {
      known->reach |= reach;
    } else {
      formats.push_back({format.fourcc, reach, format.modifier});
    }
  };
  bool composes = false;
  for (const OutputProtection& output : outputs) {
    composes = composes || output.composes;
    for (const Plane* plane : output.planes)
      for (const FormatModifier& format : plane->formats)
        add(format, VITRINE_HEAP_FEEDBACK_V1_REACH_PLANE);
  }
  if (composes)
    for (const FormatModifier& format : sampledProtected)
      add(format, VITRINE_HEAP_FEEDBACK_V1_REACH_GPU);
  const auto rank = [](const ReachedFormat& format) {
    constexpr uint32_t both = VITRINE_HEAP_FEEDBACK_V1_REACH_PLANE | VITRINE_HEAP_FEEDBACK_V1_REACH_GPU;
    const int reach = format.reach == both ? 0 : (format.reach & VITRINE_HEAP_FEEDBACK_V1_REACH_PLANE) != 0 ? 1 : 2;
    return std::pair(reach, !formatInfo(format.fourcc)->isYuv);
  };
  std::ranges::stable_sort(formats, {}, rank);
  return formats;
}

namespace {

std::optional<Evidence> evidenceFromWire(uint32_t value) {
  switch (value) {
  case VITRINE_PROTECTED_CONTENT_V1_EVIDENCE_NONE:
    return Evidence::None;
  case VITRINE_PROTECTED_CONTENT_V1_EVIDENCE_CLAIMED:
    return Evidence::Claimed;
  case VITRINE_PROTECTED_CONTENT_V1_EVIDENCE_SUSPECT:
    return Evidence::Suspect;
  case VITRINE_PROTECTED_CONTENT_V1_EVIDENCE_UNMAPPABLE:
    return Evidence::Unmappable;
  case VITRINE_PROTECTED_CONTENT_V1_EVIDENCE_KERNEL_PROTECTED:
    return Evidence::KernelProtected;
  default:
    return std::nullopt;
  }
}

ProtectedSurface* protectionOf(wl_resource* resource) {
  auto* protection = static_cast<ProtectedSurface*>(wl_resource_get_user_data(resource));
  if (protection == nullptr)
    postError(resource, VITRINE_PROTECTED_SURFACE_V1_ERROR_INERT,
              invalid("protect", "wl_surface", "it is gone").error());
  return protection;
}

const struct vitrine_heap_feedback_v1_interface feedbackImpl = {
    .destroy = [](wl_client*, wl_resource* resource) { wl_resource_destroy(resource); },
};

void getHeapFeedback(wl_client* client, wl_resource* resource, uint32_t id) {
  ProtectedSurface* protection = protectionOf(resource);
  if (protection == nullptr) return;
  wl_resource* feedback =
      wl_resource_create(client, &vitrine_heap_feedback_v1_interface, wl_resource_get_version(resource), id);
  if (feedback == nullptr) return wl_client_post_no_memory(client);
  wl_resource_set_implementation(feedback, &feedbackImpl, protection, [](wl_resource* gone) {
    if (auto* left = static_cast<ProtectedSurface*>(wl_resource_get_user_data(gone))) left->removeFeedback(*gone);
  });
  protection->addFeedback(*feedback);
}

const struct vitrine_protected_surface_v1_interface surfaceImpl = {
    .destroy = [](wl_client*, wl_resource* resource) { wl_resource_destroy(resource); },
    .require_evidence =
        [](wl_client*, wl_resource* resource, uint32_t value) {
          ProtectedSurface* protection = protectionOf(resource);
          if (protection == nullptr) return;
          if (const auto evidence = evidenceFromWire(value)) {
            protection->pending.required.evidence = *evidence;
            return;
          }
          postError(resource, VITRINE_PROTECTED_SURFACE_V1_ERROR_INVALID_EVIDENCE,
                    invalid("require", "evidence " + std::to_string(value), "the protocol has no such value").error());
        },
    .require_hdcp =
        [](wl_client*, wl_resource* resource, uint32_t value) {
          ProtectedSurface* protection = protectionOf(resource);
          if (protection == nullptr) return;
          if (value <= VITRINE_PROTECTED_CONTENT_V1_HDCP_TYPE1) {
            protection->pending.required.hdcp = static_cast<Hdcp>(value);
            return;
          }
          postError(resource, VITRINE_PROTECTED_SURFACE_V1_ERROR_INVALID_HDCP,
                    invalid("require", "HDCP type " + std::to_string(value), "the protocol has no such value").error());
        },
    .get_heap_feedback = getHeapFeedback,
};

} // namespace

ProtectedContent::ProtectedContent(wl_display& display, Machine machine)
    : machine_(std::move(machine)), contentProtection_(display, [this](wlr_surface& surface) {
        std::optional<Hdcp> lowest;
        for (const OutputProtection& output : outputsOf(surface))
          lowest = std::min(lowest.value_or(Hdcp::Type1), hdcpOf(output.facts));
        return lowest.value_or(Hdcp::Off);
      }) {
  global_ = wl_global_create(&display, &vitrine_protected_content_v1_interface, 1, this,
                             [](wl_client* client, void* data, uint32_t version, uint32_t id) {
                               static_cast<ProtectedContent*>(data)->bind(client, version, id);
                             });
}

ProtectedContent::~ProtectedContent() {
  wl_global_destroy(global_);
}

void ProtectedContent::bind(wl_client* client, uint32_t version, uint32_t id) {
  static const struct vitrine_protected_content_v1_interface impl = {
      .destroy = [](wl_client*, wl_resource* resource) { wl_resource_destroy(resource); },
      .get_surface =
          [](wl_client* caller, wl_resource* manager, uint32_t surfaceId, wl_resource* surface) {
            static_cast<ProtectedContent*>(wl_resource_get_user_data(manager))
                ->createSurface(caller, manager, surfaceId, *wlr_surface_from_resource(surface));
          },
  };
  wl_resource* resource =
      wl_resource_create(client, &vitrine_protected_content_v1_interface, static_cast<int>(version), id);
  if (resource == nullptr) return wl_client_post_no_memory(client);
  wl_resource_set_implementation(resource, &impl, this, nullptr);
}

void ProtectedContent::createSurface(wl_client* client, wl_resource* manager, uint32_t id, wlr_surface& surface) {
  ProtectedSurface* protection = ProtectedSurface::of(surface);
  if (protection != nullptr && protection->resource != nullptr) {
    postError(manager, VITRINE_PROTECTED_CONTENT_V1_ERROR_SURFACE_EXISTS,
              invalid("protect", "wl_surface", "it has a vitrine_protected_surface_v1 already").error());
    return;
  }
  wl_resource* resource =
      wl_resource_create(client, &vitrine_protected_surface_v1_interface, wl_resource_get_version(manager), id);
  if (resource == nullptr) return wl_client_post_no_memory(client);
  if (protection == nullptr) {
    surfaces_.push_back(std::make_unique<ProtectedSurface>(*this, surface));
    protection = surfaces_.back().get();
    if (!protection->isValid()) {
      surfaces_.pop_back();
      wl_resource_set_implementation(resource, &surfaceImpl, nullptr, nullptr);
      return wl_client_post_no_memory(client);
    }
  }
  wl_resource_set_implementation(resource, &surfaceImpl, protection, [](wl_resource* gone) {
    if (auto* left = static_cast<ProtectedSurface*>(wl_resource_get_user_data(gone))) left->detach();
  });
  protection->attach(*resource);
}

/** Those that a surface is on; all of them while it is on none. */
std::vector<OutputProtection> ProtectedContent::outputsOf(wlr_surface& surface) const {
  std::vector<OutputProtection> all = machine_.outputs();
  std::vector<OutputProtection> shown;
  wlr_surface_output* entered = nullptr;
  wl_list_for_each(entered, &surface.current_outputs, link) {
    const auto found = std::ranges::find(all, entered->output, &OutputProtection::output);
    if (found != all.end()) shown.push_back(*found);
  }
  return shown.empty() ? all : shown;
}

const std::vector<ProtectedContent::HeapDescription>& ProtectedContent::lookAtHeaps() {
  BufferRequest request;
  request.size = {64, 64};
  request.fourcc = DRM_FORMAT_NV12;
  request.modifier = DRM_FORMAT_MOD_LINEAR;
  std::vector<Heap> heaps = listHeaps(machine_.heaps);
  machine_.knowledge.recall(heaps);
  const HeapChoice choice = chooseHeap(request, heaps);
  heaps_.clear();
  for (const HeapVerdict& verdict : choice.candidates)
    heaps_.push_back({verdict.heap.name, expectedEvidence(verdict.heap)});
  // The client may have the permission that the compositor lacks.
  for (const HeapVerdict& verdict : choice.rejected)
    if (verdict.refusal == Refusal::HeapNoPermission && verdict.heap.heapClass == HeapClass::Protected)
      heaps_.push_back({verdict.heap.name, expectedEvidence(verdict.heap)});
  return heaps_;
}

void ProtectedContent::onOutcome(wlr_surface& surface, const wlr_output& output, Evidence evidence,
                                 const LayerOutcome& outcome) {
  if (ProtectedSurface* protection = ProtectedSurface::of(surface))
    protection->onOutcome(output, {outcome.path, evidence, outcome.refusal});
  contentProtection_.update(surface);
}

void ProtectedContent::update() {
  contentProtection_.update();
  for (const auto& surface : surfaces_)
    surface->update(heaps_);
}

} // namespace vitrine
