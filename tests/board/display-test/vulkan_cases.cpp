#include <algorithm>
#include <format>
#include <vector>

#include <drm_fourcc.h>

#include "protected-path/heap/heap_solver.h"
#include "protected-path/render/renderer_consumer.h"
#include "tests/board/display-test/catalogue.h"
#include "tests/board/display-test/protected_buffer.h"

namespace vitrine::display_test {
namespace {

constexpr Size pictureSize{64, 64};
constexpr size_t bytesPerPixel = 4;

Result<BufferLayout> layoutOf(const Renderer& renderer, uint32_t fourcc) {
  return layoutFor({.size = pictureSize, .fourcc = fourcc, .rowMultiple = renderer.device().targetRowMultiple});
}

/** The best GPU; null, and the case is skipped, where it does not compose protected memory. */
Result<std::unique_ptr<Renderer>> openGpu(Trial& trial) {
  auto renderer = Renderer::create({});
  if (!renderer) return renderer;
  const VulkanDeviceReport& device = (*renderer)->device();
  trial.saw("GPU", std::format("{} ({})", device.name, device.driver));
  if (device.gpu.protectedMemory) return renderer;
  (void)trial.skip(std::format("{}: {}", device.name, refusalWords(Refusal::GpuNoProtectedMemory)));
  return nullptr;
}

Result<> import(Trial& trial) {
  const auto renderer = openGpu(trial);
  if (!renderer) return std::unexpected(renderer.error());
  if (*renderer == nullptr) return {};
  for (const uint32_t fourcc : {DRM_FORMAT_XRGB8888, DRM_FORMAT_NV12}) {
    const auto layout = layoutOf(**renderer, fourcc);
    const auto memory =
        layout ? ProtectedBuffer::allocate(trial.heap(), layout->sizeBytes) : std::unexpected(layout.error());
    if (!memory) return std::unexpected(memory.error());
    const auto buffer = memory->asDmabuf(pictureSize, fourcc, *layout);
    if (!buffer) return std::unexpected(buffer.error());
    const auto taken = RendererConsumer(**renderer, RendererConsumer::Use::Sample).wouldTake(*buffer);
    trial.expect(taken.has_value(), std::format("import of {} to sample it", fourccName(fourcc)),
                 taken ? "taken" : taken.error().text());
  }
  return {};
}

/** Draws `source` over all of `target` and waits. */
Result<> drawOver(Renderer& renderer, const Texture& source, RenderTarget& target) {
  const Rect whole{0, 0, static_cast<int>(pictureSize.width), static_cast<int>(pictureSize.height)};
  DrawCommand command;
  command.kind = DrawCommand::Kind::Texture;
  command.destination = whole;
  command.texture = &source;
  command.source = SourceRect::whole(pictureSize);
  command.blend = false;
  command.nearest = true;
  const auto done = renderer.compose(target, std::span(&command, 1), std::span(&whole, 1), {});
  if (!done) return std::unexpected(done.error());
  renderer.waitIdle();
  return {};
}

/** Whether two pictures differ in a colour; the fourth byte of XRGB8888 means nothing. */
bool sameColours(std::span<const std::byte> first, std::span<const std::byte> second) {
  for (size_t i = 0; i < first.size(); ++i) {
    if (i % bytesPerPixel != 3 && first[i] != second[i]) return false;
  }
  return true;
}

Result<> compose(Trial& trial) {
  const auto renderer = openGpu(trial);
  if (!renderer) return std::unexpected(renderer.error());
  if (*renderer == nullptr) return {};
  const auto layout = layoutOf(**renderer, DRM_FORMAT_XRGB8888);
  if (!layout) return std::unexpected(layout.error());
  const auto from = ProtectedBuffer::withSecret(trial, layout->sizeBytes);
  const auto to = ProtectedBuffer::allocate(trial.heap(), layout->sizeBytes);
  if (!from || !to) return std::unexpected((from ? to : from).error());
  // A heap may give memory out that still holds the picture of an earlier run.
  if (auto cleared = to->fill(trial.board(), 0, std::vector<std::byte>(layout->sizeBytes)); !cleared) return cleared;
  const auto source = from->asDmabuf(pictureSize, DRM_FORMAT_XRGB8888, *layout);
  const auto target = to->asDmabuf(pictureSize, DRM_FORMAT_XRGB8888, *layout);
  if (!source || !target) return std::unexpected((source ? target : source).error());
  const auto texture = (*renderer)->import(*source);
  const auto drawn = (*renderer)->importTarget(*target);
  if (!texture || !drawn || (*texture)->isPlaceholder())
    return trial.skip("the GPU does not import buffers of the heap");
  if (auto done = drawOver(**renderer, **texture, **drawn); !done) return done;
  const size_t bytes = size_t{pictureSize.width} * pictureSize.height * bytesPerPixel;
  const auto seen = to->dump(trial.board(), 0, bytes);
  if (!seen) return std::unexpected(seen.error());
  const bool right = sameColours(*seen, pattern(trial.secret(), bytes));
  trial.expect(right, "protected picture, drawn into a protected buffer", right ? "is there" : "is not there");
  return {};
}

constexpr uint32_t draws = NeedHeap | NeedRender;

constexpr std::array cases = {
    Case{"vulkan/import", "A GPU with protected memory imports XRGB8888 and NV12 buffers of the heap.",
         "VK_EXT_external_memory_dma_buf and protected memory (Vulkan specification, Memory Protection); no "
         "conformance test imports a "
         "protected dma-buf",
         draws, MayHang, 2, import},
    Case{"vulkan/compose",
         "The GPU draws a protected picture into a protected buffer, and the secure world finds it there.",
         "Vulkan specification, Protected Memory Access Rules: protected submissions read and write protected memory",
         draws | NeedFill | NeedSdpBasic | NeedDump, MayHang, 2, compose},
};

} // namespace

std::span<const Case> vulkanCases() {
  return cases;
}

} // namespace vitrine::display_test
