#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tests/board/clip/test_pattern.h"
#include "tests/board/common/stop_signals.h"
#include "tests/board/pack/child_process.h"

namespace vitrine {

/** What frames there will be. */
struct FrameSourceInfo {
  Size size;
  uint32_t rateNumerator = 0;
  uint32_t rateDenominator = 0;
  ColorEncoding encoding = ColorEncoding::Bt709;
  ColorRange range = ColorRange::Limited;
  std::optional<uint64_t> expectedFrames; ///< for progress alone; absent where nobody knows
};

/** What the user wants other than the input has; empty: as it is. */
struct FrameWishes {
  std::optional<Size> size;
  std::optional<ColorEncoding> encoding;
  std::optional<ColorRange> range;
};

/** Frames in NV12, one after another. */
class FrameSource {
public:
  virtual ~FrameSource() = default;
  [[nodiscard]] const FrameSourceInfo& info() const { return info_; }

  /** Draws the next frame into `target`, laid out as `layout`; false at the end. */
  [[nodiscard]] virtual Result<bool> next(const Nv12Layout& layout, std::span<std::byte> target) = 0;

protected:
  explicit FrameSource(FrameSourceInfo info) : info_(info) {}

private:
  FrameSourceInfo info_;
};

/** Frames of the test pattern from a description `WxH@FPS:N`; FPS whole or a fraction (`30000/1001`). */
[[nodiscard]] Result<std::unique_ptr<FrameSource>> openTestPattern(std::string_view description,
                                                                   const FrameWishes& wishes);

/**
 * Frames of any video that ffmpeg reads: ffprobe for what it is, ffmpeg for the pixels. Missing where they are not
 * installed. Colours: a tag of the input is kept, one that it lacks is BT.709 from 720 lines on and BT.601 below,
 * limited range; a wish for another one converts. `stop` ends a wait for ffmpeg with an error and must outlive the
 * source.
 */
[[nodiscard]] Result<std::unique_ptr<FrameSource>> openVideo(const std::filesystem::path& input,
                                                             const FrameWishes& wishes, StopSignals& stop);

} // namespace vitrine
