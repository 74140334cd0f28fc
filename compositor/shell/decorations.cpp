#include "compositor/shell/decorations.h"

namespace vitrine {
namespace {

/** One window's; deletes itself with the client's object. */
class Decoration {
public:
  explicit Decoration(wlr_xdg_toplevel_decoration_v1& decoration) : decoration_(decoration) {
    wlr_xdg_surface& base = *decoration.toplevel->base;
    commit_.connect(base.surface->events.commit, [this, &base](wlr_surface*) {
      if (base.initial_commit) answer();
    });
    requestMode_.connect(decoration.events.request_mode, [this](void*) { answer(); });
    destroy_.connect(decoration.events.destroy, [this](void*) { delete this; });
    answer();
  }

private:
  void answer() {
    // Before the initial commit there is no configure that could say so.
    if (!decoration_.toplevel->base->initialized) return;
    wlr_xdg_toplevel_decoration_v1_set_mode(&decoration_, WLR_XDG_TOPLEVEL_DECORATION_V1_MODE_CLIENT_SIDE);
  }
  wlr_xdg_toplevel_decoration_v1& decoration_;
  Listener<wlr_surface> commit_;
  Listener<void> requestMode_;
  Listener<void> destroy_;
};

} // namespace

Decorations::Decorations(wl_display& display) {
  newDecoration_.connect(wlr_xdg_decoration_manager_v1_create(&display)->events.new_toplevel_decoration,
                         [](wlr_xdg_toplevel_decoration_v1* decoration) { new Decoration(*decoration); });
}

} // namespace vitrine
