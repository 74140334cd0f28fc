#pragma once

#include "compositor/shell/node_owner.h"
#include "compositor/wlr/listener.h"

namespace vitrine {

class Desktop;

/** An X11 window that its program places itself: a menu, a tooltip, the image of a drag. It is above all windows. */
class OverrideRedirect final : public NodeOwner {
public:
  /** Takes `tree`, which shows the window's surface. */
  OverrideRedirect(Desktop& desktop, wlr_scene_tree& tree, wlr_xwayland_surface& window);
  ~OverrideRedirect() override;

  /** The window that it belongs to: the one that its program names, else the focused one where that is of X11, too. */
  [[nodiscard]] Toplevel* toplevel() override;
  [[nodiscard]] std::optional<wlr_box> popupArea() const override { return std::nullopt; }

private:
  void onMapped();
  void onUnmapped();

  Desktop& desktop_;
  wlr_xwayland_surface& window_;
  wlr_surface& surface_;
  Listener<void> map_;
  Listener<void> unmap_;
  Listener<void> setGeometry_;
};

} // namespace vitrine
