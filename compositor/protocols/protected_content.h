#pragma once

#include <functional>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compositor/protocols/surface_protection.h"
#include "compositor/protocols/weston_content_protection.h"
#include "compositor/wlr/listener.h"
#include "protected-path/heap/heap_knowledge.h"
#include "protected-path/kms/kms_object.h"
#include "protected-path/planes/display_list.h"

namespace vitrine {

/** What decides whether an output can show protected content. */
struct OutputProtection {
  wlr_output* output = nullptr;
  OutputFacts facts;
  std::vector<const Plane*>
      planes;           ///< those that may carry a client's buffer; empty where the configuration says `composite`
  bool composes = true; ///< false where the configuration says `plane`
  bool operator==(const OutputProtection&) const = default;
};

/** One format in which a buffer of a protected heap reaches somebody; the entry of vitrine_heap_feedback_v1.formats. */
struct ReachedFormat {
  uint32_t fourcc;
  uint32_t reach; ///< enum vitrine_heap_feedback_v1.reach
  uint64_t modifier;
  bool operator==(const ReachedFormat&) const = default;
};

/** The formats in which a protected buffer reaches an output or the GPU: both first, then planes, then the GPU; video before RGB. Pure. */
[[nodiscard]] std::vector<ReachedFormat> reachedFormats(std::span<const OutputProtection> outputs,
                                                        std::span<const FormatModifier> sampledProtected);

class ProtectedSurface;

/**
 * vitrine_protected_content_v1: clients say what protection their content needs, learn what they can get before they allocate, which
 * heaps to allocate from, and what became of their surfaces. XML in compositor/protocols/xml. Has weston_content_protection with it, which
 * tells a part of that.
 */
class ProtectedContent {
public:
  struct Machine {
    const HeapTable& heaps;
    const HeapKnowledge& knowledge; ///< what the heaps' buffers turned out to be in this session
    /** Formats that the GPU composes in protected memory; empty where it cannot. */
    std::function<std::vector<FormatModifier>()> composedFormats;
    std::function<std::vector<OutputProtection>()> outputs;
  };
  ProtectedContent(wl_display& display, Machine machine);
  ProtectedContent(const ProtectedContent&) = delete;
  ProtectedContent& operator=(const ProtectedContent&) = delete;
  ~ProtectedContent();

  /** What a frame that was committed made of a surface. Tells its client if that is new. */
  void onOutcome(wlr_surface& surface, const wlr_output& output, Evidence evidence, const LayerOutcome& outcome);
  /** Outputs, their HDCP, or what is on which of them may have changed. Tells clients what is new for them. */
  void update();

private:
  friend class ProtectedSurface;
  [[nodiscard]] std::vector<OutputProtection> outputsOf(wlr_surface& surface) const;
  struct HeapDescription {
    std::string name;
    Evidence evidence;
    bool operator==(const HeapDescription&) const = default;
  };
  /** Looks which heaps there are; update() goes by the last look. */
  const std::vector<HeapDescription>& lookAtHeaps();
  void bind(wl_client* client, uint32_t version, uint32_t id);
  void createSurface(wl_client* client, wl_resource* manager, uint32_t id, wlr_surface& surface);

  Machine machine_;
  wl_global* global_;
  std::vector<HeapDescription> heaps_;
  std::list<std::unique_ptr<ProtectedSurface>> surfaces_;
  WestonContentProtection contentProtection_;
};

} // namespace vitrine
