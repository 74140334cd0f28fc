#include "compositor/input/cursor_image.h"

#include <cmath>
#include <cstring>

#include "protected-path/base/log.h"
#include "protected-path/dmabuf/mapping.h"

namespace vitrine {

CursorImage::CursorImage(wlr_scene_tree& parent, const KmsDevice& display)
    : display_(display), theme_(wlr_xcursor_manager_create(nullptr, 24)), tree_(wlr_scene_tree_create(&parent)) {
  setVisible(false);
}

CursorImage::~CursorImage() {
  clear(); // its buffer has a framebuffer of the display, which may not outlive that
  wlr_xcursor_manager_destroy(theme_);
}

void CursorImage::clear() {
  if (image_ != nullptr) wlr_scene_node_destroy(&image_->node);
  surfaceGone_.disconnect();
  if (surfaceTree_ != nullptr) wlr_scene_node_destroy(&surfaceTree_->node);
  image_ = nullptr;
  surfaceTree_ = nullptr;
  surface_ = nullptr;
  shape_.clear();
}

Result<DmabufBuffer*> CursorImage::draw(const wlr_xcursor_image& image) const {
  // Cursor planes commonly take this one size only.
  constexpr uint32_t side = 64;
  const Size size{std::max(side, image.width), std::max(side, image.height)};
  auto buffer = display_.createDumbBuffer(size, DRM_FORMAT_ARGB8888);
  if (!buffer) return std::unexpected(buffer.error());
  auto mapping = Mapping::map(*buffer, 0, Mapping::Access::Write);
  if (!mapping) return std::unexpected(mapping.error());
  const size_t stride = buffer->plane(0).strideBytes;
  for (uint32_t y = 0; y < image.height; ++y) {
    std::memcpy(mapping->bytes().data() + y * stride, image.buffer + size_t{y} * image.width * 4,
                size_t{image.width} * 4);
  }
  return DmabufBuffer::create(std::move(*buffer));
}

void CursorImage::setShape(const std::string& name) {
  if (shape_ == name) return;
  wlr_xcursor_manager_load(theme_, 1);
  wlr_xcursor* cursor = wlr_xcursor_manager_get_xcursor(theme_, name.c_str(), 1);
  if (cursor == nullptr) cursor = wlr_xcursor_manager_get_xcursor(theme_, "default", 1);
  if (cursor == nullptr || cursor->image_count == 0) return;
  const wlr_xcursor_image& image = *cursor->images[0];
  auto buffer = draw(image);
  if (!buffer) {
    log("input").warn("cursor image: {}", buffer.error().text());
    return;
  }
  clear();
  shape_ = name;
  image_ = wlr_scene_buffer_create(tree_, (*buffer)->base());
  wlr_buffer_drop((*buffer)->base()); // the scene holds it now
  wlr_scene_node_set_position(&image_->node, -static_cast<int>(image.hotspot_x), -static_cast<int>(image.hotspot_y));
}

void CursorImage::setSurface(wlr_surface* surface, int hotspotX, int hotspotY) {
  if (surface != surface_ || surface == nullptr) clear();
  if (surface == nullptr) return;
  if (surfaceTree_ == nullptr) {
    surface_ = surface;
    surfaceTree_ = wlr_scene_subsurface_tree_create(tree_, surface);
    surfaceGone_.connect(surfaceTree_->node.events.destroy, [this](void*) {
      surfaceGone_.disconnect();
      surfaceTree_ = nullptr;
      surface_ = nullptr;
    });
  }
  wlr_scene_node_set_position(&surfaceTree_->node, -hotspotX, -hotspotY);
}

void CursorImage::moveTo(double x, double y) {
  wlr_scene_node_set_position(&tree_->node, static_cast<int>(std::lround(x)), static_cast<int>(std::lround(y)));
}

void CursorImage::setVisible(bool visible) {
  wlr_scene_node_set_enabled(&tree_->node, visible);
}

} // namespace vitrine
