#include "compositor/input/cursor_image.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "protected-path/base/log.h"
#include "protected-path/dmabuf/mapping.h"

namespace vitrine {
namespace {

/** The size of cursors in layout coordinates. */
uint32_t wantedSize() {
  constexpr uint32_t usual = 24;
  const char* given = std::getenv("XCURSOR_SIZE");
  uint32_t size = 0;
  if (given != nullptr) std::from_chars(given, given + std::strlen(given), size);
  return size > 0 && size <= 512 ? size : usual;
}

} // namespace

CursorImage::CursorImage(wlr_scene_tree& parent, const KmsDevice& display, wl_event_loop& loop)
    : display_(display), theme_(wlr_xcursor_manager_create(std::getenv("XCURSOR_THEME"), wantedSize())),
      tree_(wlr_scene_tree_create(&parent)), largestSide_(largestCursorSide(display)),
      nextFrame_(loop, *this, [](CursorImage& self) { self.showFrame((self.frame_ + 1) % self.frames_.size()); }) {
  setVisible(false);
}

CursorImage::~CursorImage() {
  clear(); // its buffers have framebuffers of the display, which may not outlive that
  wlr_xcursor_manager_destroy(theme_);
}

void CursorImage::clear() {
  nextFrame_.stop();
  if (image_ != nullptr) wlr_scene_node_destroy(&image_->node);
  for (const Frame& frame : frames_)
    wlr_buffer_drop(frame.buffer->base());
  frames_.clear();
  surfaceGone_.disconnect();
  if (surfaceTree_ != nullptr) wlr_scene_node_destroy(&surfaceTree_->node);
  image_ = nullptr;
  surfaceTree_ = nullptr;
  surface_ = nullptr;
  shape_.clear();
}

Result<CursorImage::Frame> CursorImage::draw(const wlr_xcursor_image& image) const {
  const uint32_t fitting = cursorSide({image.width, image.height}, largestSide_);
  const uint32_t side = fitting != 0 ? fitting : std::max(image.width, image.height); // composed
  auto buffer = display_.createDumbBuffer({side, side}, DRM_FORMAT_ARGB8888);
  if (!buffer) return std::unexpected(buffer.error());
  {
    auto mapping = Mapping::map(*buffer, 0, Mapping::Access::Write);
    if (!mapping) return std::unexpected(mapping.error());
    const size_t stride = buffer->plane(0).strideBytes;
    for (uint32_t y = 0; y < image.height; ++y) {
      std::memcpy(mapping->bytes().data() + y * stride, image.buffer + size_t{y} * image.width * 4,
                  size_t{image.width} * 4);
    }
  }
  return Frame{DmabufBuffer::create(std::move(*buffer)), static_cast<int>(image.hotspot_x),
               static_cast<int>(image.hotspot_y), static_cast<int>(image.delay)};
}

void CursorImage::setShape(const std::string& name) {
  if (shape_ != name) showShape(name);
}

void CursorImage::showShape(const std::string& name) {
  wlr_xcursor_manager_load(theme_, scale_);
  wlr_xcursor* cursor = wlr_xcursor_manager_get_xcursor(theme_, name.c_str(), scale_);
  if (cursor == nullptr) cursor = wlr_xcursor_manager_get_xcursor(theme_, "default", scale_);
  if (cursor == nullptr || cursor->image_count == 0) return;
  clear();
  shape_ = name;
  for (unsigned i = 0; i < cursor->image_count; ++i) {
    auto frame = draw(*cursor->images[i]);
    if (!frame) {
      log("input").warn("cursor image: {}", frame.error().text());
      break;
    }
    frames_.push_back(*frame);
  }
  if (!frames_.empty()) showFrame(0);
}

void CursorImage::showFrame(size_t number) {
  const Frame& frame = frames_[number];
  frame_ = number;
  if (image_ == nullptr) {
    image_ = wlr_scene_buffer_create(tree_, frame.buffer->base());
  } else {
    wlr_scene_buffer_set_buffer(image_, frame.buffer->base());
  }
  const auto toLayout = [this](int pixels) {
    return static_cast<int>(std::lround(static_cast<float>(pixels) / scale_));
  };
  const int side = toLayout(static_cast<int>(frame.buffer->dmabuf().size().width));
  wlr_scene_buffer_set_dest_size(image_, side, side);
  wlr_scene_node_set_position(&image_->node, -toLayout(frame.hotspotX), -toLayout(frame.hotspotY));
  if (frames_.size() > 1 && tree_->node.enabled) nextFrame_.start(std::max(frame.milliseconds, 1));
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

void CursorImage::moveTo(double x, double y, float scale) {
  if (scale != std::exchange(scale_, scale) && !shape_.empty()) showShape(std::string(shape_));
  wlr_scene_node_set_position(&tree_->node, static_cast<int>(std::lround(x)), static_cast<int>(std::lround(y)));
}

const wlr_xcursor_image* CursorImage::defaultImage() const {
  wlr_xcursor_manager_load(theme_, 1);
  const wlr_xcursor* cursor = wlr_xcursor_manager_get_xcursor(theme_, "default", 1);
  return cursor != nullptr && cursor->image_count > 0 ? cursor->images[0] : nullptr;
}

void CursorImage::setVisible(bool visible) {
  const bool animates = frames_.size() > 1 && visible;
  if (visible != tree_->node.enabled) {
    nextFrame_.start(animates ? std::max(frames_[frame_].milliseconds, 1) : 0);
  }
  wlr_scene_node_set_enabled(&tree_->node, visible);
}

} // namespace vitrine
