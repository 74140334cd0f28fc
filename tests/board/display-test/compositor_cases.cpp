#include <algorithm>
#include <array>
#include <cstdlib>
#include <format>

#include <drm_fourcc.h>

#include "tests/board/common/png.h"
#include "tests/board/display-test/catalogue.h"
#include "tests/board/display-test/protected_buffer.h"
#include "tests/board/wayland/screen_capture.h"
#include "tests/board/wayland/video_window.h"

/*
 * The Wayland compositor that WAYLAND_DISPLAY names, ours or another, as a client sees it.
 *
 * A window shows one colour, in an ordinary buffer and then in a protected one. That a capture shows the first proves that it can
 * show the window; then it must not show the second. Colours are compared with a tolerance, so that scaled and colour-managed outputs
 * count as well.
 */

namespace vitrine::display_test {
namespace {

constexpr Size windowSize{256, 256};
constexpr size_t bytesPerPixel = 4;
constexpr Nanoseconds patience = 10'000'000'000;

/** One pixel of XRGB8888, in memory's order: the first four bytes of the secret. */
using Colour = std::array<uint8_t, bytesPerPixel>;

Colour protectedColour(const Secret& secret) {
  Colour colour{};
  std::copy_n(secret.begin(), colour.size(), colour.begin());
  return colour;
}

/** Far from protectedColour() in every channel. */
Colour ordinaryColour(const Secret& secret) {
  Colour colour = protectedColour(secret);
  for (uint8_t& channel : colour)
    channel ^= 0x80;
  return colour;
}

/** How many pixels of a capture have a colour, nearly. */
size_t countOf(std::span<const uint32_t> pixels, const Colour& colour) {
  constexpr int tolerance = 6;
  return static_cast<size_t>(std::ranges::count_if(pixels, [&](uint32_t pixel) {
    for (size_t channel = 0; channel < 3; ++channel) {
      const int value = pixel >> (8 * channel) & 0xff;
      if (std::abs(value - colour[channel]) > tolerance) return false;
    }
    return true;
  }));
}

/** The window of a case: what it shows is on the screen once show() returns. */
class Stage final : public VideoWindowObserver {
public:
  static Result<std::unique_ptr<Stage>> open() {
    auto connection = WaylandConnection::open();
    if (!connection) return std::unexpected(connection.error());
    std::unique_ptr<Stage> stage(new Stage(std::move(*connection)));
    auto window = VideoWindow::create(
        *stage->connection_,
        {.title = "vitrine-display-test", .appId = "org.vitrine.display-test", .videoSize = windowSize}, *stage);
    if (!window) return std::unexpected(window.error());
    stage->window_ = std::move(*window);
    return stage;
  }

  [[nodiscard]] WaylandConnection& connection() { return *connection_; }

  /** Error: the compositor does not say in time that the frame was presented. */
  Result<> show(wl_buffer* buffer) {
    window_->show(buffer, ++frame_);
    const Nanoseconds until = now() + patience;
    while (presented_ < frame_) {
      if (now() > until)
        return systemError("show", "a window", ETIMEDOUT, "is the output on, and the session unlocked?");
      if (auto done = connection_->dispatch(until - now()); !done) return done;
      if (discarded_) return invalid("show", "a window", "the compositor discards its frame");
    }
    return {};
  }

  /** An ordinary buffer in a colour. */
  Result<> showOrdinary(const Colour& colour) {
    constexpr uint32_t stride = windowSize.width * bytesPerPixel;
    auto buffer = ShmBuffer::create(*connection_, windowSize, stride, WL_SHM_FORMAT_XRGB8888);
    if (!buffer) return std::unexpected(buffer.error());
    const std::span<uint8_t> bytes = buffer->bytes();
    for (size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = colour[i % bytesPerPixel];
    ordinary_.emplace(std::move(*buffer));
    return show(ordinary_->object());
  }

  /** A protected buffer of the trial's heap, filled with a colour by the secure world. Missing: the compositor does not take it. */
  Result<> showProtected(const Trial& trial, const Colour& colour) {
    const auto layout = layoutFor({.size = windowSize, .fourcc = DRM_FORMAT_XRGB8888});
    if (!layout) return std::unexpected(layout.error());
    const auto memory = ProtectedBuffer::allocate(trial.heap(), layout->sizeBytes);
    if (!memory) return std::unexpected(memory.error());
    std::vector<std::byte> bytes(layout->sizeBytes);
    for (size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = std::byte{colour[i % bytesPerPixel]};
    if (auto filled = memory->fill(trial.board(), 0, bytes); !filled) return filled;
    const auto buffer = memory->asDmabuf(windowSize, DRM_FORMAT_XRGB8888, *layout);
    if (!buffer) return std::unexpected(buffer.error());
    auto object = createWaylandBuffer(*connection_, *buffer, false);
    if (!object) return missing("create wl_buffer", "protected buffer", object.error().text());
    protected_ = std::move(*object);
    return show(protected_.get());
  }

private:
  explicit Stage(std::unique_ptr<WaylandConnection> connection) : connection_(std::move(connection)) {}
  void frameWanted() override {}
  void presented(uint64_t frame, const Presentation&) override { presented_ = std::max(presented_, frame); }
  void discarded(uint64_t frame) override { discarded_ |= frame == frame_; }
  void closed() override {}

  std::unique_ptr<WaylandConnection> connection_;
  std::optional<ShmBuffer> ordinary_;
  WaylandPtr<wl_buffer> protected_;
  std::unique_ptr<VideoWindow> window_;
  uint64_t frame_ = 0;
  uint64_t presented_ = 0;
  bool discarded_ = false;
};

Result<> shows(Trial& trial) {
  const auto stage = Stage::open();
  if (!stage) return std::unexpected(stage.error());
  trial.saw("compositor", trial.board().compositor);
  const auto shown = (*stage)->showProtected(trial, protectedColour(trial.secret()));
  trial.expect(shown.has_value(), "protected XRGB8888 buffer in a window", shown ? "presented" : shown.error().text());
  return {};
}

struct Captured {
  Size size;
  std::vector<uint32_t> pixels;
};

/** What a capture shows, or the compositor's refusal. */
template<typename Buffer>
Result<Captured> toPixels(const Result<Buffer>& capture) {
  if (!capture) return std::unexpected(capture.error());
  auto pixels = pixelsOf(*capture);
  if (!pixels) return std::unexpected(pixels.error());
  return Captured{capture->size(), std::move(*pixels)};
}

Result<> capturesNothing(Trial& trial, Result<Captured> (*capture)(WaylandConnection&)) {
  const auto stage = Stage::open();
  if (!stage) return std::unexpected(stage.error());
  trial.saw("compositor", trial.board().compositor);
  const Colour ordinary = ordinaryColour(trial.secret());
  if (auto shown = (*stage)->showOrdinary(ordinary); !shown) return shown;
  const auto before = capture((*stage)->connection());
  if (!before) return trial.skip("the compositor captures nothing: " + before.error().text());
  const size_t window = countOf(before->pixels, ordinary);
  trial.saw("pixels of an ordinary window in a capture", std::to_string(window));
  if (window == 0) return trial.skip("a capture does not show an ordinary window either: it proves nothing");
  const Colour content = protectedColour(trial.secret());
  const size_t elsewhere = countOf(before->pixels, content);
  if (auto shown = (*stage)->showProtected(trial, content); !shown) return shown;
  const auto during = capture((*stage)->connection());
  if (!during) return {}; // it refuses while protected content is shown
  const size_t leaked = countOf(during->pixels, content);
  trial.show("captured while protected content was shown", encodePng(during->size, during->pixels).value_or(""));
  trial.expect(leaked <= elsewhere, "pixels of the protected window in a capture", std::to_string(leaked));
  return {};
}

Result<> screencopyToMemory(Trial& trial) {
  return capturesNothing(trial, [](WaylandConnection& connection) { return toPixels(captureIntoShm(connection)); });
}

Result<> screencopyToDmabuf(Trial& trial) {
  return capturesNothing(trial, [](WaylandConnection& connection) { return toPixels(captureIntoDmabuf(connection)); });
}

constexpr uint32_t plays = NeedHeap | NeedFill | NeedWayland;
constexpr std::string_view captureRule = "Vitrine's rule R5: a capture shows a placeholder; weston's "
                                         "content-protection extension, and EGL_EXT_protected_content: "
                                         "protected content reaches no unprotected surface";

constexpr std::array cases = {
    Case{"compositor/shows", "The compositor takes a protected buffer of a client and presents it.",
         "linux-dmabuf-v1, zwp_linux_buffer_params_v1.created; presentation-time, wp_presentation_feedback.presented",
         plays, Shows, 1, shows},
    Case{"compositor/screencopy-shm", "What screenshot tools get of the output shows nothing of a protected window.",
         captureRule, plays, Shows, 2, screencopyToMemory},
    Case{"compositor/screencopy-dmabuf",
         "What recorders get in a dma-buf of their own shows nothing of a protected window.", captureRule,
         plays | NeedOrdinary, Shows, 2, screencopyToDmabuf},
};

} // namespace

std::span<const Case> compositorCases() {
  return cases;
}

} // namespace vitrine::display_test
