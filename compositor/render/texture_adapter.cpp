#include "compositor/render/texture_adapter.h"

#include <cstring>
#include <new>

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
  // Imported now. A failure is no error here: a plane may still take it, and the display list carries the reason.
  static_cast<void>(composeRefusal());
}

bool TextureAdapter::showPixels(wlr_buffer& buffer) {
  const PixelAccess pixels(buffer);
  if (!pixels.ok() || formatInfo(pixels.fourcc()) == nullptr) {
    log("render").warn("upload {}x{}: the buffer's bytes cannot be read", buffer.width, buffer.height);
    return false;
  }
  const Size size{static_cast<uint32_t>(buffer.width), static_cast<uint32_t>(buffer.height)};
  wlr_texture_init(&base_, &pool_.owner_, &impl, size.width, size.height);
  serial_ = ++pool_.lastSerial_;
  keptFourcc_ = pixels.fourcc();
  try { // C calls this
    kept_.resize(minimumStrideBytes(*formatInfo(keptFourcc_), size, 0) * size.height);
  } catch (const std::bad_alloc&) {
    log("render").warn("upload {}x{}: no memory for a copy of its pixels", buffer.width, buffer.height);
    return false;
  }
  keepRows(pixels.bytes(), pixels.strideBytes(), {0, 0, buffer.width, buffer.height});
  if (auto uploaded = uploadKept(); !uploaded && !isDeviceLost(uploaded.error())) {
    log("render").warn("{}", uploaded.error().text());
    return false;
  }
  return true;
}

void TextureAdapter::keepRows(std::span<const std::byte> from, uint32_t strideBytes, const Rect& box) {
  const FormatInfo& format = *formatInfo(keptFourcc_);
  const size_t rowBytes = minimumStrideBytes(format, {base_.width, base_.height}, 0);
  const size_t texelBytes = format.bytesPerSample[0];
  for (int32_t row = box.y; row < box.y + box.height; ++row) {
    const size_t column = static_cast<size_t>(box.x) * texelBytes;
    std::memcpy(kept_.data() + static_cast<size_t>(row) * rowBytes + column,
                from.data() + static_cast<size_t>(row) * strideBytes + column,
                static_cast<size_t>(box.width) * texelBytes);
  }
}

TextureAdapter::Pixels TextureAdapter::pixels() const {
  if (kept_.empty()) return {};
  const Size size{base_.width, base_.height};
  return {kept_, keptFourcc_, static_cast<uint32_t>(minimumStrideBytes(*formatInfo(keptFourcc_), size, 0)), size};
}

Result<> TextureAdapter::uploadKept() {
  Renderer& renderer = pool_.renderer_;
  const Size size{base_.width, base_.height};
  const auto strideBytes = static_cast<uint32_t>(minimumStrideBytes(*formatInfo(keptFourcc_), size, 0));
  auto uploaded = renderer.upload(size, keptFourcc_, strideBytes, kept_);
  if (!uploaded) return std::unexpected(uploaded.error());
  uploaded_ = std::move(*uploaded);
  uploadedGeneration_ = renderer.generation();
  return {};
}

bool TextureAdapter::isCurrent() const {
  return uploaded_ != nullptr && !uploaded_->contentLost() && uploadedGeneration_ == pool_.renderer_.generation();
}

void TextureAdapter::clear() {
  dmabuf_.reset();
  uploaded_.reset();
  kept_ = {};
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

const Texture* TextureAdapter::texture() {
  if (DmabufBuffer* buffer = dmabuf_.get()) {
    const auto& texture = buffer->texture(pool_.renderer_);
    return texture ? texture->get() : nullptr;
  }
  if (!isCurrent()) {
    if (auto done = uploadKept(); !done) log("render").warn("{}", done.error().text());
  }
  return uploaded_.get();
}

Refusal TextureAdapter::composeRefusal() {
  DmabufBuffer* buffer = dmabuf_.get();
  if (buffer == nullptr) return Refusal::None;
  const auto& texture = buffer->texture(pool_.renderer_);
  return texture ? (*texture)->refusal() : refusalOf(texture.error(), Refusal::GpuImportFailed);
}

bool TextureAdapter::update(wlr_buffer& buffer, const pixman_region32_t& damage) {
  if (dmabuf_.get() != nullptr || DmabufBuffer::from(&buffer) != nullptr) return false;
  if (static_cast<uint32_t>(buffer.width) != base_.width || static_cast<uint32_t>(buffer.height) != base_.height) {
    return false;
  }
  const PixelAccess pixels(buffer);
  if (!pixels.ok() || pixels.fourcc() != keptFourcc_) return false;
  int count = 0;
  const pixman_box32_t* boxes = pixman_region32_rectangles(&damage, &count);
  std::vector<Rect> changed;
  changed.reserve(static_cast<size_t>(count));
  const Rect whole{0, 0, buffer.width, buffer.height};
  for (int i = 0; i < count; ++i) {
    const Rect box{boxes[i].x1, boxes[i].y1, boxes[i].x2 - boxes[i].x1, boxes[i].y2 - boxes[i].y1};
    const Rect inside = intersect(box, whole);
    if (inside.empty()) continue;
    changed.push_back(inside);
    keepRows(pixels.bytes(), pixels.strideBytes(), inside);
  }
  const auto updated =
      isCurrent() ? pool_.renderer_.update(*uploaded_, pixels.strideBytes(), pixels.bytes(), changed) : uploadKept();
  if (!updated && !isDeviceLost(updated.error())) {
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
    // Only a picture that was drawn for readers on the CPU has pixels here.
    const Readback* pixels = buffer->readback();
    done = pixels != nullptr ? pixels->read(source, options.format, options.stride, bytes)
                             : missing("read pixels", buffer->dmabuf().describe(), "a copy of them on the CPU");
  } else if (uploaded_ == nullptr) {
    return false;
  } else {
    done = pool_.renderer_.readPixels(*uploaded_, source, options.format, options.stride, bytes);
  }
  if (!done) log("render").warn("{}", done.error().text());
  return done.has_value();
}

} // namespace vitrine
