#pragma once

#include <string>

#include "compositor/render/dmabuf_buffer.h"
#include "compositor/wlr/listener.h"

namespace vitrine {

/**
 * What the pointer looks like, as a node above everything in the scene: a theme's image in a scanout buffer, which a cursor plane can
 * take, or a client's surface.
 */
class CursorImage {
public:
  CursorImage(wlr_scene_tree& parent, const KmsDevice& display);
  CursorImage(const CursorImage&) = delete;
  ~CursorImage();

  /** A shape by its XCursor name (`default`, `text`). An unknown one is the theme's default. */
  void setShape(const std::string& name);
  /** A client's surface, or nothing at all where it is null. */
  void setSurface(wlr_surface* surface, int hotspotX, int hotspotY);
  void moveTo(double x, double y);
  void setVisible(bool visible);

private:
  [[nodiscard]] Result<DmabufBuffer*> draw(const wlr_xcursor_image& image) const;
  void clear();

  const KmsDevice& display_;
  wlr_xcursor_manager* theme_;
  wlr_scene_tree* tree_;
  wlr_scene_buffer* image_ = nullptr;
  wlr_scene_tree* surfaceTree_ = nullptr;
  wlr_surface* surface_ = nullptr;
  std::string shape_;
  Listener<void> surfaceGone_; ///< the scene tree of a surface goes with the surface
};

} // namespace vitrine
