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

/** The properties of a source's frames. */
struct FrameSourceInfo {
  Size size;
  uint32_t rateNumerator = 0;
  uint32_t rateDenominator = 0;
  ColorEncoding encoding = ColorEncoding::Bt709;
  ColorRange range = ColorRange::Limited;
  std::optional<uint64_t> expectedFrames; ///< for progress only; empty if not known
};

/** Properties that the user wants changed; empty: as in the input. */
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

  /** Draws the next frame into `target` with `layout`. Returns false at the end. */
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
 * Frames of any video that ffmpeg can read: ffprobe gives its properties, ffmpeg its pixels. Colours: tags of the input
 * are kept. A missing encoding is BT.709 from 720 lines on and BT.601 below; a missing range is limited. If the user
 * wants another encoding or range, the colours are converted. `stop` ends a wait for ffmpeg with an error; it must
 * outlive the source. Error: Missing if ffprobe or ffmpeg is not installed.
 */
[[nodiscard]] Result<std::unique_ptr<FrameSource>> openVideo(const std::filesystem::path& input,
                                                             const FrameWishes& wishes, StopSignals& stop);

} // namespace vitrine
