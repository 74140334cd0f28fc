#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/board/display-test/protected_buffer.h"
#include "tests/board/wayland/screen_capture.h"
#include "tests/board/wayland/video_window.h"

namespace vitrine::display_test {

/** One pixel of XRGB8888, in memory's order. */
using Colour = std::array<uint8_t, 4>;

/** What protected windows show: the first four bytes of the secret. */
[[nodiscard]] Colour protectedColour(const Secret& secret);
/** Far from protectedColour() in every channel. */
[[nodiscard]] Colour ordinaryColour(const Secret& secret);

/** A buffer in shared memory, all in one colour. Errors: of ShmBuffer::create(). */
[[nodiscard]] Result<ShmBuffer> paint(WaylandConnection& connection, Size size, const Colour& colour);

/** What a capture shows, XRGB8888 without gaps between rows. */
struct Captured {
  Size size;
  std::vector<uint32_t> pixels;
};

/** How many pixels of a capture have a colour, nearly: scaled and colour-managed outputs count as well. */
[[nodiscard]] size_t countOf(const Captured& capture, const Colour& colour);

/** The window of a case: what it shows is on the screen once show() returns. */
class Stage final : public VideoWindowObserver {
public:
  /** Errors: of WaylandConnection::open() and VideoWindow::create(). */
  [[nodiscard]] static Result<std::unique_ptr<Stage>> open();

  [[nodiscard]] WaylandConnection& connection() { return *connection_; }
  [[nodiscard]] VideoWindow& window() { return *window_; }
  /** No other window has it. */
  [[nodiscard]] const std::string& title() const { return title_; }
  /** How the buffer was shown that show() presented last. */
  [[nodiscard]] const Presentation& presentation() const { return presentation_; }

  /** Error: ETIMEDOUT if the compositor does not say in time that the frame was presented; Invalid if it was discarded. */
  [[nodiscard]] Result<> show(wl_buffer* buffer);
  /** An ordinary buffer in a colour. */
  [[nodiscard]] Result<> showOrdinary(const Colour& colour);
  /**
   * A protected buffer of the trial's heap, filled with these pixels, over and over, by the secure world. Missing: the compositor does not
   * take it.
   */
  [[nodiscard]] Result<> showProtected(const Trial& trial, std::span<const uint8_t> pixels);
  /** The protected buffer that was shown last, in a new frame. */
  [[nodiscard]] Result<> showAgain() { return show(protected_.get()); }
  /** Dispatches until `done`. Error: ETIMEDOUT, about `what`. */
  [[nodiscard]] Result<> waitUntil(const std::function<bool()>& done, const char* what);

private:
  explicit Stage(std::unique_ptr<WaylandConnection> connection);
  void frameWanted() override {}
  void presented(uint64_t frame, const Presentation& presentation) override;
  void discarded(uint64_t frame) override { discarded_ |= frame == frame_; }
  void closed() override {}

  std::string title_;
  std::unique_ptr<WaylandConnection> connection_;
  std::optional<ShmBuffer> ordinary_;
  WaylandPtr<wl_buffer> protected_;
  std::unique_ptr<VideoWindow> window_;
  Presentation presentation_;
  uint64_t frame_ = 0;
  uint64_t presented_ = 0;
  bool discarded_ = false;
};

} // namespace vitrine::display_test
