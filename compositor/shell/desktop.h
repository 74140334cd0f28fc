#pragma once

#include <memory>
#include <span>
#include <vector>

#include "compositor/outputs/output_move.h"
#include "compositor/shell/foreign_toplevels.h"
#include "compositor/shell/layer_shell.h"
#include "compositor/shell/session_lock.h"
#include "compositor/shell/toplevel.h"
#include "compositor/wlr/listener.h"

namespace vitrine {

/**
 * The windows: a floating desktop over wlr_scene. New windows are centred, the focused one is on top but for its
 * dialogs, a fullscreen one covers its output.
 */
class Desktop {
public:
  enum class Kind {
    Floating,
    Kiosk ///< each window, except dialogs, covers its output, and none can be minimised
  };
  Desktop(wl_display& display, wlr_output_layout& layout, wlr_seat& seat, Kind kind);
  Desktop(const Desktop&) = delete;
  ~Desktop();

  [[nodiscard]] wlr_scene& scene() { return *scene_; }
  [[nodiscard]] wlr_scene_tree& cursorTree() { return *layers_.cursor; } ///< above everything
  [[nodiscard]] wlr_scene_tree& popupTree() {
    return *layers_.overlay;
  } ///< above windows: input methods' and X11's popups
  [[nodiscard]] wlr_scene_tree& windowTree() { return *layers_.windows; }
  [[nodiscard]] wlr_output_layout& layout() { return layout_; }
  [[nodiscard]] wlr_seat& seat() { return seat_; }
  [[nodiscard]] wlr_xdg_shell& xdgShell() { return *shell_; }
  [[nodiscard]] wlr_layer_shell_v1& layerShell() { return layerShell_.wlr(); }

  [[nodiscard]] bool isKiosk() const { return kind_ == Kind::Kiosk; }

  /** The surface at a point of the layout, with the point in its coordinates; null if no surface is there. */
  struct Hit {
    Toplevel* toplevel = nullptr;
    LayerSurface* layer = nullptr;
    wlr_surface* surface = nullptr;
    double x = 0;
    double y = 0;
    wlr_output* output = nullptr; ///< the one at the point
  };
  [[nodiscard]] Hit at(double x, double y);
  /** Gives the keyboard to what was clicked or touched, if it takes it. */
  void click(const Hit& hit);
  /** Whether a lock screen has the session: then no window and no panel gets any input. */
  [[nodiscard]] bool isLocked() const { return lock_.isLocked(); }

  /** Takes a window whose tree is in windowTree(). */
  void add(std::unique_ptr<Toplevel> toplevel) { toplevels_.push_back(std::move(toplevel)); }
  /** Raises and gives the keyboard; null takes it from everybody. */
  void focus(Toplevel* toplevel);
  [[nodiscard]] Toplevel* focused() const { return focused_; }
  /** Focuses the window that had the keyboard longest ago. */
  void focusNext();
  /** Takes the last focusNext() back. */
  void focusPrevious();
  /** Hides a window and takes the focus from it, or shows it again and focuses it. A kiosk hides none. */
  void setMinimized(Toplevel& toplevel, bool minimized);
  /** The window whose own surface this is, or null. */
  [[nodiscard]] static Toplevel* find(const wlr_surface& surface);
  /** All windows, mapped or not; the last one has had the keyboard last. */
  [[nodiscard]] std::span<const std::unique_ptr<Toplevel>> windows() const { return toplevels_; }
  /** The output under a window's middle, else the first one. Null without outputs. */
  [[nodiscard]] wlr_output* outputFor(const Toplevel& toplevel) const;
  /** Where the user is, and a new window belongs: the output of the focused window; with none, the one that was clicked last, else the
   * leftmost one. Null without outputs. */
  [[nodiscard]] wlr_output* outputForNew() const;
  /** The name of the output under a window's middle; null if no output is there. */
  [[nodiscard]] const char* outputNameFor(const Toplevel& toplevel) const;
  /** A popup that has the keyboard instead of the focused window, until it is dropped or another window is focused. */
  void setKeyboardPopup(wlr_surface& surface);
  /** Nothing happens where another surface is the popup. */
  void dropKeyboardPopup(const wlr_surface& surface);
  /** Gives the keyboard to the focused window once more, after somebody else had it (a popup, a drag). */
  void giveKeyboard();
  /** The box of the output under a window's middle, in layout coordinates; the first output's where there is none. */
  [[nodiscard]] wlr_box outputBoxFor(const Toplevel& toplevel) const;
  /** That without what panels keep for themselves. */
  [[nodiscard]] wlr_box usableBoxFor(const Toplevel& toplevel) const;

  /** Puts a dialog into the middle of its parent, another window into that of its output, a step to the right and below of the last. */
  void place(Toplevel& toplevel);

  /**
   * The layout has changed. Windows move with their output; those that are on none any more come to one that is there; fullscreen
   * and maximised ones get its size.
   */
  void outputsChanged(std::span<const OutputMove> moves);
  /** Whether any part of a box is on an output. */
  [[nodiscard]] bool isVisible(const wlr_box& box) const {
    return wlr_output_layout_intersects(&layout_, nullptr, &box);
  }

  /** Puts a window above all others, and its dialogs above it (xdg_toplevel.set_parent). */
  void raise(Toplevel& toplevel);
  /** Puts fullscreen windows above the panels, unless another window of the output has been focused since. */
  void restack();

  // Called by those that show a client's surface.
  void mapped(Toplevel& toplevel);
  void unmapped(Toplevel& toplevel);
  void destroyed(Toplevel& toplevel);
  void parentChanged(Toplevel& toplevel);
  /** Something that a pointer can point to has moved, come or gone. */
  void changed();

  /** The seat's part: a client wants its window moved (no edges) or resized, for the input event of this serial. */
  std::function<void(Toplevel&, uint32_t serial, uint32_t edges)> onGrabRequest;
  struct {
    wl_signal changed;   ///< what changed() says: another surface may be under the pointer, or visible
    wl_signal committed; ///< a window's surface: its subsurfaces may have moved, or be stacked in another way
    wl_signal locked;    ///< the session is hidden, from the next frame on
  } events;
  /** The seat's part: a window is gone, and so is any grab of it. */
  std::function<void(Toplevel&)> onGone;

private:
  void addToplevel(wlr_xdg_toplevel& toplevel);
  [[nodiscard]] Toplevel* lastFocused() const;
  [[nodiscard]] wlr_surface* keyboardTarget() const;
  void restack(Toplevel& top, wlr_output& output);
  [[nodiscard]] LayerShell::Handlers layerHandlers();
  [[nodiscard]] SessionLock::Handlers lockHandlers();
  void onLayerMapped(LayerSurface& layer);
  void onLayerKeyboard(LayerSurface& layer);
  void onLocked();
  wlr_output_layout& layout_;
  wlr_seat& seat_;
  const Kind kind_;
  wlr_scene* scene_;
  const SceneLayers layers_;
  wlr_xdg_shell* shell_;
  ForeignToplevelManagers foreignToplevels_;
  std::vector<std::unique_ptr<Toplevel>> toplevels_; ///< the last one has had the keyboard last
  Toplevel* focused_ = nullptr;
  LayerSurface* focusedLayer_ = nullptr; ///< clicked, and has the keyboard instead of `focused_`
  wlr_surface* keyboardPopup_ = nullptr;
  const wlr_output* clicked_ = nullptr; ///< the output where the last click was; it may be gone, and is only compared
  int placed_ = 0;                      ///< windows placed since there were none, for the cascade
  Listener<wlr_xdg_toplevel> newToplevel_;
  Listener<wlr_xdg_popup> newPopup_;
  Listener<wlr_xdg_surface> newXdgSurface_;
  Listener<wlr_seat_pointer_grab> pointerGrab_;
  Listener<wlr_seat_keyboard_grab> keyboardGrab_;
  LayerShell layerShell_;
  SessionLock lock_;
};

} // namespace vitrine
