#include "compositor/render/texture_adapter.h"

#include "protected-path/base/log.h"

namespace vitrine {
namespace {

/** Bytes of a wlr_buffer, for as long as this lives. */
class PixelAccess {
public:
  explicit PixelAccess(wlr_buffer& buffer) : buffer_(buffer) {
    ok_ = wlr_buffer_begin_data_ptr_access(&buffer, WLR_BUFFER_DATA_PTR_ACCESS_READ, &data_, &fourcc_, &stride_);
  }
  PixelAccess(const PixelAccess&) = delete;
  ~PixelAccess() {
    if (ok_) wlr_buffer_end_data_ptr_access(&buffer_);
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] uint32_t fourcc() const { return fourcc_; }
  [[nodiscard]] uint32_t strideBytes() const { return static_cast<uint32_t>(stride_); }
  [[nodiscard]] std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte*>(data_), stride_ * static_cast<size_t>(buffer_.height)};
  }

private:
  wlr_buffer& buffer_;
  bool ok_ = false;
  void* data_ = nullptr;
  uint32_t fourcc_ = 0;
  size_t stride_ = 0;
};

} // namespace

const wlr_texture_impl TextureAdapter::impl = {
    .update_from_buffer = [](wlr_texture* texture, wlr_buffer* buffer,
                             const pixman_region32_t* damage) { return from(texture)->update(*buffer, *damage); },
    .read_pixels = [](wlr_texture* texture,
                      const wlr_texture_read_pixels_options* options) { return from(texture)->read(*options); },
    .preferred_read_format = [](wlr_texture*) -> uint32_t { return DRM_FORMAT_XRGB8888; },
    .destroy = [](wlr_texture* texture) { from(texture)->pool_.giveBack(from(texture)); },
};

TextureAdapter::TextureAdapter(TexturePool& pool) : pool_(pool) {
  pixman_region32_init(&lastDamage_);
}

TextureAdapter::~TextureAdapter() {
  pixman_region32_fini(&lastDamage_);
}

TextureAdapter* TextureAdapter::from(wlr_texture* texture) {
  return texture != nullptr && texture->impl == &impl ? reinterpret_cast<TextureAdapter*>(texture) : nullptr;
}

void TextureAdapter::showDmabuf(DmabufBuffer& buffer) {
  const Size size = buffer.dmabuf().size();
  wlr_texture_init(&base_, &pool_.owner_, &impl, size.width, size.height);
  serial_ = ++pool_.lastSerial_;
  dmabuf_ = BufferLock(&buffer);
  const auto& texture = buffer.texture(pool_.renderer_);
  if (!texture) {
    // Not an error here: a plane may still take it. The display list carries the reason.
    composeRefusal_ = refusalOf(texture.error(), Refusal::GpuImportFailed);
  } else if ((*texture)->isPlaceholder()) {
    composeRefusal_ = (*texture)->refusal();
  }
}

bool TextureAdapter::showPixels(wlr_buffer& buffer) {
  const PixelAccess pixels(buffer);
  if (!pixels.ok()) {
    log("render").warn("upload {}x{}: the buffer's bytes cannot be read", buffer.width, buffer.height);
    return false;
  }
  const Size size{static_cast<uint32_t>(buffer.width), static_cast<uint32_t>(buffer.height)};
  auto uploaded = pool_.renderer_.upload(size, pixels.fourcc(), pixels.strideBytes(), pixels.bytes());
  if (!uploaded) {
    log("render").warn("{}", uploaded.error().text());
    return false;
  }
  wlr_texture_init(&base_, &pool_.owner_, &impl, size.width, size.height);
  serial_ = ++pool_.lastSerial_;
  uploaded_ = std::move(*uploaded);
  return true;
}

void TextureAdapter::clear() {
  dmabuf_.reset();
  uploaded_.reset();
  composeRefusal_ = Refusal::None;
  previousSerial_ = 0;
  pixman_region32_clear(&lastDamage_);
}

wlr_texture* TexturePool::textureOf(wlr_buffer& buffer) {
  std::unique_ptr<TextureAdapter> adapter;
  if (spare_.empty()) {
    adapter = std::make_unique<TextureAdapter>(*this);
  } else {
    adapter = std::move(spare_.back());
    spare_.pop_back();
  }
  if (DmabufBuffer* dmabuf = DmabufBuffer::from(&buffer)) {
    adapter->showDmabuf(*dmabuf);
  } else if (!adapter->showPixels(buffer)) {
    return nullptr;
  }
  return &adapter.release()->base_; // wlroots' until it destroys it
}

void TexturePool::giveBack(TextureAdapter* adapter) {
  constexpr size_t maximumSpare = 32;
  std::unique_ptr<TextureAdapter> owned(adapter);
  owned->clear();
  if (spare_.size() < maximumSpare) spare_.push_back(std::move(owned));
}

const Texture* TextureAdapter::texture() const {
  if (uploaded_) return uploaded_.get();
  const auto& texture = dmabuf_.get()->texture(pool_.renderer_);
  return texture ? texture->get() : nullptr;
}

bool TextureAdapter::update(wlr_buffer& buffer, const pixman_region32_t& damage) {
  if (!uploaded_ || DmabufBuffer::from(&buffer) != nullptr) return false;
  if (static_cast<uint32_t>(buffer.width) != base_.width || static_cast<uint32_t>(buffer.height) != base_.height) {
    return false;
  }
  const PixelAccess pixels(buffer);
  if (!pixels.ok() || pixels.fourcc() != uploaded_->fourcc()) return false;
  int count = 0;
  const pixman_box32_t* boxes = pixman_region32_rectangles(&damage, &count);
  std::vector<Rect> changed;
  changed.reserve(static_cast<size_t>(count));
  const Rect whole{0, 0, buffer.width, buffer.height};
  for (int i = 0; i < count; ++i) {
    const Rect box{boxes[i].x1, boxes[i].y1, boxes[i].x2 - boxes[i].x1, boxes[i].y2 - boxes[i].y1};
    if (const Rect inside = intersect(box, whole); !inside.empty()) changed.push_back(inside);
  }
  if (auto updated = pool_.renderer_.update(*uploaded_, pixels.strideBytes(), pixels.bytes(), changed); !updated) {
    log("render").warn("{}", updated.error().text());
    return false;
  }
  previousSerial_ = serial_;
  serial_ = ++pool_.lastSerial_;
  pixman_region32_copy(&lastDamage_, &damage);
  return true;
}

bool TextureAdapter::read(const wlr_texture_read_pixels_options& options) {
  wlr_box box{};
  wlr_texture_read_pixels_options_get_src_box(&options, &base_, &box);
  auto* data = static_cast<std::byte*>(wlr_texture_read_pixel_options_get_data(&options));
  const Rect source{box.x, box.y, box.width, box.height};
  const std::span<std::byte> bytes(data, static_cast<size_t>(options.stride) * static_cast<size_t>(box.height));
  Result<> done;
  if (DmabufBuffer* buffer = dmabuf_.get()) {
    // Ours are output buffers: what wlroots reads back is always a public view.
    const auto& target = buffer->target(pool_.renderer_);
    done = target ? pool_.renderer_.readPixels(**target, source, options.format, options.stride, bytes)
                  : Result<>(std::unexpected(target.error()));
  } else {
    done = pool_.renderer_.readPixels(*uploaded_, source, options.format, options.stride, bytes);
  }
  if (!done) log("render").warn("{}", done.error().text());
  return done.has_value();
}

} // namespace vitrine
