#include "tests/board/plane-bench/bench_session.h"

#include <algorithm>
#include <chrono>
#include <format>

#include <poll.h>
#include <unistd.h>
#include <xf86drm.h>

#include "protected-path/base/clock.h"
#include "protected-path/kms/drm_pointer.h"
#include "tests/board/common/stop_signals.h"
#include "tests/board/plane-bench/drm_master.h"
#include "tests/board/plane-bench/forked_child.h"
#include "tests/board/plane-bench/progress.h"
#include "tests/board/plane-bench/saved_display.h"

namespace vitrine::bench {
namespace {

constexpr int silenceLimitMs = 60'000; ///< the longest probe takes a few seconds

/** Collects what the measuring process says into the run. */
class Collector {
public:
  Collector(BenchRun& run, Progress& progress) : run_(run), progress_(progress) {}

  /** Takes in text as it was read; false after a line that ends the run, with its reason in run().endedBy. */
  bool take(std::string_view text) {
    rest_ += text;
    for (size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n')) {
      const auto message = messageFromLine(rest_.substr(0, end));
      rest_.erase(0, end + 1);
      if (!message || !message->error.empty()) {
        run_.endedBy = message ? message->error : message.error().text();
        return false;
      }
      merge(*message);
      progress_.show(message->done, message->total, message->repetition, message->doing);
    }
    return true;
  }
  [[nodiscard]] const std::string& doing() const { return doing_; }

private:
  void merge(const Message& message) {
    doing_ = message.doing;
    if (!message.protectedHeap.empty()) run_.target.protectedHeap = message.protectedHeap;
    for (const Series& series : message.series) {
      const auto known = std::ranges::find(run_.series, series.name(), &Series::name);
      if (known == run_.series.end()) {
        run_.series.push_back(series);
      } else if (!series.unavailable.empty()) {
        run_.notes.push_back(
            std::format("{}: repetition {}: {}", series.name(), known->repetitions.size() + 1, series.unavailable));
      } else {
        known->repetitions.push_back(series.repetitions.at(0));
      }
    }
  }

  BenchRun& run_;
  Progress& progress_;
  std::string rest_;
  std::string doing_;
};

/** Reads until the child has ended, a signal came or it was silent for too long; says why in run.endedBy. */
void collect(ForkedChild& child, StopSignals& stop, Collector& collector, BenchRun& run) {
  while (true) {
    std::array<pollfd, 2> ready{{{child.output(), POLLIN, 0}, {stop.fd(), POLLIN, 0}}};
    const int count = poll(ready.data(), ready.size(), silenceLimitMs);
    if (count < 0 && errno == EINTR) continue;
    if (stop.stopped()) {
      run.endedBy = "a signal ended it";
      return;
    }
    if (count == 0) {
      run.endedBy = std::format("the measuring process hung for {} s in {}", silenceLimitMs / 1000, collector.doing());
      return;
    }
    std::array<char, 65536> text; // NOLINT: written by read()
    const ssize_t length = read(child.output(), text.data(), text.size());
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) break;
    if (!collector.take({text.data(), static_cast<size_t>(length)})) return;
  }
  const std::string end = child.finish();
  if (!end.empty()) run.endedBy = std::format("the measuring process: {}, in {}", end, collector.doing());
}

Target describeTarget(const KmsDevice& device, const OutputChoice& output) {
  Target target;
  target.node = device.node();
  target.driver = device.driverName();
  if (const DrmPointer<drmVersion> version(drmGetVersion(device.fd())); version) {
    target.driverVersion =
        std::format("{}.{}.{}", version->version_major, version->version_minor, version->version_patchlevel);
  }
  for (const Plane& plane : device.planes()) {
    if ((plane.possibleCrtcs & (1U << output.crtc->index)) == 0) continue;
    ++(plane.type == PlaneType::Primary   ? target.primaries
       : plane.type == PlaneType::Overlay ? target.overlays
                                          : target.cursors);
  }
  target.modifiers = device.hasModifiers();
  target.connector = output.connector->name;
  target.size = output.mode->size;
  target.refreshMilliHertz = output.mode->refreshMilliHertz;
  return target;
}

std::string utcNow() {
  return std::format("{:%FT%TZ}", std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()));
}

Result<std::unique_ptr<KmsDevice>> openDevice(const SessionOptions& options) {
  std::vector<std::string> nodes = KmsDevice::listNodes();
  if (!options.node.empty()) nodes = {options.node};
  if (nodes.empty()) return missing("look for displays", "/sys/class/drm", "there is no KMS device with a connector");
  auto fd = openAsMaster(nodes[0]);
  if (!fd) return std::unexpected(fd.error());
  return KmsDevice::open(std::move(*fd), nodes[0]);
}

} // namespace

Result<BenchRun> measure(const SessionOptions& options) {
  auto stop = StopSignals::create();
  if (!stop) return std::unexpected(stop.error());
  const auto device = openDevice(options);
  if (!device) return std::unexpected(device.error());
  const auto output = chooseOutput(**device, options.connector, options.mode);
  if (!output) return std::unexpected(output.error());
  const auto saved = SavedDisplay::save(**device);
  if (!saved) return std::unexpected(saved.error());

  BenchRun run{.program = VITRINE_VERSION,
               .started = utcNow(),
               .machine = readMachineFacts(),
               .target = describeTarget(**device, *output),
               .settings = options.task.settings};
  const Nanoseconds start = now();
  {
    auto child = ForkedChild::start([&](int pipe) { return runMeasurements(**device, *output, options.task, pipe); });
    if (!child) return std::unexpected(child.error());
    Progress progress(options.showsProgress, options.task.settings.repetitions);
    Collector collector(run, progress);
    collect(*child, *stop, collector, run);
  } // the child has ended: nobody else uses the device any more
  run.seconds = static_cast<double>(now() - start) / 1e9;
  run.complete = run.endedBy.empty();
  if (auto restored = saved->restore(); !restored)
    std::fprintf(stderr, "vitrine-plane-bench: the state before could not be restored: %s\n",
                 restored.error().text().c_str());
  return run;
}

} // namespace vitrine::bench
