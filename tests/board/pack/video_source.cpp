#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <format>
#include <utility>

#include <poll.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tests/board/pack/frame_source.h"

namespace vitrine {
namespace {

constexpr std::string_view installRemedy = "install the package ffmpeg";

/** Reads until `target` is full or the child's output ends. Returns the number of bytes. A stop signal is an error. */
Result<size_t> readOutput(const ChildProcess& child, std::span<std::byte> target, StopSignals& stop) {
  size_t done = 0;
  while (done < target.size()) {
    std::array<pollfd, 2> polled{{{child.output(), POLLIN, 0}, {stop.fd(), POLLIN, 0}}};
    if (poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR) return systemError("poll", "ffmpeg's output");
    if (stop.stopped()) return invalid("read", "ffmpeg's output", "interrupted");
    const ssize_t got = read(child.output(), target.data() + done, target.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return systemError("read", "ffmpeg's output");
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

Result<std::string> readAll(const ChildProcess& child, StopSignals& stop) {
  std::string text;
  std::array<std::byte, 4096> block{};
  for (;;) {
    const auto got = readOutput(child, block, stop);
    if (!got) return std::unexpected(got.error());
    text.append(reinterpret_cast<const char*>(block.data()), *got);
    if (*got < block.size()) return text;
  }
}

/** An input's name for ffmpeg, which would take a leading `-` as an option and a `:` as a protocol. */
std::string inputUrl(const std::filesystem::path& input) {
  return "file:" + input.string();
}

/** The input's properties by ffprobe, before the user's changes. */
struct Probed {
  FrameSourceInfo info;
  bool encodingTagged = false;
};

/** Parses `30000/1001` into two 32-bit numbers; empty for anything else. */
std::optional<std::pair<uint32_t, uint32_t>> parseRate(const std::string& text) {
  uint32_t numerator = 0;
  uint32_t denominator = 0;
  if (std::sscanf(text.c_str(), "%u/%u", &numerator, &denominator) != 2) return std::nullopt;
  if (numerator == 0 || denominator == 0) return std::nullopt;
  return std::pair(numerator, denominator);
}

void readColours(const nlohmann::json& stream, Probed& probed) {
  const std::string space = stream.value("color_space", "");
  probed.encodingTagged = true;
  if (space == "bt709")
    probed.info.encoding = ColorEncoding::Bt709;
  else if (space == "bt2020nc")
    probed.info.encoding = ColorEncoding::Bt2020;
  else if (space == "smpte170m" || space == "bt470bg")
    probed.info.encoding = ColorEncoding::Bt601;
  else {
    probed.encodingTagged = false;
    probed.info.encoding = probed.info.size.height >= 720 ? ColorEncoding::Bt709 : ColorEncoding::Bt601;
  }
  probed.info.range = stream.value("color_range", "") == "pc" ? ColorRange::Full : ColorRange::Limited;
}

/** Whether ffmpeg rotates the picture by 90 degrees, as the metadata of phones' videos demands. */
bool turnedByQuarter(const nlohmann::json& stream) {
  for (const auto& data : stream.value("side_data_list", nlohmann::json::array()))
    if (data.value("rotation", 0) % 180 != 0) return true;
  return false;
}

Result<Probed> probe(const std::filesystem::path& input, StopSignals& stop) {
  auto child = ChildProcess::start({"ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
                                    "stream=width,height,avg_frame_rate,r_frame_rate,color_space,color_range:"
                                    "stream_side_data=rotation:format=duration",
                                    "-of", "json", inputUrl(input)},
                                   installRemedy);
  if (!child) return std::unexpected(child.error());
  auto text = readAll(*child, stop);
  if (!text) return std::unexpected(text.error());
  if (auto done = child->finish(); !done) return std::unexpected(done.error());

  const auto document = nlohmann::json::parse(*text, nullptr, false);
  if (document.is_discarded() || !document.contains("streams") || document["streams"].empty())
    return invalid("probe", input.string(), "ffprobe finds no video in it");
  const auto& stream = document["streams"][0];
  Probed probed;
  probed.info.size = {stream.value("width", 0U), stream.value("height", 0U)};
  if (turnedByQuarter(stream)) std::swap(probed.info.size.width, probed.info.size.height);
  auto rate = parseRate(stream.value("avg_frame_rate", ""));
  if (!rate) rate = parseRate(stream.value("r_frame_rate", ""));
  if (probed.info.size.width == 0 || probed.info.size.height == 0 || !rate)
    return invalid("probe", input.string(), "ffprobe tells no size or no frame rate");
  std::tie(probed.info.rateNumerator, probed.info.rateDenominator) = *rate;
  readColours(stream, probed);
  if (document.contains("format")) {
    const double seconds = std::strtod(document["format"].value("duration", "0").c_str(), nullptr);
    const double frames = std::round(seconds * probed.info.rateNumerator / probed.info.rateDenominator);
    if (frames >= 1) probed.info.expectedFrames = static_cast<uint64_t>(frames);
  }
  return probed;
}

const char* scaleMatrixName(ColorEncoding encoding) {
  switch (encoding) {
  case ColorEncoding::Bt601:
    return "bt601";
  case ColorEncoding::Bt2020:
    return "bt2020";
  case ColorEncoding::Bt709:
    break;
  }
  return "bt709";
}

/** The properties of the frames, and the ffmpeg filter that produces them from the input. */
std::string applyWishes(const FrameWishes& wishes, Probed& probed) {
  FrameSourceInfo& info = probed.info;
  const char* inputMatrix = probed.encodingTagged ? "auto" : scaleMatrixName(info.encoding);
  if (wishes.size) info.size = *wishes.size;
  info.size.width &= ~1U;
  info.size.height &= ~1U;
  if (wishes.encoding) info.encoding = *wishes.encoding;
  if (wishes.range) info.range = *wishes.range;
  return std::format(
      "scale={}:{}:in_color_matrix={}:out_color_matrix={}:out_range={}:flags=bicubic+accurate_rnd,format=nv12",
      info.size.width, info.size.height, inputMatrix, scaleMatrixName(info.encoding),
      info.range == ColorRange::Full ? "full" : "limited");
}

class VideoSource : public FrameSource {
public:
  VideoSource(const FrameSourceInfo& info, ChildProcess child, StopSignals& stop)
      : FrameSource(info), child_(std::move(child)), stop_(stop),
        packed_(size_t{info.size.width} * info.size.height * 3 / 2) {}

  Result<bool> next(const Nv12Layout& layout, std::span<std::byte> target) override {
    const auto got = readOutput(child_, packed_, stop_);
    if (!got) return std::unexpected(got.error());
    if (*got == 0) {
      if (auto done = child_.finish(); !done) return std::unexpected(done.error());
      return false;
    }
    if (*got < packed_.size()) return invalid("read", "ffmpeg's output", "it ends within a frame");
    spread(layout, target);
    return true;
  }

private:
  /** Copies ffmpeg's rows, which have no gaps, to rows with our strides. */
  void spread(const Nv12Layout& layout, std::span<std::byte> target) const {
    const size_t width = layout.size.width;
    const std::byte* source = packed_.data();
    auto copyRows = [&](uint64_t offset, uint32_t stride, uint32_t rows) {
      for (uint32_t row = 0; row < rows; ++row, source += width)
        std::copy_n(source, width, target.data() + offset + uint64_t{row} * stride);
    };
    copyRows(0, layout.lumaStrideBytes, layout.size.height);
    copyRows(layout.chromaOffsetBytes, layout.chromaStrideBytes, layout.size.height / 2);
  }

  ChildProcess child_;
  StopSignals& stop_;
  std::vector<std::byte> packed_;
};

} // namespace

Result<std::unique_ptr<FrameSource>> openVideo(const std::filesystem::path& input, const FrameWishes& wishes,
                                               StopSignals& stop) {
  auto probed = probe(input, stop);
  if (!probed) return std::unexpected(probed.error());
  const std::string filter = applyWishes(wishes, *probed);
  const std::string rate = std::format("{}/{}", probed->info.rateNumerator, probed->info.rateDenominator);
  auto child = ChildProcess::start({"ffmpeg", "-v", "error", "-nostdin", "-i", inputUrl(input), "-map", "0:v:0", "-vf",
                                    filter, "-r", rate, "-f", "rawvideo", "-pix_fmt", "nv12", "-"},
                                   installRemedy);
  if (!child) return std::unexpected(child.error());
  return std::make_unique<VideoSource>(probed->info, std::move(*child), stop);
}

} // namespace vitrine
