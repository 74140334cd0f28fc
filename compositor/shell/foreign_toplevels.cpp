#include "compositor/shell/foreign_toplevels.h"

#include "compositor/shell/desktop.h"

namespace vitrine {
namespace {

const char* orEmpty(const char* text) {
  return text != nullptr ? text : "";
}

/** The scene buffer that shows the window's own surface. */
wlr_scene_buffer* bufferOf(Toplevel& toplevel) {
  struct Search {
    wlr_surface* surface;
    wlr_scene_buffer* found;
  } search{&toplevel.surface(), nullptr};
  wlr_scene_node_for_each_buffer(
      &toplevel.tree()->node,
      [](wlr_scene_buffer* buffer, int, int, void* data) {
        auto* self = static_cast<Search*>(data);
        wlr_scene_surface* shown = wlr_scene_surface_try_from_buffer(buffer);
        if (shown != nullptr && shown->surface == self->surface) self->found = buffer;
      },
      &search);
  return search.found;
}

} // namespace

ForeignToplevel::ForeignToplevel(const ForeignToplevelManagers& managers, Desktop& desktop, Toplevel& toplevel)
    : desktop_(desktop), toplevel_(toplevel), managed_(wlr_foreign_toplevel_handle_v1_create(managers.managed)) {
  const wlr_ext_foreign_toplevel_handle_v1_state state{orEmpty(toplevel_.title()), orEmpty(toplevel_.appId())};
  listed_ = wlr_ext_foreign_toplevel_handle_v1_create(managers.listed, &state);
  if (listed_ != nullptr) listed_->data = &toplevel_;
  updateNames();
  updateStates();
  connectRequests();
  connectOutputs();
}

ForeignToplevel::~ForeignToplevel() {
  outputEnter_.disconnect();
  outputLeave_.disconnect();
  close_.disconnect();
  maximize_.disconnect();
  minimize_.disconnect();
  fullscreen_.disconnect();
  activate_.disconnect();
  if (managed_ != nullptr) wlr_foreign_toplevel_handle_v1_destroy(managed_);
  if (listed_ != nullptr) wlr_ext_foreign_toplevel_handle_v1_destroy(listed_);
}

void ForeignToplevel::updateNames() {
  const char* title = orEmpty(toplevel_.title());
  const char* appId = orEmpty(toplevel_.appId());
  if (managed_ != nullptr) {
    wlr_foreign_toplevel_handle_v1_set_title(managed_, title);
    wlr_foreign_toplevel_handle_v1_set_app_id(managed_, appId);
  }
  const wlr_ext_foreign_toplevel_handle_v1_state state{title, appId};
  if (listed_ != nullptr) wlr_ext_foreign_toplevel_handle_v1_update_state(listed_, &state);
}

void ForeignToplevel::updateStates() {
  if (managed_ == nullptr) return;
  const ToplevelStates& wanted = toplevel_.states();
  wlr_foreign_toplevel_handle_v1_set_maximized(managed_, wanted.maximized);
  wlr_foreign_toplevel_handle_v1_set_fullscreen(managed_, wanted.fullscreen);
  wlr_foreign_toplevel_handle_v1_set_activated(managed_, wanted.activated);
  wlr_foreign_toplevel_handle_v1_set_minimized(managed_, wanted.minimized);
}

void ForeignToplevel::setParent(const ForeignToplevel* parent) {
  if (managed_ != nullptr)
    wlr_foreign_toplevel_handle_v1_set_parent(managed_, parent != nullptr ? parent->managed_ : nullptr);
}

void ForeignToplevel::connectRequests() {
  if (managed_ == nullptr) return;
  auto& events = managed_->events;
  maximize_.connect(events.request_maximize, [this](wlr_foreign_toplevel_handle_v1_maximized_event* event) {
    toplevel_.setMaximized(event->maximized);
  });
  minimize_.connect(events.request_minimize, [this](wlr_foreign_toplevel_handle_v1_minimized_event* event) {
    desktop_.setMinimized(toplevel_, event->minimized);
  });
  fullscreen_.connect(events.request_fullscreen, [this](wlr_foreign_toplevel_handle_v1_fullscreen_event* event) {
    toplevel_.setFullscreen(event->fullscreen, event->output);
  });
  activate_.connect(events.request_activate,
                    [this](wlr_foreign_toplevel_handle_v1_activated_event*) { desktop_.focus(&toplevel_); });
  close_.connect(events.request_close, [this](void*) { toplevel_.close(); });
}

void ForeignToplevel::connectOutputs() {
  wlr_scene_buffer* buffer = bufferOf(toplevel_);
  if (buffer == nullptr || managed_ == nullptr) return;
  wlr_surface_output* shown = nullptr;
  wl_list_for_each(shown, &toplevel_.surface().current_outputs, link)
      wlr_foreign_toplevel_handle_v1_output_enter(managed_, shown->output);
  outputEnter_.connect(buffer->events.output_enter, [this](wlr_scene_output* entered) {
    wlr_foreign_toplevel_handle_v1_output_enter(managed_, entered->output);
  });
  outputLeave_.connect(buffer->events.output_leave, [this](wlr_scene_output* left) {
    wlr_foreign_toplevel_handle_v1_output_leave(managed_, left->output);
  });
}

} // namespace vitrine
