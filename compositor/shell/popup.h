#pragma once

#include "compositor/wlr/listener.h"

namespace vitrine {

class Desktop;

/** One xdg popup: kept inside its output, gone with its xdg_popup. */
class Popup {
public:
  /** Makes the popup's scene tree below its parent's; the object deletes itself when the popup is destroyed. */
  static void create(Desktop& desktop, wlr_xdg_popup& popup);

private:
  Popup(Desktop& desktop, wlr_xdg_popup& popup);
  void keepInside();
  Desktop& desktop_;
  wlr_xdg_popup& popup_;
  Listener<wlr_surface> commit_;
  Listener<void> map_;
  Listener<void> unmap_;
  Listener<void> reposition_;
  Listener<void> destroy_;
};

} // namespace vitrine
