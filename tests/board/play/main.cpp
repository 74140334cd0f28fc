/* vitrine-play: plays an encrypted clip through the TEE into protected buffers, and shows them on a Wayland compositor.
 */
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "tests/board/common/exit_status.h"
#include "tests/board/common/option_check.h"
#include "tests/board/common/size_text.h"
#include "tests/board/play/player.h"

namespace vitrine {
namespace {

struct Options {
  std::string clip;
  std::string keyFile;
  std::string keyHex;
  std::string size;
  std::string transform = "normal";
  std::string flag = "auto";
  std::string application;
  std::string json;
  PlayerOptions player;
};

/** As wl_output.transform has them, in the order of its values. */
const std::vector<std::string> transformNames = {"normal",  "90",         "180",         "270",
                                                 "flipped", "flipped-90", "flipped-180", "flipped-270"};

Transform transformNamed(const std::string& name) {
  return static_cast<Transform>(std::ranges::find(transformNames, name) - transformNames.begin());
}

/** What is wrong with a number of seconds: CLI11's ranges let NaN through, and Nanoseconds have an end. */
std::string secondsFault(const std::string& text) {
  constexpr double limit = 1e9;
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && seconds > 0 && seconds <= limit ? std::string() : "it has to be a number of seconds, at most 1e9";
}

void addOptions(CLI::App& app, Options& options) {
  app.add_option("CLIP", options.clip, "A clip that vitrine-pack made")->required();
  auto* file = app.add_option("--key", options.keyFile, "Key file; default: the clip's name with `.key`");
  app.add_option("--key-hex", options.keyHex,
                 "The key itself, 32 hexadecimal digits; other users can see it in the list of processes")
      ->excludes(file)
      ->check(parsedBy(parseKey));
  auto* fullscreen = app.add_flag("--fullscreen", options.player.fullscreen, "As large as the output allows");
  app.add_option("--size", options.size, "WxH to show it in; default: the clip's own")
      ->excludes(fullscreen)
      ->check(parsedBy(parseSize));
  app.add_option(
         "--transform", options.transform,
         "How the clip's pictures were mirrored (left to right) and then turned (counter-clockwise) already, for "
         "the compositor to undo")
      ->check(CLI::IsMember(transformNames))
      ->capture_default_str();
  app.add_flag("--cover", options.player.covered,
               "Lay a half transparent green surface over the right half, as another window would");
  app.add_option("--buffers", options.player.buffers,
                 "Protected buffers to use; plays with fewer, down to 2, where the heap "
                 "has no more")
      ->check(CLI::Range(ProtectedBuffers::minimum, size_t{16}))
      ->capture_default_str();
  app.add_flag("--loop", options.player.loop, "Begin again at the end");
  app.add_option("--seconds", options.player.seconds, "End after so many seconds")->check(secondsFault);
  app.add_option("--frames", options.player.frames, "End after so many frames")->check(CLI::PositiveNumber);
  app.add_option("--flag", options.flag, "Claim by weston_restricted_buffer_v1 that the buffers are protected")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
  app.add_option("--application", options.application,
                 "The trusted application that fills the buffers (default: the best that the TEE has): `frame-decrypt` "
                 "decrypts inside the TEE; `sdp-basic`, optee_test's, copies what was decrypted outside of it")
      ->check(CLI::IsMember({"frame-decrypt", "sdp-basic"}));
  app.add_option("--heap", options.player.heapName, "This heap alone; it has to be a protected one");
  app.add_option("--json", options.json, "Write statistics to this file, or to stdout (-)");
  app.set_version_flag("--version", "vitrine-play " VITRINE_VERSION);
  app.footer(
      "Status: 0 played, 1 failed, 2 misused, 77 this machine has no heap that is proven protected, or no TEE for it.");
}

/** Median and 95th percentile in microseconds. */
nlohmann::json fillStatistics(std::vector<Nanoseconds> times) {
  if (times.empty()) return nullptr;
  std::ranges::sort(times);
  auto percentile = [&times](size_t percent) {
    return static_cast<double>(times[(times.size() - 1) * percent / 100]) / 1000;
  };
  return {{"median", percentile(50)}, {"p95", percentile(95)}};
}

/** How the frames reached the panel, as far as a client can see. */
nlohmann::json pathOf(const PlayerReport& report) {
  if (report.framesPresented == 0) return nullptr;
  if (report.zeroCopy == report.framesPresented) return "plane";
  return report.zeroCopy == 0 ? "composited-or-placeholder" : "mixed";
}

template<typename T>
nlohmann::json orNull(const std::optional<T>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

nlohmann::json answersJson(const std::vector<ProtectionAnswer>& answers) {
  nlohmann::json list = nlohmann::json::array();
  for (const ProtectionAnswer& answer : answers)
    list.push_back({{"output", answer.output},
                    {"path", answer.path},
                    {"refusal", answer.refusal.empty() ? nlohmann::json(nullptr) : nlohmann::json(answer.refusal)}});
  return list;
}

nlohmann::json reportJson(const Options& options, const ClipHeader& header, const PlayerReport& report,
                          const Result<>& outcome) {
  nlohmann::json json;
  json["version"] = VITRINE_VERSION;
  json["clip"] = {{"file", options.clip},
                  {"width", header.size.width},
                  {"height", header.size.height},
                  {"rate", header.rate()},
                  {"encoding", colorEncodingName(header.encoding)},
                  {"range", colorRangeName(header.range)},
                  {"frames", header.frameCount}};
  json["heap"] = report.heap.empty() ? nlohmann::json(nullptr) : nlohmann::json(report.heap);
  json["evidence"] = evidenceName(report.evidence);
  json["application"] = nullptr;
  if (report.application)
    json["application"] = *report.application == FrameFiller::Application::FrameDecrypt ? "frame-decrypt" : "sdp-basic";
  json["buffers"] = report.buffers;
  json["buffers_wanted"] = options.player.buffers;
  json["buffers_needed"] = ProtectedBuffers::minimum;
  json["claimed"] = report.claimed;
  json["color_told"] = report.colorTold;
  json["frames_submitted"] = report.framesSubmitted;
  json["frames_presented"] = report.framesPresented;
  json["frames_discarded"] = report.framesDiscarded;
  json["frames_missed"] = report.framesMissed;
  json["zero_copy"] = report.zeroCopy;
  json["path"] = pathOf(report);
  json["attainable"] = answersJson(report.attainable);
  json["outcomes"] = answersJson(report.outcomes);
  json["first_presented_frame"] = orNull(report.firstPresentedFrame);
  json["last_presented_frame"] = orNull(report.lastPresentedFrame);
  json["fill_us"] = fillStatistics(report.fillTimes);
  json["seconds"] = report.seconds;
  json["ended_by"] = report.endedBy;
  json["error"] = nullptr;
  json["refusal"] = nullptr;
  if (!outcome) {
    json["error"] = outcome.error().text();
    const Refusal refusal = refusalOf(outcome.error(), Refusal::None);
    if (refusal != Refusal::None) json["refusal"] = refusalName(refusal);
  }
  return json;
}

/** A stream that could not be written is an error of its own, unless playing failed already. */
Result<> writeJson(const std::string& file, const nlohmann::json& json) {
  // A file's name may be no UTF-8; the report has to be.
  const std::string text = json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (file == "-") {
    std::cout << text << std::flush;
    return {};
  }
  errno = 0;
  std::ofstream stream(file);
  stream << text << std::flush;
  if (!stream) return systemError("write", file, errno != 0 ? errno : EIO);
  return {};
}

int exitStatusOf(const Error& error) {
  const Refusal refusal = refusalOf(error, Refusal::None);
  const bool noHeap = refusal == Refusal::HeapAbsent || refusal == Refusal::HeapUnproven;
  if (noHeap || error.kind == ErrorKind::Missing) return ExitNotApplicable;
  if (clipFaultOf(error) != ClipFault::None || error.operation == "parse") return ExitMisused;
  return ExitFoundWanting;
}

int fail(const Error& error) {
  std::fprintf(stderr, "vitrine-play: %s\n", error.text().c_str());
  return exitStatusOf(error);
}

Result<ClipReader> openClip(const Options& options, ClipKey& key) {
  const auto read = options.keyHex.empty()
                        ? readKeyFile(options.keyFile.empty() ? options.clip + ".key" : options.keyFile)
                        : parseKey(options.keyHex);
  if (!read) return std::unexpected(read.error());
  key = *read;
  return ClipReader::open(options.clip, key);
}

int play(Options& options) {
  if (!options.size.empty()) {
    const auto size = parseSize(options.size);
    if (!size) return fail(size.error());
    options.player.shownSize = *size;
  }
  options.player.transform = transformNamed(options.transform);
  if (!options.application.empty()) {
    options.player.application = options.application == "frame-decrypt" ? FrameFiller::Application::FrameDecrypt
                                                                        : FrameFiller::Application::SdpBasic;
  }
  if (options.flag != "auto") options.player.claim = options.flag == "always" ? ClaimMode::Always : ClaimMode::Never;
  auto stop = StopSignals::create();
  if (!stop) return fail(stop.error());
  ClipKey key{};
  auto clip = openClip(options, key);
  if (!clip) return fail(clip.error());

  Player player(*clip, options.player, *stop);
  const auto outcome = player.play(key);
  if (!options.json.empty()) {
    const auto written = writeJson(options.json, reportJson(options, clip->header(), player.report(), outcome));
    if (!written && outcome) return fail(written.error());
  }
  return outcome ? ExitOk : fail(outcome.error());
}

} // namespace
} // namespace vitrine

int main(int argc, char** argv) {
  using namespace vitrine;
  CLI::App app("Plays an encrypted clip through the TEE into protected buffers.", "vitrine-play");
  Options options;
  addOptions(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? ExitOk : ExitMisused;
  }
  return play(options);
}
