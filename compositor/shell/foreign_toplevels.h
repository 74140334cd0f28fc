#pragma once

#include "compositor/wlr/listener.h"
#include "compositor/wlr/wlroots.h"

namespace vitrine {

class Desktop;
class Toplevel;

/** wlr-foreign-toplevel-management-v1 and ext-foreign-toplevel-list-v1: what panels know of the windows. */
struct ForeignToplevelManagers {
  explicit ForeignToplevelManagers(wl_display& display)
      : managed(wlr_foreign_toplevel_manager_v1_create(&display)),
        listed(wlr_ext_foreign_toplevel_list_v1_create(&display, 1)) {}
  wlr_foreign_toplevel_manager_v1* managed;
  wlr_ext_foreign_toplevel_list_v1* listed;
};

/** One mapped window as panels see it, and the actions that they ask of it. Made when the window is mapped, gone when it is not. */
class ForeignToplevel {
public:
  ForeignToplevel(const ForeignToplevelManagers& managers, Desktop& desktop, Toplevel& toplevel);
  ForeignToplevel(const ForeignToplevel&) = delete;
  ForeignToplevel& operator=(const ForeignToplevel&) = delete;
  ~ForeignToplevel();

  /** The window's title or app_id has changed. */
  void updateNames();
  /** The window's states have changed. */
  void updateStates();
  /** Its parent has changed; null: it has none, or the parent is not mapped. */
  void setParent(const ForeignToplevel* parent);

private:
  void connectRequests();
  void connectOutputs();

  Desktop& desktop_;
  Toplevel& toplevel_;
  wlr_foreign_toplevel_handle_v1* managed_;
  wlr_ext_foreign_toplevel_handle_v1* listed_;
  Listener<wlr_scene_output> outputEnter_;
  Listener<wlr_scene_output> outputLeave_;
  Listener<wlr_foreign_toplevel_handle_v1_maximized_event> maximize_;
  Listener<wlr_foreign_toplevel_handle_v1_minimized_event> minimize_;
  Listener<wlr_foreign_toplevel_handle_v1_fullscreen_event> fullscreen_;
  Listener<wlr_foreign_toplevel_handle_v1_activated_event> activate_;
  Listener<void> close_;
};

} // namespace vitrine
