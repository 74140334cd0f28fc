#pragma once

#include <string>

#include "compositor/output/cursor_scanout.h"
#include "compositor/wlr/listener.h"
#include "compositor/wlr/timer.h"

namespace vitrine {

/**
 * The pointer's image, as a node above everything in the scene: images of a theme in scanout buffers, which a cursor plane can take,
 * or a client's surface. The theme and its size are those of XCURSOR_THEME and XCURSOR_SIZE.
 */
class CursorImage {
public:
  CursorImage(wlr_scene_tree& parent, const KmsDevice& display, wl_event_loop& loop);
  CursorImage(const CursorImage&) = delete;
  ~CursorImage();

  /** A shape by its XCursor name (`default`, `text`). An unknown one is the theme's default. */
  void setShape(const std::string& name);
  /** A client's surface, or nothing at all where it is null. */
  void setSurface(wlr_surface* surface, int hotspotX, int hotspotY);
  /** Moves it, in layout coordinates, on an output of this scale. */
  void moveTo(double x, double y, float scale);
  void setVisible(bool visible);
  /** The theme's default shape at scale 1; null: there is none. It lives as long as this. */
  [[nodiscard]] const wlr_xcursor_image* defaultImage() const;

private:
  /** One image of an animation. */
  struct Frame {
    DmabufBuffer* buffer = nullptr; ///< owned
    int hotspotX = 0;               ///< in buffer pixels
    int hotspotY = 0;
    int milliseconds = 0; ///< how long it is shown; 0 where it is the only one
  };
  [[nodiscard]] Result<Frame> draw(const wlr_xcursor_image& image) const;
  void showShape(const std::string& name);
  void showFrame(size_t frame);
  void clear();

  const KmsDevice& display_;
  wlr_xcursor_manager* theme_;
  wlr_scene_tree* tree_;
  wlr_scene_buffer* image_ = nullptr;
  wlr_scene_tree* surfaceTree_ = nullptr;
  wlr_surface* surface_ = nullptr;
  std::string shape_;
  float scale_ = 1;
  uint32_t largestSide_;
  std::vector<Frame> frames_;
  size_t frame_ = 0;
  Timer nextFrame_;            ///< shows the next image of an animation
  Listener<void> surfaceGone_; ///< the scene tree of a surface goes with the surface
};

} // namespace vitrine
