#pragma once

#include <array>

#include "compositor/wlr/wlroots.h"

namespace vitrine {

/** The stack of scene trees, from the bottom to the top. */
struct SceneLayers {
  explicit SceneLayers(wlr_scene_tree& root)
      : background(wlr_scene_tree_create(&root)), bottom(wlr_scene_tree_create(&root)),
        windows(wlr_scene_tree_create(&root)), top(wlr_scene_tree_create(&root)),
        fullscreen(wlr_scene_tree_create(&root)), overlay(wlr_scene_tree_create(&root)),
        lock(wlr_scene_tree_create(&root)), cursor(wlr_scene_tree_create(&root)) {}

  wlr_scene_tree* background; ///< layer-shell
  wlr_scene_tree* bottom;     ///< layer-shell
  wlr_scene_tree* windows;
  wlr_scene_tree* top; ///< layer-shell: panels
  /** The fullscreen window that has been focused last on its output, with its dialogs: above the panels. */
  wlr_scene_tree* fullscreen;
  wlr_scene_tree* overlay; ///< layer-shell, and popups of input methods
  wlr_scene_tree* lock;    ///< the lock screen; while the session is locked nothing else is shown
  wlr_scene_tree* cursor;

  /** Where input goes, from the top to the bottom; what is hidden gets none. */
  [[nodiscard]] std::array<wlr_scene_tree*, 7> pointable() const {
    return {lock, overlay, fullscreen, top, windows, bottom, background};
  }
  /** All that belongs to the session itself: hidden while it is locked. */
  [[nodiscard]] std::array<wlr_scene_tree*, 6> session() const {
    return {background, bottom, windows, top, fullscreen, overlay};
  }
};

} // namespace vitrine
