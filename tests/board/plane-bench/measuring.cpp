#include "tests/board/plane-bench/measuring.h"

#include <algorithm>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "tests/board/plane-bench/probe.h"
#include "tests/board/plane-bench/run_json.h"

namespace vitrine::bench {
namespace {

using Json = nlohmann::ordered_json;

/** Writes whole lines. The reader decides how long to go on: a pipe without one ends this process (SIGPIPE). */
void send(int pipe, const Message& message) {
  const std::string line = messageToLine(message);
  for (size_t sent = 0; sent < line.size();) {
    const ssize_t count = write(pipe, line.data() + sent, line.size() - sent);
    if (count < 0 && errno != EINTR) return;
    if (count > 0) sent += static_cast<size_t>(count);
  }
}

bool isWanted(const Task& task, const Series& series) {
  return task.metrics.empty() || std::ranges::contains(task.metrics, series.metric);
}

/** Runs one probe; its series come back with a repetition each. One that fails is not tried again. */
void runProbe(Stage& stage, Probe& probe, unsigned samples) {
  for (Series& series : probe.series)
    series.repetitions.clear();
  const auto isUnavailable = [](const Series& series) { return !series.unavailable.empty(); };
  probe.over = std::ranges::all_of(probe.series, isUnavailable);
  if (probe.over) return;
  const auto measured = probe.measure(samples);
  const auto cleared = stage.clear();
  probe.over = !measured || !cleared;
  for (size_t i = 0; i < probe.series.size(); ++i) {
    if (!measured)
      probe.series[i].unavailable = measured.error().text();
    else if (!cleared)
      probe.series[i].unavailable = cleared.error().text();
    else
      probe.series[i].repetitions = {(*measured)[i]};
  }
}

class Measuring {
public:
  Measuring(Stage& stage, const Task& task, int pipe)
      : stage_(stage), task_(task), pipe_(pipe), probes_(makeProbes(stage, task.metrics)) {}

  void run() {
    message_.protectedHeap = stage_.protectedHeap();
    const unsigned repetitions = task_.settings.repetitions;
    const auto once = static_cast<unsigned>(std::ranges::count(probes_, true, &Probe::once));
    message_.total = repetitions * static_cast<unsigned>(probes_.size()) - (repetitions - 1) * once;
    for (message_.repetition = 1; message_.repetition <= repetitions; ++message_.repetition)
      runRepetition();
    message_.repetition = repetitions;
    message_.doing.clear();
    send(pipe_, message_);
  }

private:
  void runRepetition() {
    for (Probe& probe : probes_) {
      if (probe.once && message_.repetition > 1) continue;
      message_.doing = probe.series[0].name();
      send(pipe_, message_);
      message_ = {message_.repetition, message_.done, message_.total, {}, {}, {}, {}};
      ++message_.done;
      if (probe.over) continue;
      runProbe(stage_, probe, task_.settings.samples);
      std::ranges::copy_if(probe.series, std::back_inserter(message_.series),
                           [this](const Series& series) { return isWanted(task_, series); });
    }
  }

  Stage& stage_;
  const Task& task_;
  int pipe_;
  std::vector<Probe> probes_;
  Message message_;
};

} // namespace

int runMeasurements(KmsDevice& device, const OutputChoice& output, const Task& task, int pipe) {
  const auto fail = [pipe](const Error& error) {
    Message message;
    message.error = error.text();
    send(pipe, message);
    return 1;
  };
  auto stage = Stage::create(device, *output.connector, *output.crtc, *output.mode);
  if (!stage) return fail(stage.error());
  // Planes that the master before has left on make a later commit fail that wants an event: off first, without one.
  if (auto dark = (*stage)->darken(); !dark) return fail(dark.error());
  if (auto lit = (*stage)->light(); !lit) return fail(lit.error());
  Measuring(**stage, task, pipe).run();
  return 0;
}

std::string messageToLine(const Message& message) {
  Json series = Json::array();
  for (const Series& each : message.series)
    series.push_back(seriesJson(each));
  const Json json = {{"repetition", message.repetition},
                     {"done", message.done},
                     {"total", message.total},
                     {"doing", message.doing},
                     {"series", series},
                     {"protected_heap", message.protectedHeap},
                     {"error", message.error}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Message> messageFromLine(const std::string& line) {
  try { // nlohmann-json throws; nothing of it leaves this function
    const Json json = Json::parse(line);
    Message message{json.at("repetition"),     json.at("done"), json.at("total"), json.at("doing"), {},
                    json.at("protected_heap"), json.at("error")};
    for (const Json& series : json.at("series"))
      message.series.push_back(seriesFromJson(series));
    return message;
  } catch (const nlohmann::json::exception& error) {
    return invalid("read", "the measuring process", error.what());
  }
}

} // namespace vitrine::bench
