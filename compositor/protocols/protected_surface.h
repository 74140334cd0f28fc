#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compositor/protocols/protected_content.h"

namespace vitrine {

/**
 * The protection of one wl_surface: lives as long as that, with at most one vitrine_protected_surface_v1 at a time. The requirements
 * of one that was destroyed are withdrawn by the next commit, like any other state.
 */
class ProtectedSurface {
public:
  /** Double-buffered. */
  struct State {
    ProtectionRequirements required;
  };
  struct Attainable {
    std::string output;
    Path path = Path::Placeholder;
    Evidence evidence = Evidence::None;
    Hdcp hdcp = Hdcp::Off;
    Refusal refusal = Refusal::None;
    bool operator==(const Attainable&) const = default;
  };
  struct Outcome {
    Path path;
    Evidence evidence;
    Refusal refusal;
    bool operator==(const Outcome&) const = default;
  };
  struct HeapFeedback {
    std::vector<ProtectedContent::HeapDescription> heaps;
    std::vector<ReachedFormat> formats;
    bool operator==(const HeapFeedback&) const = default;
  };

  /** The one of a surface; null: it has none. */
  [[nodiscard]] static ProtectedSurface* of(wlr_surface& surface);

  ProtectedSurface(ProtectedContent& owner, wlr_surface& surface);
  ProtectedSurface(const ProtectedSurface&) = delete;
  ProtectedSurface& operator=(const ProtectedSurface&) = delete;
  ~ProtectedSurface();
  /** False: there was no memory for it. */
  [[nodiscard]] bool isValid() const { return isSynced_; }

  /** A client has made the vitrine_protected_surface_v1: tells it what there is. */
  void attach(wl_resource& object);
  /** That was destroyed. */
  void detach();
  void addFeedback(wl_resource& feedback);
  void removeFeedback(wl_resource& feedback) { std::erase(feedbacks_, &feedback); }

  /** Tells the client what it does not know yet. */
  void update(const std::vector<ProtectedContent::HeapDescription>& heaps);
  void onOutcome(const wlr_output& output, const Outcome& outcome);

  wl_resource* resource = nullptr; ///< vitrine_protected_surface_v1; null: none
  State pending;
  State current;

private:
  friend class ProtectedContent;
  struct Node { // standard layout, addon first
    wlr_addon addon;
    ProtectedSurface* self;
  };
  static const wlr_addon_interface addonImpl;

  void onCommit();
  [[nodiscard]] HeapFeedback heapFeedback(const std::vector<ProtectedContent::HeapDescription>& heaps) const;
  [[nodiscard]] Attainable attainableOn(const OutputProtection& output, const HeapFeedback& feedback) const;
  static void sendFeedback(wl_resource& feedback, const HeapFeedback& said);

  ProtectedContent& owner_;
  wlr_surface& surface_;
  Node node_{};
  wlr_surface_synced synced_{};
  bool isSynced_ = false;
  ProtectionRequirements known_;                      ///< at the last commit
  std::optional<std::vector<Attainable>> attainable_; ///< sent last
  std::optional<HeapFeedback> feedback_;              ///< sent last
  std::map<std::string, Outcome> outcomes_;           ///< sent last, by output
  std::vector<wl_resource*> feedbacks_;
  Listener<wlr_surface> commit_;
};

} // namespace vitrine
