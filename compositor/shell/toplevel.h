#pragma once

#include <memory>
#include <optional>
#include <string>

#include "compositor/shell/foreign_toplevels.h"
#include "compositor/shell/node_owner.h"
#include "compositor/wlr/listener.h"

namespace vitrine {

class Desktop;

/** One xdg toplevel: its place in the scene and its states. */
class Toplevel final : public NodeOwner {
public:
  /** Takes `tree`, which shows the toplevel's xdg_surface. */
  Toplevel(Desktop& desktop, wlr_scene_tree& tree, wlr_xdg_toplevel& toplevel);

  [[nodiscard]] wlr_xdg_toplevel& xdg() { return toplevel_; }
  [[nodiscard]] Toplevel* toplevel() override { return this; }
  [[nodiscard]] std::optional<wlr_box> popupArea() const override;
  [[nodiscard]] wlr_surface& surface() { return *toplevel_.base->surface; }
  /** The window whose dialog it is; null: a window of its own. */
  [[nodiscard]] Toplevel* parent() const;
  [[nodiscard]] bool isMapped() const { return mapped_; }
  [[nodiscard]] bool isFullscreen() const { return toplevel_.current.fullscreen; }
  [[nodiscard]] bool wantsFullscreen() const { return toplevel_.scheduled.fullscreen; }
  [[nodiscard]] bool isMinimized() const { return minimized_; }
  /** Whether it stands where it was put, and may be moved: it is not maximised, fullscreen, snapped or on its way back from there. */
  [[nodiscard]] bool isFree() const { return stand_ == Stand::Free; }
  /** What of its surface counts as window, without a shadow: in coordinates of the surface. */
  [[nodiscard]] wlr_box geometry() const;
  /** That in layout coordinates. */
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
  void close() { wlr_xdg_toplevel_send_close(&toplevel_); }
  /** Sets the name of its icon from its next commit on; empty: the application's icon. */
  void setIcon(std::string name) { nextIcon_ = std::move(name); }
  [[nodiscard]] const std::string& icon() const { return icon_; }
  void setModal(bool modal) { modal_ = modal; }
  /** Whether it is a dialog that the user has to answer before its parent. */
  [[nodiscard]] bool isModal() const { return modal_ && toplevel_.parent != nullptr; }

  /** Shows it to panels until it is unmapped. */
  void showToPanels(const ForeignToplevelManagers& managers);
  /** The panels' object for it; null while it is not mapped. */
  [[nodiscard]] ForeignToplevel* foreign() const { return foreign_.get(); }

private:
  enum class Stand {
    Free,
    Filling,  ///< maximised, fullscreen or snapped
    Returning ///< told to be as it was before that, and has not committed it yet
  };
  struct Anchor {
    uint32_t edges; ///< that move
    int right;      ///< in layout coordinates, as is `bottom`
    int bottom;
    std::optional<uint32_t> until; ///< the serial of the configure that ends it
  };

  void onCommit();
  void configureInitially();
  [[nodiscard]] bool hasCommitted(uint32_t serial) const;
  void followAnchor();
  void standInTheMiddle();
  void showBackdrop(const wlr_box& output);
  void hideBackdrop();
  void putOn(wlr_output& output);
  void setSnapped(uint32_t edge);
  [[nodiscard]] bool isFilling() const;
  void fill(wlr_output* output = nullptr);
  void restore();
  [[nodiscard]] wlr_box boxToFill() const;
  void tellPanels();

  Desktop& desktop_;
  wlr_xdg_toplevel& toplevel_;
  wlr_scene_rect* backdrop_ = nullptr; ///< black behind a fullscreen window that is smaller than its output
  wlr_box restored_{};                 ///< where it was before it was maximised or made fullscreen
  Stand stand_ = Stand::Free;
  uint32_t snapped_ = WLR_EDGE_NONE;
  uint32_t standsFrom_ = 0; ///< the serial of the configure since which it is so
  std::optional<Anchor> anchor_;
  wlr_box committed_{}; ///< its geometry at the last commit
  bool mapped_ = false;
  bool minimized_ = false;
  bool modal_ = false;
  std::string icon_;
  std::optional<std::string> nextIcon_; ///< from the next commit on
  std::unique_ptr<ForeignToplevel> foreign_;
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
};

} // namespace vitrine
