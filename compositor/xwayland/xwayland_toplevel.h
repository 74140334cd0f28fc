#pragma once

#include "compositor/shell/toplevel.h"

namespace vitrine {

/**
 * A managed X11 window with its surface (ICCCM, EWMH). It has no serials: what it is told is so at once in the X server, and its program
 * draws it later. Its coordinates in the X server are those of the layout.
 */
class XwaylandToplevel final : public Toplevel {
public:
  /** Takes `tree`, which shows the window's surface. */
  XwaylandToplevel(Desktop& desktop, wlr_scene_tree& tree, wlr_xwayland_surface& window);
  /** It is one of the desktop's from now on. */
  void connect();
  /** Takes it out of the desktop, which destroys it. */
  void leave();

  [[nodiscard]] const char* title() const override { return window_.title; }
  [[nodiscard]] const char* appId() const override { return window_.class_; }
  [[nodiscard]] Toplevel* parent() const override;
  [[nodiscard]] wlr_box geometry() const override;
  void forEachSurface(wlr_surface_iterator_func_t iterator, void* data) const override;
  [[nodiscard]] bool isFullscreen() const override { return states().fullscreen; }
  [[nodiscard]] bool isMaximized() const override { return states().maximized; }
  [[nodiscard]] bool isModal() const override { return window_.modal && parent() != nullptr; }
  [[nodiscard]] bool takesKeyboard() const override;
  [[nodiscard]] bool hasPlace() const override;
  void close() override { wlr_xwayland_surface_close(&window_); }
  void onRaised() override;

private:
  [[nodiscard]] Limits limits() const override;
  [[nodiscard]] bool isConfigurable() const override { return true; }
  void tellStates() override;
  uint32_t tellSize(int width, int height) override;
  uint32_t tellResizing(bool) override { return 0; } // X11 has no such state
  [[nodiscard]] bool hasDrawn(uint32_t serial) const override;
  void onMoved() override;

  void connectSurface();
  void connectRequests();
  void onMapped();
  void onActivateRequest();
  [[nodiscard]] uint32_t pressSerial() const;

  wlr_xwayland_surface& window_;
  Listener<void> map_;
  Listener<void> unmap_;
  Listener<wlr_surface> commit_;
  Listener<void> requestMove_;
  Listener<wlr_xwayland_resize_event> requestResize_;
  Listener<void> requestMaximize_;
  Listener<void> requestFullscreen_;
  Listener<wlr_xwayland_minimize_event> requestMinimize_;
  Listener<void> requestActivate_;
  Listener<void> setParent_;
  Listener<void> setTitle_;
  Listener<void> setClass_;
};

} // namespace vitrine
