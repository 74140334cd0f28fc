#include "compositor/protocols/protected_surface.h"

#include <algorithm>

#include "compositor/protocols/weston_content_protection.h"
#include "vitrine-protected-content-v1-server-protocol.h"

namespace vitrine {
namespace {

// ---- The protocol's numbers ----

uint32_t onWire(Evidence evidence) {
  switch (evidence) {
  case Evidence::None:
    return VITRINE_PROTECTED_CONTENT_V1_EVIDENCE_NONE;
  case Evidence::Claimed:
    return VITRINE_PROTECTED_CONTENT_V1_EVIDENCE_CLAIMED;
  case Evidence::Suspect:
    return VITRINE_PROTECTED_CONTENT_V1_EVIDENCE_SUSPECT;
  case Evidence::Unmappable:
    return VITRINE_PROTECTED_CONTENT_V1_EVIDENCE_UNMAPPABLE;
  case Evidence::KernelProtected:
    break;
  }
  return VITRINE_PROTECTED_CONTENT_V1_EVIDENCE_KERNEL_PROTECTED;
}

uint32_t onWire(Path path) {
  switch (path) {
  case Path::Placeholder:
    return VITRINE_PROTECTED_CONTENT_V1_PATH_PLACEHOLDER;
  case Path::Composited:
    return VITRINE_PROTECTED_CONTENT_V1_PATH_COMPOSITED;
  case Path::Plane:
    break;
  }
  return VITRINE_PROTECTED_CONTENT_V1_PATH_PLANE;
}

/** A refusal as two strings that may be null. */
struct RefusalText {
  explicit RefusalText(Refusal refusal)
      : name(refusalName(refusal)), words(refusalWords(refusal)), isNone(refusal == Refusal::None) {}
  [[nodiscard]] const char* nameOrNull() const { return isNone ? nullptr : name.c_str(); }
  [[nodiscard]] const char* wordsOrNull() const { return isNone ? nullptr : words.c_str(); }
  std::string name;
  std::string words;
  bool isNone;
};

const wlr_surface_synced_impl syncedImpl = {
    .state_size = sizeof(ProtectedSurface::State),
    .init_state = [](void* state) { *static_cast<ProtectedSurface::State*>(state) = {}; },
    .finish_state = nullptr,
    .move_state = nullptr,
};

} // namespace

const wlr_addon_interface ProtectedSurface::addonImpl = {
    .name = "vitrine_protected_content_v1",
    .destroy =
        [](wlr_addon* addon) {
          ProtectedSurface* gone = reinterpret_cast<Node*>(addon)->self;
          std::erase_if(gone->owner_.surfaces_, [gone](const auto& known) { return known.get() == gone; });
        },
};

ProtectedSurface* ProtectedSurface::of(wlr_surface& surface) {
  wlr_addon* addon = wlr_addon_find(&surface.addons, &addonImpl, &addonImpl);
  return addon != nullptr ? reinterpret_cast<Node*>(addon)->self : nullptr;
}

ProtectedSurface::ProtectedSurface(ProtectedContent& owner, wlr_surface& surface) : owner_(owner), surface_(surface) {
  node_.self = this;
  wlr_addon_init(&node_.addon, &surface.addons, &addonImpl, &addonImpl);
  isSynced_ = wlr_surface_synced_init(&synced_, &surface, &syncedImpl, &pending, &current);
  commit_.connect(surface.events.commit, [this](wlr_surface*) { onCommit(); });
}

ProtectedSurface::~ProtectedSurface() {
  if (isSynced_) wlr_surface_synced_finish(&synced_);
  wlr_addon_finish(&node_.addon);
  if (resource != nullptr) wl_resource_set_user_data(resource, nullptr); // inert from now on
  for (wl_resource* feedback : feedbacks_)
    wl_resource_set_user_data(feedback, nullptr);
}

void ProtectedSurface::attach(wl_resource& object) {
  resource = &object;
  attainable_.reset();
  outcomes_.clear();
  update(owner_.lookAtHeaps());
}

void ProtectedSurface::detach() {
  resource = nullptr;
  pending = {};
}

void ProtectedSurface::addFeedback(wl_resource& feedback) {
  feedbacks_.push_back(&feedback);
  sendFeedback(feedback, heapFeedback(owner_.lookAtHeaps()));
}

void ProtectedSurface::onCommit() {
  if (current.required == known_) return;
  known_ = current.required;
  if (resource != nullptr) update(owner_.lookAtHeaps());
}

ProtectedSurface::HeapFeedback
ProtectedSurface::heapFeedback(const std::vector<ProtectedContent::HeapDescription>& heaps) const {
  const std::vector<OutputProtection> where = owner_.outputsOf(surface_);
  HeapFeedback said{{}, reachedFormats(where, owner_.machine_.composedFormats())};
  if (!said.formats.empty()) said.heaps = heaps;
  return said;
}

ProtectedSurface::Attainable ProtectedSurface::attainableOn(const OutputProtection& output,
                                                            const HeapFeedback& feedback) const {
  Attainable answer{.output = output.output->name, .hdcp = hdcpOf(output.facts)};
  for (const auto& heap : feedback.heaps)
    answer.evidence = std::max(answer.evidence, heap.evidence);
  const std::vector<ReachedFormat> formats = reachedFormats({&output, 1}, owner_.machine_.composedFormats());
  const auto reached = [&](uint32_t reach) {
    return std::ranges::any_of(formats, [reach](const ReachedFormat& format) { return (format.reach & reach) != 0; });
  };
  if (feedback.heaps.empty() && !formats.empty()) {
    answer.refusal = Refusal::HeapAbsent;
  } else if (const Refusal policy = judge(Evidence::Unmappable, output.facts, View::Secure).refusal;
             policy != Refusal::None) {
    answer.refusal = policy;
  } else if (const Refusal unmet = judgeRequirements(current.required, answer.evidence, output.facts);
             unmet != Refusal::None) {
    answer.refusal = unmet;
  } else if (reached(VITRINE_HEAP_FEEDBACK_V1_REACH_PLANE)) {
    answer.path = Path::Plane;
  } else if (reached(VITRINE_HEAP_FEEDBACK_V1_REACH_GPU)) {
    answer.path = Path::Composited;
  } else {
    answer.refusal = output.composes ? Refusal::GpuNoProtectedMemory : Refusal::CompositionConfiguredOff;
  }
  return answer;
}

void ProtectedSurface::update(const std::vector<ProtectedContent::HeapDescription>& heaps) {
  if (resource == nullptr) return;
  const HeapFeedback said = heapFeedback(heaps);
  std::vector<Attainable> answers;
  for (const OutputProtection& output : owner_.outputsOf(surface_))
    answers.push_back(attainableOn(output, said));
  if (attainable_ != answers) {
    for (const Attainable& answer : answers) {
      const RefusalText refusal(answer.refusal);
      vitrine_protected_surface_v1_send_attainable(resource, answer.output.c_str(), onWire(answer.path),
                                                   onWire(answer.evidence), static_cast<uint32_t>(answer.hdcp),
                                                   refusal.nameOrNull(), refusal.wordsOrNull());
    }
    vitrine_protected_surface_v1_send_done(resource);
    attainable_ = std::move(answers);
  }
  if (feedback_ == said) return;
  feedback_ = said;
  for (wl_resource* feedback : feedbacks_)
    sendFeedback(*feedback, said);
}

void ProtectedSurface::onOutcome(const wlr_output& output, const Outcome& outcome) {
  if (resource == nullptr) return;
  const auto [known, isNew] = outcomes_.try_emplace(output.name, outcome);
  if (isNew) update(owner_.heaps_); // it has come to another output
  if (!isNew && known->second == outcome) return;
  known->second = outcome;
  const RefusalText refusal(outcome.refusal);
  vitrine_protected_surface_v1_send_outcome(resource, output.name, onWire(outcome.path), onWire(outcome.evidence),
                                            refusal.nameOrNull(), refusal.wordsOrNull());
}

void ProtectedSurface::sendFeedback(wl_resource& feedback, const HeapFeedback& said) {
  for (const auto& heap : said.heaps) {
    vitrine_heap_feedback_v1_send_heap(&feedback, heap.name.c_str(), onWire(heap.evidence));
    const size_t sizeBytes = said.formats.size() * sizeof(ReachedFormat);
    wl_array entries{sizeBytes, sizeBytes, const_cast<ReachedFormat*>(said.formats.data())};
    vitrine_heap_feedback_v1_send_formats(&feedback, &entries);
  }
  vitrine_heap_feedback_v1_send_done(&feedback);
}

ProtectionRequirements requirementsOf(wlr_surface* surface) {
  const ProtectedSurface* known = surface != nullptr ? ProtectedSurface::of(*surface) : nullptr;
  ProtectionRequirements required = known != nullptr ? known->current.required : ProtectionRequirements{};
  if (surface != nullptr) addContentProtection(*surface, required);
  return required;
}

} // namespace vitrine
