#include "protected-path/render/pixman/pixman_renderer.h"

#include <drm_fourcc.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <format>
#include <new>

#include "protected-path/dmabuf/sync_file.h"
#include "protected-path/render/placeholder.h"
#include "protected-path/render/texel_mapping.h"

namespace vitrine::pixman {
namespace {

constexpr std::array targetFourccs = {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_XBGR8888,
                                      DRM_FORMAT_ABGR8888};
constexpr int period = 2 * PlaceholderPattern::stripeWidth;

Rect wholeOf(Size size) {
  return {0, 0, static_cast<int32_t>(size.width), static_cast<int32_t>(size.height)};
}

uint16_t channel(float value) {
  return static_cast<uint16_t>(std::lround(std::clamp(value, 0.0F, 1.0F) * 0xffff));
}

Image solid(const Color& color) {
  const pixman_color_t premultiplied{channel(color.red * color.alpha), channel(color.green * color.alpha),
                                     channel(color.blue * color.alpha), channel(color.alpha)};
  return Image(pixman_image_create_solid_fill(&premultiplied));
}

pixman_op_t operatorOf(const DrawCommand& command) {
  return command.blend ? PIXMAN_OP_OVER : PIXMAN_OP_SRC;
}

void fill(pixman_image_t* target, pixman_op_t how, const Color& color, std::span<const Rect> parts) {
  const Image source = solid(color);
  for (const Rect& part : parts)
    pixman_image_composite32(how, source.get(), nullptr, target, 0, 0, 0, 0, part.x, part.y, part.width, part.height);
}

/** A mask for a draw that is not opaque. Null: it is. */
Image maskOf(float alpha) {
  return alpha < 1 ? solid({0, 0, 0, alpha}) : nullptr;
}

/** Whether `bytes` hold the rows of a plane. */
Result<> checkRows(const char* operation, Size size, uint32_t fourcc, unsigned plane, uint32_t strideBytes,
                   size_t sizeBytes) {
  const std::string object = std::format("{}x{} {}", size.width, size.height, fourccName(fourcc));
  if (!pixmanFormat(fourcc) && yccFormat(fourcc) == nullptr)
    return refused(Refusal::GpuFormatUnsupported, operation, object);
  constexpr uint32_t most = 32767; // pixman's coordinates are 16.16
  if (size.width == 0 || size.height == 0) return refused(Refusal::SizeInvalid, operation, object);
  if (size.width > most || size.height > most) return refused(Refusal::GpuSizeUnsupported, operation, object);
  const FormatInfo& format = *formatInfo(fourcc);
  const uint64_t row = minimumStrideBytes(format, size, plane);
  if (strideBytes < row) return refused(Refusal::StrideTooSmall, operation, object);
  if (sizeBytes < uint64_t{strideBytes} * (planeSize(format, size, plane).height - 1) + row)
    return refused(Refusal::LayoutOutOfBounds, operation, object);
  return {};
}

/** Memory for pixels. A client chooses how much, so its lack is an error and no exception. */
Result<std::vector<uint32_t>> takeWords(const char* operation, size_t count) {
  try {
    return std::vector<uint32_t>(count);
  } catch (const std::bad_alloc&) {
    return systemError(operation, std::format("{} bytes", count * sizeof(uint32_t)), ENOMEM);
  }
}

/** Maps each plane of a buffer. */
Result<std::vector<Mapping>> mapPlanes(const char* operation, const Dmabuf& buffer, Mapping::Access access) {
  const bool ycc = yccFormat(buffer.fourcc()) != nullptr;
  if (buffer.modifier() != DRM_FORMAT_MOD_LINEAR || (!ycc && !pixmanFormat(buffer.fourcc())) ||
      buffer.planeCount() != buffer.format().planes)
    return refused(Refusal::GpuFormatUnsupported, operation, buffer.describe());
  std::vector<Mapping> mappings;
  for (unsigned plane = 0; plane < buffer.planeCount(); ++plane) {
    const DmabufPlane& layout = buffer.plane(plane);
    if (!ycc && (layout.strideBytes % sizeof(uint32_t) != 0 || layout.offsetBytes % sizeof(uint32_t) != 0))
      return refused(Refusal::GpuImportFailed, operation, buffer.describe(),
                     "pixman needs rows that start at whole words");
    auto mapping = Mapping::mapUnused(buffer, plane, access);
    if (!mapping) return refused(Refusal::GpuImportFailed, operation, buffer.describe(), mapping.error().text());
    const auto rows =
        checkRows(operation, buffer.size(), buffer.fourcc(), plane, layout.strideBytes, mapping->bytes().size());
    if (!rows) return std::unexpected(rows.error());
    if (auto readable = mapping->tryPages(); !readable) {
      if (isTransient(readable.error())) return std::unexpected(readable.error());
      return refused(Refusal::GpuImportFailed, operation, buffer.describe(), readable.error().text());
    }
    mappings.push_back(std::move(*mapping));
  }
  return mappings;
}

/** Why the CPU does not look at a buffer, or None. Protected content has no pixels here. */
Refusal refusalFor(Evidence evidence) {
  if (evidence == Evidence::None) return Refusal::None;
  return evidence == Evidence::Claimed ? Refusal::ClaimWithoutEvidence : Refusal::GpuAbsent;
}

/** Copies a box between images, converting the format. */
Result<> copyBox(pixman_image_t* from, const Rect& box, uint32_t fourcc, uint32_t strideBytes,
                 std::span<std::byte> bytes) {
  const Size size{static_cast<uint32_t>(std::max(box.width, 0)), static_cast<uint32_t>(std::max(box.height, 0))};
  const Rect whole{0, 0, pixman_image_get_width(from), pixman_image_get_height(from)};
  if (!std::ranges::contains(targetFourccs, fourcc))
    return refused(Refusal::GpuFormatUnsupported, "read pixels", fourccName(fourcc));
  if (box.empty() || !whole.contains(box))
    return refused(Refusal::SizeInvalid, "read pixels",
                   std::format("{}x{}+{}+{}", box.width, box.height, box.x, box.y));
  if (auto rows = checkRows("read pixels", size, fourcc, 0, strideBytes, bytes.size()); !rows) return rows;
  // pixman writes whole words, at addresses that the caller need not have.
  std::vector<uint32_t> row(size.width);
  const auto opaque = PIXMAN_FORMAT_A(pixman_image_get_format(from)) == 0 || !formatInfo(fourcc)->hasAlpha;
  const auto withAlpha = pixmanFormat(fourcc == DRM_FORMAT_XRGB8888   ? DRM_FORMAT_ARGB8888
                                      : fourcc == DRM_FORMAT_XBGR8888 ? DRM_FORMAT_ABGR8888
                                                                      : fourcc);
  for (uint32_t y = 0; y < size.height; ++y) {
    const Image to = imageOver(*withAlpha, {size.width, 1},
                               {reinterpret_cast<std::byte*>(row.data()), size.width * uint32_t{sizeof(uint32_t)}});
    pixman_image_composite32(PIXMAN_OP_SRC, from, nullptr, to.get(), box.x, box.y + static_cast<int32_t>(y), 0, 0, 0, 0,
                             box.width, 1);
    if (opaque) std::ranges::for_each(row, [](uint32_t& pixel) { pixel |= 0xff000000U; });
    std::memcpy(bytes.data() + size_t{y} * strideBytes, row.data(), row.size() * sizeof(uint32_t));
  }
  return {};
}

/** A target's pixels as they were when the reading began. */
class CopiedPixels final : public Readback {
public:
  CopiedPixels(pixman_format_code_t format, Size size, std::vector<uint32_t> pixels)
      : Readback(UniqueFd()), pixels_(std::move(pixels)),
        image_(imageOver(format, size,
                         {reinterpret_cast<std::byte*>(pixels_.data()), size.width * uint32_t{sizeof(uint32_t)}})) {}

  [[nodiscard]] Result<> read(const Rect& box, uint32_t fourcc, uint32_t strideBytes,
                              std::span<std::byte> bytes) const override {
    return copyBox(image_.get(), box, fourcc, strideBytes, bytes);
  }

private:
  std::vector<uint32_t> pixels_;
  Image image_;
};

/** Turns and scales the texels of `box` as the draw says, for a destination that begins at 0,0. */
void place(pixman_image_t* texels, const TexelMapping& mapping, const Rect& box, bool nearest) {
  const auto fixed = [](double value) { return static_cast<pixman_fixed_t>(std::lround(value * 65536)); };
  pixman_transform_t transform{};
  for (size_t row = 0; row < 2; ++row) {
    transform.matrix[row][0] = fixed(mapping.matrix[2 * row]);
    transform.matrix[row][1] = fixed(mapping.matrix[2 * row + 1]);
    transform.matrix[row][2] = fixed(mapping.translation[row] - (row == 0 ? box.x : box.y));
  }
  transform.matrix[2][2] = pixman_fixed_1;
  pixman_image_set_transform(texels, &transform);
  pixman_image_set_filter(texels, nearest ? PIXMAN_FILTER_NEAREST : PIXMAN_FILTER_BILINEAR, nullptr, 0);
  pixman_image_set_repeat(texels, PIXMAN_REPEAT_PAD);
}

} // namespace

PixmanRenderer::PixmanRenderer() : patternPixels_(static_cast<size_t>(period) * period) {
  report_.name = "CPU";
  report_.driver = std::format("pixman {}", pixman_version_string());
  report_.softwareRasterizer = true;
  report_.refusal = Refusal::GpuAbsent;
  for (const uint32_t fourcc : pixmanFourccs())
    sampled_.push_back({fourcc, DRM_FORMAT_MOD_LINEAR});
  for (const YccFormat& format : yccFormats())
    sampled_.push_back({format.fourcc, DRM_FORMAT_MOD_LINEAR});
  for (const uint32_t fourcc : targetFourccs)
    targets_.push_back({fourcc, DRM_FORMAT_MOD_LINEAR});
  for (int y = 0; y < period; ++y) {
    for (int x = 0; x < period; ++x) {
      const auto& rgb = placeholderPixel(x, y);
      patternPixels_[static_cast<size_t>(y) * period + static_cast<size_t>(x)] =
          0xff000000U | uint32_t{rgb[0]} << 16 | uint32_t{rgb[1]} << 8 | rgb[2];
    }
  }
  pattern_ = imageOver(PIXMAN_a8r8g8b8, {period, period},
                       {reinterpret_cast<std::byte*>(patternPixels_.data()), period * uint32_t{sizeof(uint32_t)}});
  pixman_image_set_repeat(pattern_.get(), PIXMAN_REPEAT_NORMAL);
}

Result<std::unique_ptr<Texture>> PixmanRenderer::import(const Dmabuf& buffer) {
  if (const Refusal refusal = refusalFor(buffer.evidence()); refusal != Refusal::None)
    return std::make_unique<PixmanTexture>(buffer.size(), buffer.fourcc(), refusal);
  auto mappings = mapPlanes("import dma-buf", buffer, Mapping::Access::Read);
  if (!mappings) return std::unexpected(mappings.error());
  counters_.imports += 1;
  return std::make_unique<PixmanTexture>(buffer, std::move(*mappings));
}

Result<std::unique_ptr<RenderTarget>> PixmanRenderer::importTarget(const Dmabuf& buffer) {
  if (const Refusal refusal = refusalFor(buffer.evidence()); refusal != Refusal::None)
    return refused(refusal, "import target", buffer.describe());
  if (!std::ranges::contains(targetFourccs, buffer.fourcc()))
    return refused(Refusal::GpuFormatUnsupported, "import target", buffer.describe());
  auto mappings = mapPlanes("import target", buffer, Mapping::Access::Write);
  if (!mappings) return std::unexpected(mappings.error());
  counters_.imports += 1;
  return std::make_unique<PixmanTarget>(buffer, std::move(mappings->front()));
}

Result<std::unique_ptr<Texture>> PixmanRenderer::upload(Size size, uint32_t fourcc, uint32_t strideBytes,
                                                        std::span<const std::byte> bytes) {
  if (auto rows = checkRows("upload", size, fourcc, 0, strideBytes, bytes.size()); !rows)
    return std::unexpected(rows.error());
  if (!pixmanFormat(fourcc)) return refused(Refusal::GpuFormatUnsupported, "upload", fourccName(fourcc));
  const size_t rowBytes = minimumStrideBytes(*formatInfo(fourcc), size, 0);
  auto pixels = takeWords("upload", (rowBytes + sizeof(uint32_t) - 1) / sizeof(uint32_t) * size.height);
  if (!pixels) return std::unexpected(pixels.error());
  auto texture = std::make_unique<PixmanTexture>(size, fourcc, std::move(*pixels));
  const Rect whole = wholeOf(size);
  if (auto copied = update(*texture, strideBytes, bytes, {&whole, 1}); !copied) return std::unexpected(copied.error());
  return texture;
}

Result<> PixmanRenderer::update(Texture& texture, uint32_t strideBytes, std::span<const std::byte> bytes,
                                std::span<const Rect> changed) {
  auto& to = static_cast<PixmanTexture&>(texture);
  if (!to.isUpload()) return invalid("update", "texture", "it was not uploaded");
  if (auto rows = checkRows("update", to.size(), to.fourcc(), 0, strideBytes, bytes.size()); !rows) return rows;
  const size_t bytesPerPixel = formatInfo(to.fourcc())->bytesPerSample[0];
  const PixelMemory& memory = to.planes().front();
  for (const Rect& box : changed) {
    const Rect part = intersect(box, wholeOf(to.size()));
    if (part.empty()) continue;
    const size_t column = static_cast<size_t>(part.x) * bytesPerPixel;
    for (auto y = static_cast<size_t>(part.y); y < static_cast<size_t>(part.bottom()); ++y) {
      std::memcpy(memory.first + y * memory.strideBytes + column, bytes.data() + y * strideBytes + column,
                  static_cast<size_t>(part.width) * bytesPerPixel);
    }
  }
  return {};
}

void PixmanRenderer::drawPlaceholder(pixman_image_t* target, const DrawCommand& command, std::span<const Rect> parts) {
  const Image mask = maskOf(command.alpha);
  for (const Rect& part : parts)
    pixman_image_composite32(operatorOf(command), pattern_.get(), mask.get(), target, part.x, part.y, 0, 0, part.x,
                             part.y, part.width, part.height);
  counters_.placeholdersDrawn += 1;
}

/** An image of a box of texels: over the texture's own memory, or over a copy in RGB that the next call replaces. Null: no memory. */
Image PixmanRenderer::texelsOf(const PixmanTexture& texture, const Rect& box, const DrawCommand& command) {
  const Size size{static_cast<uint32_t>(box.width), static_cast<uint32_t>(box.height)};
  if (const auto format = texture.format()) {
    PixelMemory memory = texture.planes().front();
    memory.first += static_cast<size_t>(box.y) * memory.strideBytes +
                    static_cast<size_t>(box.x) * formatInfo(texture.fourcc())->bytesPerSample[0];
    return imageOver(*format, size, memory);
  }
  const size_t count = size_t{size.width} * size.height;
  if (converted_.size() < count) {
    auto words = takeWords("convert", count);
    if (!words) return nullptr;
    converted_ = std::move(*words);
  }
  convertTexels(*yccFormat(texture.fourcc()), texture.planes(), box, command, converted_);
  return imageOver(PIXMAN_a8r8g8b8, size,
                   {reinterpret_cast<std::byte*>(converted_.data()), size.width * uint32_t{sizeof(uint32_t)}});
}

PixmanRenderer::Drawn PixmanRenderer::drawTexture(pixman_image_t* target, const DrawCommand& command,
                                                  std::span<const Rect> parts) {
  const auto* texture = static_cast<const PixmanTexture*>(command.texture);
  // R1: a texture with protected content is a placeholder, since it has no pixels. R8: so is one whose fences have not signalled.
  if (texture == nullptr || texture->isPlaceholder() || !texture->beginAccess()) return Drawn::Nothing;
  const TexelMapping mapping = texelMapping(command, texture->size());
  const Rect box{mapping.columns[0], mapping.rows[0], mapping.columns[1] - mapping.columns[0] + 1,
                 mapping.rows[1] - mapping.rows[0] + 1};
  const Image texels = texelsOf(*texture, box, command);
  if (texels != nullptr) {
    place(texels.get(), mapping, box, command.nearest || mapping.exact);
    const Image mask = maskOf(command.alpha);
    for (const Rect& part : parts)
      pixman_image_composite32(operatorOf(command), texels.get(), mask.get(), target, part.x - command.destination.x,
                               part.y - command.destination.y, 0, 0, part.x, part.y, part.width, part.height);
  }
  texture->endAccess();
  return texels != nullptr ? Drawn::Content : Drawn::Nothing;
}

/** Draws the parts of a command that lie in the damage. */
void PixmanRenderer::draw(pixman_image_t* target, const DrawCommand& command, std::span<const Rect> parts) {
  switch (command.kind) {
  case DrawCommand::Kind::Solid:
    return fill(target, operatorOf(command), command.color, parts);
  case DrawCommand::Kind::Hole:
    return fill(target, PIXMAN_OP_SRC, {0, 0, 0, 0}, parts);
  case DrawCommand::Kind::Texture:
    if (drawTexture(target, command, parts) == Drawn::Content) return;
    break;
  case DrawCommand::Kind::Placeholder:
    break;
  }
  drawPlaceholder(target, command, parts);
}

Result<UniqueFd> PixmanRenderer::compose(RenderTarget& target, std::span<const DrawCommand> commands,
                                         std::span<const Rect> damage, std::span<UniqueFd> waitFor) {
  for (UniqueFd& fence : waitFor) {
    const UniqueFd taken = std::move(fence);
    if (!taken) continue;
    const auto signalled = syncFileSignalled(taken.get());
    if (!signalled) return std::unexpected(signalled.error());
    if (!*signalled) return systemError("compose", "sync file", EBUSY, "it has not signalled");
  }
  auto& drawn = static_cast<PixmanTarget&>(target);
  if (auto begun = drawn.mapping().beginAccess(); !begun) return std::unexpected(begun.error());
  const Rect whole = wholeOf(drawn.size());
  for (const DrawCommand& command : commands) {
    const Rect visible = intersect(command.destination, whole);
    parts_.clear();
    for (const Rect& box : damage) {
      const Rect part = intersect(visible, box);
      if (part.empty()) continue;
      parts_.push_back(part);
      counters_.pixelsDrawn += static_cast<uint64_t>(part.width) * static_cast<uint64_t>(part.height);
    }
    if (!parts_.empty()) draw(drawn.image(), command, parts_);
  }
  drawn.mapping().endAccess();
  return UniqueFd();
}

Result<std::unique_ptr<Readback>> PixmanRenderer::startReading(const RenderTarget& source) {
  const auto& target = static_cast<const PixmanTarget&>(source);
  const Size size = target.size();
  auto pixels = takeWords("read pixels", size_t{size.width} * size.height);
  if (!pixels) return std::unexpected(pixels.error());
  if (auto begun = target.mapping().beginAccess(); !begun) return std::unexpected(begun.error());
  for (uint32_t y = 0; y < size.height; ++y) {
    std::memcpy(pixels->data() + size_t{y} * size.width,
                target.memory().first + size_t{y} * target.memory().strideBytes, size.width * sizeof(uint32_t));
  }
  target.mapping().endAccess();
  return std::make_unique<CopiedPixels>(target.format(), size, std::move(*pixels));
}

Result<> PixmanRenderer::readPixels(const RenderTarget& source, const Rect& box, uint32_t fourcc, uint32_t strideBytes,
                                    std::span<std::byte> bytes) {
  const auto& target = static_cast<const PixmanTarget&>(source);
  if (auto begun = target.mapping().beginAccess(); !begun) return std::unexpected(begun.error());
  auto copied = copyBox(target.image(), box, fourcc, strideBytes, bytes);
  target.mapping().endAccess();
  return copied;
}

Result<> PixmanRenderer::readPixels(const Texture& source, const Rect& box, uint32_t fourcc, uint32_t strideBytes,
                                    std::span<std::byte> bytes) {
  if (source.protectedContent() || source.isPlaceholder())
    return refused(Refusal::ViewPublic, "read pixels", "a protected texture");
  const auto& texture = static_cast<const PixmanTexture&>(source);
  if (auto begun = texture.beginAccess(); !begun) return begun;
  const Image texels = texelsOf(texture, wholeOf(texture.size()), {});
  auto copied = texels != nullptr ? copyBox(texels.get(), box, fourcc, strideBytes, bytes)
                                  : systemError("read pixels", "texture", ENOMEM);
  texture.endAccess();
  return copied;
}

} // namespace vitrine::pixman
