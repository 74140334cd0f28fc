#include "compositor/capture/window_capture.h"

#include <algorithm>
#include <cmath>

#include "compositor/shell/desktop.h"

namespace vitrine {
namespace {

constexpr Nanoseconds millisecond = 1'000'000;
constexpr Color black{0, 0, 0, 1};

} // namespace

WindowCapture::WindowCapture(const Machine& machine, Toplevel& toplevel)
    : machine_(machine), toplevel_(toplevel), list_(machine.display, machine.renderer, machine.colors),
      timer_(machine.loop, *this, [](WindowCapture& self) { self.compare(); }) {
  desktopChanged_.connect(machine_.desktop.events.changed, [this](void*) { compareSoon(); });
  locked_.connect(machine_.desktop.events.locked, [this](void*) { forgetCaptures(); });
  watch(toplevel_.surface());
  followOutput();
}

WindowCapture::~WindowCapture() {}

double WindowCapture::scale() const {
  const wlr_output* output = machine_.desktop.outputFor(toplevel_);
  return output != nullptr ? output->scale : 1;
}

Size WindowCapture::captureSize() const {
  if (machine_.desktop.isLocked()) return {};
  const wlr_box window = toplevel_.geometry();
  const auto pixels = [factor = scale()](int length) {
    return static_cast<uint32_t>(std::lround(std::max(length, 0) * factor));
  };
  const Size size{pixels(window.width), pixels(window.height)};
  return size.width > 0 && size.height > 0 ? size : Size{};
}

Nanoseconds WindowCapture::captureInterval() const {
  constexpr Nanoseconds usual = 16'666'667;
  const CaptureSource* output = output_ != nullptr ? output_->get() : nullptr;
  return output != nullptr ? output->captureInterval() : usual;
}

CaptureSource::Picture WindowCapture::picture() {
  followOutput();
  const Nanoseconds time = now();
  visit(toplevel_.tree()->node, toTimespec(time));
  const wlr_box window = toplevel_.box();
  // Protected content is the placeholder in any capture, as on an output that may never show it (R5).
  list_.build({.root = toplevel_.tree(),
               .view = {window.x, window.y, scale(), Transform::Normal, captureSize()},
               .cursor = &machine_.desktop.cursorTree().node,
               .above = hasPointer() ? &machine_.desktop.cursorTree() : nullptr,
               .facts = {.kind = OutputKind::Headless},
               .planeUse = PlaneUse::CompositeOnly,
               .time = time});
  return {list_.layers(), list_.sources(), black};
}

/** Whether the pointer is over this window, and over nothing that covers it. */
bool WindowCapture::hasPointer() const {
  wlr_surface* surface = machine_.desktop.seat().pointer_state.focused_surface;
  NodeOwner* owner = surface != nullptr ? NodeOwner::of(*wlr_surface_get_root_surface(surface)) : nullptr;
  return owner != nullptr && owner->toplevel() == &toplevel_;
}

void WindowCapture::followOutput() {
  wlr_output* shown = machine_.desktop.outputFor(toplevel_);
  CaptureSource* source = shown != nullptr ? machine_.outputSource(*shown) : nullptr;
  if (output_ != nullptr && output_->get() == source) return;
  output_ = std::make_unique<CaptureSourceRef>(source, [this] { compareSoon(); }, [] {});
}

/** Watches every surface of the window. Those that are not mapped yet may be with their next commit. */
void WindowCapture::visit(wlr_scene_node& node, const timespec& time) {
  if (node.type == WLR_SCENE_NODE_TREE) {
    wlr_scene_node* child = nullptr;
    wl_list_for_each(child, &wlr_scene_tree_from_node(&node)->children, link) visit(*child, time);
  } else if (node.type == WLR_SCENE_NODE_BUFFER) {
    wlr_scene_buffer* buffer = wlr_scene_buffer_from_node(&node);
    wlr_scene_surface* shown = wlr_scene_surface_try_from_buffer(buffer);
    if (shown == nullptr) return;
    watch(*shown->surface);
    int x = 0;
    int y = 0;
    const bool isShown = wlr_scene_node_coords(&node, &x, &y) && buffer->primary_output != nullptr;
    if (!isShown) wlr_surface_send_frame_done(shown->surface, &time);
  }
}

void WindowCapture::watch(wlr_surface& surface) {
  const auto [place, isNew] = watched_.try_emplace(&surface);
  if (!isNew) return;
  place->second.commit.connect(surface.events.commit, [this](wlr_surface*) { compareSoon(); });
  place->second.gone.connect(surface.events.destroy, [this, gone = &surface](void*) { watched_.erase(gone); });
}

/** Has the window compared with what was captured, once in each interval, if anybody waits for that. */
void WindowCapture::compareSoon() {
  if (isTimerSet_ || wl_list_empty(&captureEvents.changed.listener_list)) return;
  isTimerSet_ = true;
  const Nanoseconds wait = std::max<Nanoseconds>(compared_ + captureInterval() - now(), 0);
  timer_.start(static_cast<int>(wait / millisecond) + 1);
}

void WindowCapture::compare() {
  isTimerSet_ = false;
  compared_ = now();
  emitChanged();
}

CaptureSource* WindowCaptures::of(wl_resource* resource) {
  // wlroots clears it when the window is unmapped.
  auto* handle = static_cast<wlr_ext_foreign_toplevel_handle_v1*>(wl_resource_get_user_data(resource));
  if (handle == nullptr) return nullptr;
  Entry& entry = entries_[handle];
  if (entry.source == nullptr) {
    entry.source = std::make_unique<WindowCapture>(machine_, *static_cast<Toplevel*>(handle->data));
    entry.gone.connect(handle->events.destroy, [this, handle](void*) { entries_.erase(handle); });
  }
  return entry.source.get();
}

} // namespace vitrine
