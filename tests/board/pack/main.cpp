/* vitrine-pack: makes an encrypted clip for vitrine-play, from any video that ffmpeg reads or from the test pattern. */
#include <cstdio>
#include <format>
#include <string>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "protected-path/base/clock.h"
#include "tests/board/clip/clip.h"
#include "tests/board/common/exit_status.h"
#include "tests/board/common/option_check.h"
#include "tests/board/common/size_text.h"
#include "tests/board/pack/frame_source.h"

namespace vitrine {
namespace {

struct Options {
  std::string input;
  std::string pattern;
  std::string output;
  std::string keyFile;
  std::string keyHex;
  std::string encoding;
  std::string range;
  std::string size;
};

void addOptions(CLI::App& app, Options& options) {
  auto* input = app.add_option("INPUT", options.input, "A video that ffmpeg reads");
  auto* pattern = app.add_option("--test-pattern", options.pattern,
                                 "Instead of a video: WxH@FPS:N, N frames that carry their numbers");
  pattern->excludes(input);
  app.add_option("-o,--output", options.output, "The clip to write")->required();
  auto* file = app.add_option("--key", options.keyFile,
                              "Key file; made where there is none. Default: the clip's name with `.key`");
  app.add_option("--key-hex", options.keyHex,
                 "The key itself, 32 hexadecimal digits; other users can see it in the list of processes")
      ->excludes(file)
      ->check(parsedBy(parseKey));
  app.add_option("--encoding", options.encoding, "Colour encoding; default: the input's")
      ->check(CLI::IsMember({"bt601", "bt709", "bt2020"}));
  app.add_option("--range", options.range, "Colour range; default: the input's")
      ->check(CLI::IsMember({"limited", "full"}));
  app.add_option("--size", options.size, "WxH to scale to; default: the input's, rounded down to even numbers")
      ->check(parsedBy(parseSize));
  app.set_version_flag("--version", "vitrine-pack " VITRINE_VERSION);
  app.footer(
      "In a product the key never lies in a file: it reaches the TEE wrapped, through its own licence exchange.\n"
      "Status: 0 made, 1 failed (nothing is left behind), 2 misused.");
}

Result<FrameWishes> parseWishes(const Options& options) {
  FrameWishes wishes;
  if (!options.size.empty()) {
    const auto size = parseSize(options.size);
    if (!size) return std::unexpected(size.error());
    wishes.size = *size;
  }
  if (options.encoding == "bt601") wishes.encoding = ColorEncoding::Bt601;
  if (options.encoding == "bt709") wishes.encoding = ColorEncoding::Bt709;
  if (options.encoding == "bt2020") wishes.encoding = ColorEncoding::Bt2020;
  if (!options.range.empty()) wishes.range = options.range == "full" ? ColorRange::Full : ColorRange::Limited;
  return wishes;
}

/** The key. If it is new, also the file to write it to. */
struct KeyChoice {
  ClipKey key{};
  std::string newFile;
};

Result<KeyChoice> chooseKey(const Options& options) {
  const std::string file = options.keyFile.empty() ? options.output + ".key" : options.keyFile;
  const bool isNew = options.keyHex.empty() && access(file.c_str(), F_OK) != 0;
  KeyChoice choice;
  if (isNew) {
    if (auto random = randomBytes(choice.key); !random) return std::unexpected(random.error());
    choice.newFile = file;
    return choice;
  }
  const auto key = options.keyHex.empty() ? readKeyFile(file) : parseKey(options.keyHex);
  if (!key) return std::unexpected(key.error());
  choice.key = *key;
  return choice;
}

/** Progress: one line on stderr that is rewritten at most five times a second, and only on a terminal. */
class Progress {
public:
  void show(uint64_t frames, std::optional<uint64_t> expected) {
    const Nanoseconds time = now();
    if (!terminal_ || time - shown_ < 200'000'000) return;
    shown_ = time;
    const std::string of = expected ? std::format(" of {}", *expected) : std::string();
    std::fprintf(stderr, "\rframe %llu%s", static_cast<unsigned long long>(frames), of.c_str());
  }
  void end() const {
    if (terminal_ && shown_ != 0) std::fputs("\r\033[K", stderr);
  }

private:
  bool terminal_ = isatty(STDERR_FILENO) == 1;
  Nanoseconds shown_ = 0;
};

Result<> writeFrames(FrameSource& source, ClipWriter& writer, StopSignals& stop) {
  const ClipHeader& header = writer.header();
  const Nv12Layout layout{header.size, header.lumaStrideBytes, header.chromaStrideBytes, header.chromaOffsetBytes};
  std::vector<std::byte> frame(header.frameBytes);
  Progress progress;
  for (;;) {
    if (stop.stopped()) return invalid("pack", "frames", "interrupted");
    std::ranges::fill(frame, std::byte{0});
    const auto more = source.next(layout, frame);
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    if (auto added = writer.addFrame(frame); !added) return added;
    progress.show(header.frameCount, source.info().expectedFrames);
  }
  progress.end();
  return {};
}

Result<> pack(const Options& options, StopSignals& stop) {
  const auto wishes = parseWishes(options);
  if (!wishes) return std::unexpected(wishes.error());
  auto source =
      options.pattern.empty() ? openVideo(options.input, *wishes, stop) : openTestPattern(options.pattern, *wishes);
  if (!source) return std::unexpected(source.error());
  const FrameSourceInfo& info = (*source)->info();
  const auto header = makeClipHeader(info.size, info.rateNumerator, info.rateDenominator, info.encoding, info.range);
  if (!header) return std::unexpected(header.error());
  const auto choice = chooseKey(options);
  if (!choice) return std::unexpected(choice.error());
  auto writer = ClipWriter::create(options.output, *header, choice->key);
  if (!writer) return std::unexpected(writer.error());
  if (auto written = writeFrames(**source, *writer, stop); !written) return written;
  // The key is written first, since a clip without its key is useless.
  if (!choice->newFile.empty())
    if (auto kept = writeKeyFile(choice->newFile, choice->key); !kept) return kept;
  if (auto finished = writer->finish(); !finished) return finished;
  const ClipHeader& made = writer->header();
  std::fprintf(stderr, "%s: %llu frames of %ux%u at %u/%u per second, %s %s\n", options.output.c_str(),
               static_cast<unsigned long long>(made.frameCount), made.size.width, made.size.height, made.rateNumerator,
               made.rateDenominator, colorEncodingName(made.encoding), colorRangeName(made.range));
  return {};
}

} // namespace
} // namespace vitrine

int main(int argc, char** argv) {
  using namespace vitrine;
  CLI::App app("Makes an encrypted clip of a video, for vitrine-play.", "vitrine-pack");
  Options options;
  addOptions(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? ExitOk : ExitMisused;
  }
  if (options.input.empty() == options.pattern.empty()) {
    std::fputs("vitrine-pack: give an INPUT or a --test-pattern\n", stderr);
    return ExitMisused;
  }
  auto stop = StopSignals::create();
  const auto done = stop ? pack(options, *stop) : std::unexpected(stop.error());
  if (done) return ExitOk;
  std::fprintf(stderr, "vitrine-pack: %s\n", done.error().text().c_str());
  return done.error().operation == "parse" ? ExitMisused : ExitFoundWanting;
}
