#include <format>

#include "tests/board/common/size_text.h"
#include "tests/board/pack/frame_source.h"

namespace vitrine {
namespace {

class PatternSource : public FrameSource {
public:
  explicit PatternSource(const FrameSourceInfo& info) : FrameSource(info) {}

  Result<bool> next(const Nv12Layout& layout, std::span<std::byte> target) override {
    if (frame_ == info().expectedFrames) return false;
    drawTestPattern(layout, info().range, frame_++, target);
    return true;
  }

private:
  uint64_t frame_ = 0;
};

std::optional<FrameSourceInfo> parseDescription(std::string_view text) {
  FrameSourceInfo info;
  const auto size = takeSize(text);
  if (!size || !takeCharacter(text, '@')) return std::nullopt;
  const auto numerator = takeNumber(text);
  const auto denominator = takeCharacter(text, '/') ? takeNumber(text) : std::optional<uint32_t>(1);
  if (!numerator || !denominator || !takeCharacter(text, ':')) return std::nullopt;
  info.size = *size;
  info.rateNumerator = *numerator;
  info.rateDenominator = *denominator;
  info.expectedFrames = takeNumber(text);
  if (!info.expectedFrames || !text.empty()) return std::nullopt;
  return info;
}

} // namespace

Result<std::unique_ptr<FrameSource>> openTestPattern(std::string_view description, const FrameWishes& wishes) {
  const std::string object = std::format("test pattern `{}`", description);
  auto info = parseDescription(description);
  if (!info)
    return invalid("parse", object, "it has to be WxH@FPS:N, such as 1280x720@60:600 or 640x360@30000/1001:90");
  if (wishes.size) info->size = *wishes.size;
  if (info->size.width < testPatternMinimum.width || info->size.height < testPatternMinimum.height)
    return invalid("parse", object,
                   std::format("it needs {}x{} at least", testPatternMinimum.width, testPatternMinimum.height));
  if (*info->expectedFrames > frameNumberLimit)
    return invalid("parse", object, std::format("the bar numbers {} frames at most", frameNumberLimit));
  info->encoding = wishes.encoding.value_or(ColorEncoding::Bt709);
  info->range = wishes.range.value_or(ColorRange::Limited);
  return std::make_unique<PatternSource>(*info);
}

} // namespace vitrine
