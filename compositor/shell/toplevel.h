#pragma once

#include "compositor/wlr/listener.h"
#include "compositor/wlr/wlroots.h"

namespace vitrine {

class Desktop;

/** One xdg toplevel: its place in the scene and its states. */
class Toplevel {
public:
  Toplevel(Desktop& desktop, wlr_scene_tree& parent, wlr_xdg_toplevel& toplevel);
  Toplevel(const Toplevel&) = delete;
  ~Toplevel();

  [[nodiscard]] wlr_xdg_toplevel& xdg() { return toplevel_; }
  [[nodiscard]] wlr_scene_tree& tree() { return *tree_; }
  [[nodiscard]] wlr_surface& surface() { return *toplevel_.base->surface; }
  [[nodiscard]] bool isMapped() const { return mapped_; }
  [[nodiscard]] bool isFullscreen() const { return toplevel_.current.fullscreen; }
  /** Its window geometry in layout coordinates. */
  [[nodiscard]] wlr_box box() const;

  void moveTo(int x, int y);
  void resizeTo(const wlr_box& box);
  void setMaximized(bool maximized);
  void setFullscreen(bool fullscreen);
  void setActivated(bool activated) { wlr_xdg_toplevel_set_activated(&toplevel_, activated); }
  void close() { wlr_xdg_toplevel_send_close(&toplevel_); }

private:
  void onCommit();
  void fill(bool whole);
  void restore();

  Desktop& desktop_;
  wlr_xdg_toplevel& toplevel_;
  wlr_scene_tree* tree_;
  wlr_scene_rect* backdrop_ = nullptr; ///< black behind a fullscreen window that is smaller than its output
  wlr_box restored_{};                 ///< where it was before it was maximised or made fullscreen
  bool filling_ = false;
  bool mapped_ = false;
  Listener<void> map_;
  Listener<void> unmap_;
  Listener<wlr_surface> commit_;
  Listener<void> destroy_;
  Listener<void> requestMove_;
  Listener<wlr_xdg_toplevel_resize_event> requestResize_;
  Listener<void> requestMaximize_;
  Listener<void> requestFullscreen_;
};

} // namespace vitrine
