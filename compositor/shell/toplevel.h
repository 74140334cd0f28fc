#pragma once

#include <memory>
#include <optional>
#include <string>

#include "compositor/shell/foreign_toplevels.h"
#include "compositor/shell/node_owner.h"
#include "compositor/wlr/listener.h"

namespace vitrine {

class Desktop;

/** What a window is told to be. Its client draws it so later. */
struct ToplevelStates {
  bool activated = false; ///< it looks focused
  bool maximized = false;
  bool fullscreen = false;
  bool minimized = false;
  bool tiled = false; ///< all of its edges touch another window or the output's border: no shadow, no corners
};

/**
 * A window: its place in the scene and its states. XdgToplevel and XwaylandToplevel know how its client is told, and what the client
 * has done of it.
 */
class Toplevel : public NodeOwner {
public:
  [[nodiscard]] Toplevel* toplevel() override { return this; }
  [[nodiscard]] std::optional<wlr_box> popupArea() const override;
  [[nodiscard]] wlr_surface& surface() const { return surface_; }

  /** In UTF-8; null: the client has set none. */
  [[nodiscard]] virtual const char* title() const = 0;
  /** The application's name: an xdg_toplevel's app_id, an X11 window's class. Null: none is set. */
  [[nodiscard]] virtual const char* appId() const = 0;
  /** The window whose dialog it is; null: a window of its own. */
  [[nodiscard]] virtual Toplevel* parent() const = 0;
  /** What of its surface counts as window, without a shadow: in coordinates of the surface. */
  [[nodiscard]] virtual wlr_box geometry() const = 0;
  /** Its surfaces with their subsurfaces and popups, each with its place in coordinates of surface(). */
  virtual void forEachSurface(wlr_surface_iterator_func_t iterator, void* data) const = 0;
  /** Whether its client has drawn it so. */
  [[nodiscard]] virtual bool isFullscreen() const = 0;
  [[nodiscard]] virtual bool isMaximized() const = 0;
  /** Whether it takes the keyboard when it appears. */
  [[nodiscard]] virtual bool takesKeyboard() const { return true; }
  /** Whether it is where the user told its client to put it. */
  [[nodiscard]] virtual bool hasPlace() const { return false; }
  /** Asks its client to close it. */
  virtual void close() = 0;
  /** Whether it is a dialog that the user has to answer before its parent. */
  [[nodiscard]] virtual bool isModal() const { return modal_ && parent() != nullptr; }
  void setModal(bool modal) { modal_ = modal; }
  /** Sets the name of its icon from its next commit on; empty: the application's icon. */
  void setIcon(std::string name) { nextIcon_ = std::move(name); }
  [[nodiscard]] const std::string& icon() const { return icon_; }

  [[nodiscard]] const ToplevelStates& states() const { return states_; }
  [[nodiscard]] bool isMapped() const { return mapped_; }
  [[nodiscard]] bool wantsFullscreen() const { return states_.fullscreen; }
  [[nodiscard]] bool isMinimized() const { return states_.minimized; }
  /** Whether it is where it was put, and may be moved: it is not maximised, fullscreen, snapped or on its way back from there. */
  [[nodiscard]] bool isFree() const { return placement_ == Placement::Free; }
  /** geometry() in layout coordinates. */
  [[nodiscard]] wlr_box box() const;

  void moveTo(int x, int y);
  /** Moves it, and the place that it goes back to, with its output. */
  void shift(int byX, int byY);
  /** Has a fullscreen or maximised window fill its output, or what panels leave of it, as that is now. */
  void refill();
  /** An interactive resize at these edges (enum wlr_edges). The other edges rest, with any size that the client chooses. */
  void beginResize(uint32_t edges);
  /** Asks for a size, within the limits that the client has set. */
  void resizeTo(int width, int height);
  void endResize();
  void setMaximized(bool maximized);
  /** Puts it on this half of what panels leave of its output (one of enum wlr_edges), or back where it was (WLR_EDGE_NONE). */
  void snap(uint32_t edge);
  /** `output`: the one that it is to fill; null: the one that it is on. */
  void setFullscreen(bool fullscreen, wlr_output* output = nullptr);
  void setActivated(bool activated);
  /** Hides it or shows it; Desktop::setMinimized() moves the focus as well. */
  void setMinimized(bool minimized);
  /** It is above all other windows now. */
  virtual void onRaised() {}

  /** Shows it to panels until it is unmapped. */
  void showToPanels(const ForeignToplevelManagers& managers);
  /** The panels' object for it; null while it is not mapped. */
  [[nodiscard]] ForeignToplevel* foreign() const { return foreign_.get(); }

protected:
  /** Takes `tree`, which shows the window's surface. */
  Toplevel(Desktop& desktop, wlr_scene_tree& tree, wlr_surface& surface);
  [[nodiscard]] Desktop& desktop() const { return desktop_; }
  /** Whether it covers its output, no matter what its client asks for. */
  [[nodiscard]] bool mustFill() const;

  /** The smallest and largest size that the client allows; 0: any. */
  struct Limits {
    int minWidth = 0;
    int minHeight = 0;
    int maxWidth = 0;
    int maxHeight = 0;
  };
  [[nodiscard]] virtual Limits limits() const = 0;
  /** Whether the client can be told anything yet. */
  [[nodiscard]] virtual bool isConfigurable() const = 0;
  /** Tells the client all of states(). */
  virtual void tellStates() = 0;
  /** Asks for a size; 0 x 0: the client's own choice. Returns what hasDrawn() takes. */
  virtual uint32_t tellSize(int width, int height) = 0;
  /** Tells the client that an interactive resize goes on, or has ended. Returns what hasDrawn() takes. */
  virtual uint32_t tellResizing(bool resizing) = 0;
  /** Whether the surface shows what the client was told with `serial`. */
  [[nodiscard]] virtual bool hasDrawn(uint32_t serial) const = 0;
  /** It has another place in the layout. */
  virtual void onMoved() {}

  /** Before it is mapped, for the first time or once more: nothing is left of states that it had before. */
  void reset();
  void setMapped(bool mapped);
  /** What counts from a commit on, mapped or not. */
  void onCommit();
  /** Its surface has committed while it was mapped. */
  void onContentCommit();
  void namesChanged();
  void grabRequested(uint32_t serial, uint32_t edges);
  void putOn(wlr_output& output);

private:
  enum class Placement {
    Free,
    Filling,  ///< maximised, fullscreen or snapped
    Returning ///< told to be as it was before that, and has not drawn it yet
  };
  struct Anchor {
    uint32_t edges; ///< that move
    int right;      ///< in layout coordinates, as is `bottom`
    int bottom;
    std::optional<uint32_t> until; ///< hasDrawn() of this ends it
  };

  void settle();
  void followAnchor();
  void moveToTheMiddle();
  void showBackdrop(const wlr_box& output);
  void hideBackdrop();
  [[nodiscard]] bool isFilling() const;
  void fill(wlr_output* output = nullptr);
  void restore();
  [[nodiscard]] wlr_box boxToFill() const;
  void statesChanged();

  Desktop& desktop_;
  wlr_surface& surface_;
  ToplevelStates states_;
  wlr_scene_rect* backdrop_ = nullptr; ///< black behind a fullscreen window that is smaller than its output
  wlr_box restored_{};                 ///< where it was before it was maximised or made fullscreen
  Placement placement_ = Placement::Free;
  uint32_t snapped_ = WLR_EDGE_NONE;
  uint32_t placedWith_ = 0; ///< what hasDrawn() takes
  std::optional<Anchor> anchor_;
  wlr_box committed_{}; ///< its geometry at the last commit
  bool mapped_ = false;
  bool modal_ = false;
  std::string icon_;
  std::optional<std::string> nextIcon_; ///< from the next commit on
  std::unique_ptr<ForeignToplevel> foreign_;
};

} // namespace vitrine
