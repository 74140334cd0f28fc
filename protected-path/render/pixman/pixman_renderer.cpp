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

/** Whether `bytes` hold rows of a picture. */
Result<> checkRows(const char* operation, Size size, uint32_t fourcc, uint32_t strideBytes, size_t sizeBytes) {
  const std::string object = std::format("{}x{} {}", size.width, size.height, fourccName(fourcc));
  const auto format = pixmanFormat(fourcc);
  if (!format) return refused(Refusal::GpuFormatUnsupported, operation, object);
  constexpr uint32_t most = 32767; // pixman's coordinates are 16.16
  if (size.width == 0 || size.height == 0) return refused(Refusal::SizeInvalid, operation, object);
  if (size.width > most || size.height > most) return refused(Refusal::GpuSizeUnsupported, operation, object);
  const uint64_t row = uint64_t{size.width} * PIXMAN_FORMAT_BPP(*format) / 8;
  if (strideBytes < row) return refused(Refusal::StrideTooSmall, operation, object);
  if (sizeBytes < uint64_t{strideBytes} * (size.height - 1) + row)
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

Result<Mapping> mapFor(const char* operation, const Dmabuf& buffer, Mapping::Access access) {
  if (buffer.modifier() != DRM_FORMAT_MOD_LINEAR || buffer.planeCount() != 1 || !pixmanFormat(buffer.fourcc()))
    return refused(Refusal::GpuFormatUnsupported, operation, buffer.describe());
  if (buffer.plane(0).strideBytes % sizeof(uint32_t) != 0 || buffer.plane(0).offsetBytes % sizeof(uint32_t) != 0)
    return refused(Refusal::GpuImportFailed, operation, buffer.describe(),
                   "pixman needs rows that start at whole words");
  auto mapping = Mapping::mapUnused(buffer, 0, access);
  if (!mapping) return refused(Refusal::GpuImportFailed, operation, buffer.describe(), mapping.error().text());
  const auto rows =
      checkRows(operation, buffer.size(), buffer.fourcc(), buffer.plane(0).strideBytes, mapping->bytes().size());
  if (!rows) return std::unexpected(rows.error());
  return mapping;
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
  if (auto rows = checkRows("read pixels", size, fourcc, strideBytes, bytes.size()); !rows) return rows;
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

/** The part of a texture that a draw may read, turned and scaled as the draw says, for a destination that begins at 0,0. */
Image sourceOf(const PixmanTexture& texture, const DrawCommand& command) {
  const TexelMapping mapping = texelMapping(command, texture.size());
  const Size readable{static_cast<uint32_t>(mapping.columns[1] - mapping.columns[0] + 1),
                      static_cast<uint32_t>(mapping.rows[1] - mapping.rows[0] + 1)};
  const size_t bytesPerPixel = PIXMAN_FORMAT_BPP(texture.format()) / 8;
  PixelMemory memory = texture.memory();
  memory.first += static_cast<size_t>(mapping.rows[0]) * memory.strideBytes +
                  static_cast<size_t>(mapping.columns[0]) * bytesPerPixel;
  Image image = imageOver(texture.format(), readable, memory);
  if (image == nullptr) return image;
  const auto fixed = [](double value) { return static_cast<pixman_fixed_t>(std::lround(value * 65536)); };
  pixman_transform_t transform{};
  for (size_t row = 0; row < 2; ++row) {
    const double origin = row == 0 ? mapping.columns[0] : mapping.rows[0];
    transform.matrix[row][0] = fixed(mapping.matrix[2 * row]);
    transform.matrix[row][1] = fixed(mapping.matrix[2 * row + 1]);
    transform.matrix[row][2] = fixed(mapping.translation[row] - origin);
  }
  transform.matrix[2][2] = pixman_fixed_1;
  pixman_image_set_transform(image.get(), &transform);
  const bool nearest = command.nearest || mapping.exact;
  pixman_image_set_filter(image.get(), nearest ? PIXMAN_FILTER_NEAREST : PIXMAN_FILTER_BILINEAR, nullptr, 0);
  pixman_image_set_repeat(image.get(), PIXMAN_REPEAT_PAD);
  return image;
}

} // namespace

PixmanRenderer::PixmanRenderer() : patternPixels_(static_cast<size_t>(period) * period) {
  report_.name = "CPU";
  report_.driver = std::format("pixman {}", pixman_version_string());
  report_.softwareRasterizer = true;
  report_.refusal = Refusal::GpuAbsent;
  for (const uint32_t fourcc : pixmanFourccs())
    sampled_.push_back({fourcc, DRM_FORMAT_MOD_LINEAR});
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
  auto mapping = mapFor("import dma-buf", buffer, Mapping::Access::Read);
  if (!mapping) return std::unexpected(mapping.error());
  counters_.imports += 1;
  return std::make_unique<PixmanTexture>(buffer, *pixmanFormat(buffer.fourcc()), std::move(*mapping));
}

Result<std::unique_ptr<RenderTarget>> PixmanRenderer::importTarget(const Dmabuf& buffer) {
  if (const Refusal refusal = refusalFor(buffer.evidence()); refusal != Refusal::None)
    return refused(refusal, "import target", buffer.describe());
  if (!std::ranges::contains(targetFourccs, buffer.fourcc()))
    return refused(Refusal::GpuFormatUnsupported, "import target", buffer.describe());
  auto mapping = mapFor("import target", buffer, Mapping::Access::Write);
  if (!mapping) return std::unexpected(mapping.error());
  counters_.imports += 1;
  return std::make_unique<PixmanTarget>(buffer, *pixmanFormat(buffer.fourcc()), std::move(*mapping));
}

Result<std::unique_ptr<Texture>> PixmanRenderer::upload(Size size, uint32_t fourcc, uint32_t strideBytes,
                                                        std::span<const std::byte> bytes) {
  if (auto rows = checkRows("upload", size, fourcc, strideBytes, bytes.size()); !rows)
    return std::unexpected(rows.error());
  const pixman_format_code_t format = *pixmanFormat(fourcc);
  const size_t words = (size_t{size.width} * PIXMAN_FORMAT_BPP(format) / 8 + sizeof(uint32_t) - 1) / sizeof(uint32_t);
  auto pixels = takeWords("upload", words * size.height);
  if (!pixels) return std::unexpected(pixels.error());
  auto texture = std::make_unique<PixmanTexture>(size, fourcc, format, std::move(*pixels));
  const Rect whole = wholeOf(size);
  if (auto copied = update(*texture, strideBytes, bytes, {&whole, 1}); !copied) return std::unexpected(copied.error());
  return texture;
}

Result<> PixmanRenderer::update(Texture& texture, uint32_t strideBytes, std::span<const std::byte> bytes,
                                std::span<const Rect> changed) {
  auto& to = static_cast<PixmanTexture&>(texture);
  if (!to.isUpload()) return invalid("update", "texture", "it was not uploaded");
  if (auto rows = checkRows("update", to.size(), to.fourcc(), strideBytes, bytes.size()); !rows) return rows;
  const size_t bytesPerPixel = PIXMAN_FORMAT_BPP(to.format()) / 8;
  for (const Rect& box : changed) {
    const Rect part = intersect(box, wholeOf(to.size()));
    if (part.empty()) continue;
    const size_t column = static_cast<size_t>(part.x) * bytesPerPixel;
    for (auto y = static_cast<size_t>(part.y); y < static_cast<size_t>(part.bottom()); ++y) {
      std::memcpy(to.memory().first + y * to.memory().strideBytes + column, bytes.data() + y * strideBytes + column,
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

PixmanRenderer::Drawn PixmanRenderer::drawTexture(pixman_image_t* target, const DrawCommand& command,
                                                  std::span<const Rect> parts) {
  const auto* texture = static_cast<const PixmanTexture*>(command.texture);
  // R1: a texture with protected content is a placeholder, since it has no pixels. R8: so is one whose fences have not signalled.
  if (texture == nullptr || texture->isPlaceholder() || !texture->beginAccess()) return Drawn::Nothing;
  if (const Image source = sourceOf(*texture, command)) {
    const Image mask = maskOf(command.alpha);
    for (const Rect& part : parts)
      pixman_image_composite32(operatorOf(command), source.get(), mask.get(), target, part.x - command.destination.x,
                               part.y - command.destination.y, 0, 0, part.x, part.y, part.width, part.height);
  }
  texture->endAccess();
  return Drawn::Content;
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
  const Image image = imageOver(texture.format(), texture.size(), texture.memory());
  if (auto begun = texture.beginAccess(); !begun) return std::unexpected(begun.error());
  auto copied = copyBox(image.get(), box, fourcc, strideBytes, bytes);
  texture.endAccess();
  return copied;
}

} // namespace vitrine::pixman
