#pragma once

#include <memory>
#include <string>
#include <vector>

#include "protected-path/kms/atomic_request.h"
#include "protected-path/kms/framebuffer.h"
#include "tests/board/display-test/case.h"

namespace vitrine::display_test {

/** What was seen of a display: pixels, or a checksum of them where that is all there is. */
struct Sight {
  bool dark = false; ///< nothing is shown
  Size size;
  std::vector<uint32_t> pixels; ///< XRGB8888; empty with a checksum
  std::string checksum;
  bool operator==(const Sight&) const = default;

  /** A part of it as a PNG file; empty where there are no pixels. */
  [[nodiscard]] std::string png(const Rect& part) const;
};

/** How a display is looked at: `panel camera`, `CRC`; empty with the reason where it cannot be (NeedEye). */
struct Eye {
  std::string name;
  std::string path;
  std::string whyNot;
};
/** Of the first CRTC: /dev/panel-camera0 (the virtual platform), else debugfs's crc (igt's way; root). */
[[nodiscard]] Eye findEye(const std::string& card);

/** Waits for a frame that begins after the call, and looks at it. A display without a picture is `dark`, not an error. */
[[nodiscard]] Result<Sight> look(const Eye& eye);

/** A picture in a framebuffer, the same for every memory. */
struct TestPicture {
  Size size;
  uint32_t fourcc;
  Framebuffer framebuffer;
};

/** What is on one plane. */
struct PlaneShows {
  const Plane* plane;
  uint32_t framebufferId;
  Size size; ///< of the framebuffer, shown whole
  Rect place;
};

/**
 * The display under test, lit in its first mode with a dim background. With its end the display is turned off and the device is
 * closed, at which the kernel brings its console back; another program's picture cannot have been there, since that program would
 * be the device's master.
 *
 * Below the background's middle, where the primary can blend, planes underneath show through.
 */
class TestDisplay {
public:
  static constexpr Size pictureSize{256, 128};
  static constexpr Rect place{64, 64, 256, 128};

  /** Takes the display over. Missing without one; System where a modeset fails. */
  [[nodiscard]] static Result<std::unique_ptr<TestDisplay>> open(const Board& board);
  ~TestDisplay();
  TestDisplay(const TestDisplay&) = delete;

  /** TEST_ONLY. System with the kernel's errno. */
  [[nodiscard]] Result<> test(const std::vector<PlaneShows>& frame);
  /** Shows these planes and no others, and waits until they are on the screen. System with the kernel's errno. */
  [[nodiscard]] Result<> show(const std::vector<PlaneShows>& frame);
  [[nodiscard]] const Mode& mode() const { return mode_; }
  /** Planes for pictures beside the primary. */
  [[nodiscard]] std::vector<const Plane*> overlays() const;

  /** The test picture in ordinary memory (a dumb buffer), or in the trial's heap, filled by the TEE. LINEAR. */
  [[nodiscard]] Result<TestPicture> ordinary(uint32_t fourcc, Size size) const;
  [[nodiscard]] Result<TestPicture> inHeap(const Trial& trial, uint32_t fourcc, Size size) const;

  /** The background, and the picture on a plane above or below it (none: the background alone). */
  [[nodiscard]] std::vector<PlaneShows> frame(const Plane* plane, const TestPicture* picture) const;
  /** The picture on the primary plane. It has the mode's size. */
  [[nodiscard]] std::vector<PlaneShows> primaryFrame(const TestPicture& picture) const;

private:
  TestDisplay() = default;
  Result<> light();
  void describe(AtomicRequest& request, const std::vector<PlaneShows>& frame) const;

  std::unique_ptr<KmsDevice> device_;
  AtomicCounters counters_;
  const Connector* connector_ = nullptr;
  const Crtc* crtc_ = nullptr;
  const Plane* primary_ = nullptr;
  Mode mode_;
  std::optional<Framebuffer> background_;
  bool blends_ = false; ///< the background has a hole, and the kernel blends premultiplied by default
};

} // namespace vitrine::display_test
