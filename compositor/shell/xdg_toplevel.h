#pragma once

#include "compositor/shell/toplevel.h"

namespace vitrine {

/** The window of an xdg_toplevel: told by configure events, each with a serial that the client's commits refer to. */
class XdgToplevel final : public Toplevel {
public:
  /** Takes `tree`, which shows the toplevel's xdg_surface. */
  XdgToplevel(Desktop& desktop, wlr_scene_tree& tree, wlr_xdg_toplevel& toplevel);

  [[nodiscard]] const char* title() const override { return toplevel_.title; }
  [[nodiscard]] const char* appId() const override { return toplevel_.app_id; }
  [[nodiscard]] Toplevel* parent() const override;
  [[nodiscard]] wlr_box geometry() const override;
  void forEachSurface(wlr_surface_iterator_func_t iterator, void* data) const override;
  [[nodiscard]] bool isFullscreen() const override { return toplevel_.current.fullscreen; }
  [[nodiscard]] bool isMaximized() const override { return toplevel_.current.maximized; }
  void close() override { wlr_xdg_toplevel_send_close(&toplevel_); }

private:
  [[nodiscard]] Limits limits() const override;
  [[nodiscard]] bool isConfigurable() const override { return toplevel_.base->initialized; }
  void tellStates() override;
  uint32_t tellSize(int width, int height) override { return wlr_xdg_toplevel_set_size(&toplevel_, width, height); }
  uint32_t tellResizing(bool resizing) override { return wlr_xdg_toplevel_set_resizing(&toplevel_, resizing); }
  [[nodiscard]] bool hasDrawn(uint32_t serial) const override;

  void connectSurface();
  void connectRequests();
  void configureInitially();

  wlr_xdg_toplevel& toplevel_;
  Listener<void> map_;
  Listener<void> unmap_;
  Listener<wlr_surface> commit_;
  Listener<void> destroy_;
  Listener<wlr_xdg_toplevel_move_event> requestMove_;
  Listener<wlr_xdg_toplevel_resize_event> requestResize_;
  Listener<void> requestMaximize_;
  Listener<void> requestFullscreen_;
  Listener<void> requestMinimize_;
  Listener<void> setParent_;
  Listener<void> setTitle_;
  Listener<void> setAppId_;
};

} // namespace vitrine
