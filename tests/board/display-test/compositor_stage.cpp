#include "tests/board/display-test/compositor_stage.h"

#include <algorithm>
#include <cstdlib>
#include <format>

#include <drm_fourcc.h>
#include <unistd.h>

namespace vitrine::display_test {
namespace {

constexpr Size windowSize{256, 256};
constexpr size_t bytesPerPixel = 4;
constexpr Nanoseconds patience = 10'000'000'000;

} // namespace

Colour protectedColour(const Secret& secret) {
  Colour colour{};
  std::copy_n(secret.begin(), colour.size(), colour.begin());
  return colour;
}

Colour ordinaryColour(const Secret& secret) {
  Colour colour = protectedColour(secret);
  for (uint8_t& channel : colour)
    channel ^= 0x80;
  return colour;
}

size_t countOf(const Captured& capture, const Colour& colour) {
  constexpr int tolerance = 6;
  return static_cast<size_t>(std::ranges::count_if(capture.pixels, [&](uint32_t pixel) {
    for (size_t channel = 0; channel < 3; ++channel) {
      const int value = pixel >> (8 * channel) & 0xff;
      if (std::abs(value - colour[channel]) > tolerance) return false;
    }
    return true;
  }));
}

Result<ShmBuffer> paint(WaylandConnection& connection, Size size, const Colour& colour) {
  auto buffer = ShmBuffer::create(connection, size, size.width * bytesPerPixel, WL_SHM_FORMAT_XRGB8888);
  if (!buffer) return buffer;
  const std::span<uint8_t> bytes = buffer->bytes();
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = colour[i % bytesPerPixel];
  return buffer;
}

Stage::Stage(std::unique_ptr<WaylandConnection> connection)
    : title_(std::format("vitrine-display-test {}", getpid())), connection_(std::move(connection)) {}

Result<std::unique_ptr<Stage>> Stage::open() {
  auto connection = WaylandConnection::open();
  if (!connection) return std::unexpected(connection.error());
  std::unique_ptr<Stage> stage(new Stage(std::move(*connection)));
  auto window = VideoWindow::create(
      *stage->connection_,
      {.title = stage->title_.c_str(), .appId = "org.vitrine.display-test", .videoSize = windowSize}, *stage);
  if (!window) return std::unexpected(window.error());
  stage->window_ = std::move(*window);
  return stage;
}

void Stage::presented(uint64_t frame, const Presentation& presentation) {
  if (frame < presented_) return;
  presented_ = frame;
  presentation_ = presentation;
}

Result<> Stage::waitUntil(const std::function<bool()>& done, const char* what) {
  const Nanoseconds until = now() + patience;
  while (!done()) {
    if (now() > until) return systemError("wait", what, ETIMEDOUT, "is the output on, and the session unlocked?");
    if (auto dispatched = connection_->dispatch(until - now()); !dispatched) return dispatched;
  }
  return {};
}

Result<> Stage::show(wl_buffer* buffer) {
  window_->show(buffer, ++frame_);
  if (auto done = waitUntil([this] { return presented_ >= frame_ || discarded_; }, "a window to be presented"); !done)
    return done;
  if (presented_ < frame_) return invalid("show", "a window", "the compositor discards its frame");
  return {};
}

Result<> Stage::showOrdinary(const Colour& colour) {
  auto buffer = paint(*connection_, windowSize, colour);
  if (!buffer) return std::unexpected(buffer.error());
  ordinary_.emplace(std::move(*buffer));
  return show(ordinary_->object());
}

Result<> Stage::showProtected(const Trial& trial, std::span<const uint8_t> pixels) {
  const auto layout = layoutFor({.size = windowSize, .fourcc = DRM_FORMAT_XRGB8888});
  if (!layout) return std::unexpected(layout.error());
  const auto memory = ProtectedBuffer::allocate(trial.heap(), layout->sizeBytes);
  if (!memory) return std::unexpected(memory.error());
  std::vector<std::byte> bytes(layout->sizeBytes);
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = std::byte{pixels[i % pixels.size()]};
  if (auto filled = memory->fill(trial.board(), 0, bytes); !filled) return filled;
  const auto buffer = memory->asDmabuf(windowSize, DRM_FORMAT_XRGB8888, *layout);
  if (!buffer) return std::unexpected(buffer.error());
  auto object = createWaylandBuffer(*connection_, *buffer, false);
  if (!object) return missing("create wl_buffer", "protected buffer", object.error().text());
  // The one before it stays until it is replaced.
  const auto before = std::exchange(protected_, std::move(*object));
  return show(protected_.get());
}

} // namespace vitrine::display_test
