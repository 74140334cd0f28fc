#pragma once

#include "compositor/shell/node_owner.h"
#include "compositor/wlr/listener.h"

namespace vitrine {

class Desktop;

/** One xdg popup: kept inside the area that its parent names, gone with its xdg_popup. */
class Popup final : public NodeOwner {
public:
  /**
   * Shows the popup below its parent's tree; the object deletes itself when the popup is destroyed. Does nothing for a popup without
   * a parent, which another protocol has to name first (layer-shell). A parent that is no window or popup any more is the client's
   * error (xdg_wm_base.invalid_popup_parent).
   */
  static void create(Desktop& desktop, wlr_xdg_popup& popup);

  [[nodiscard]] Toplevel* toplevel() override;
  [[nodiscard]] LayerSurface* layerSurface() override;
  [[nodiscard]] std::optional<wlr_box> popupArea() const override;

private:
  Popup(Desktop& desktop, wlr_scene_tree& tree, wlr_xdg_popup& popup);
  void keepInside();
  void follow();
  void takeKeyboard();
  void giveKeyboardBack();
  Desktop& desktop_;
  wlr_xdg_popup& popup_;
  std::optional<wlr_box> keptIn_; ///< the popupArea() that it was placed in
  Listener<wlr_surface> commit_;
  Listener<void> map_;
  Listener<void> unmap_;
  Listener<void> reposition_;
  Listener<void> changed_;
  Listener<void> destroy_;
};

} // namespace vitrine
