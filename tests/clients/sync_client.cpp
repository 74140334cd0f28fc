#include <sys/mman.h>

#include <iostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <drm_fourcc.h>

#include "protected-path/dmabuf/sync_file.h"
#include "protected-path/heap/heap_allocator.h"
#include "tests/board/common/exit_status.h"
#include "tests/board/wayland/video_window.h"
#include "tests/clients/late_gpu.h"
#include "tests/clients/sync_timeline.h"

// sync-client: a client whose GPU is late. It commits a buffer whose fence (sw_sync) has not signalled, draws into the buffer only then,
// signals, and says what the compositor made of it. The fence is an acquire point, or travels in the dma-buf (--implicit).

namespace vitrine {
namespace {

/** A picture of one colour in an ordinary dma-buf. */
class Picture {
public:
  [[nodiscard]] static Result<Picture> create(WaylandConnection& connection, Size size) {
    const HeapTable table;
    auto memory = allocateBuffer({.size = size, .fourcc = DRM_FORMAT_XRGB8888, .protectedContent = false},
                                 listHeaps(table), table);
    if (!memory) return std::unexpected(memory.error());
    auto buffer = createWaylandBuffer(connection, memory->buffer, false);
    if (!buffer) return std::unexpected(buffer.error());
    return Picture(std::move(memory->buffer), std::move(*buffer));
  }
  [[nodiscard]] wl_buffer* object() const { return object_.get(); }
  /** The fence of a GPU that draws it still. */
  [[nodiscard]] Result<> drawnUntil(int syncFile) const {
    return importSyncFile(memory_.plane(0).fd.get(), syncFile, FenceUse::Write);
  }
  [[nodiscard]] Result<> fill(uint32_t color) const {
    const size_t size = memory_.sizeBytes();
    void* mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory_.plane(0).fd.get(), 0);
    if (mapped == MAP_FAILED) return systemError("mmap", memory_.describe());
    std::fill_n(static_cast<uint32_t*>(mapped), size / sizeof(uint32_t), color);
    munmap(mapped, size);
    return {};
  }

private:
  Picture(Dmabuf memory, WaylandPtr<wl_buffer> object) : memory_(std::move(memory)), object_(std::move(object)) {}
  Dmabuf memory_;
  WaylandPtr<wl_buffer> object_;
};

struct Options {
  Size size{320, 240};
  bool fullscreen = false;
  double lateSeconds = 0.5;
  bool hold = false;
  bool implicit = false;
  bool never = false;
  bool reset = false;
};

class SyncClient final : public VideoWindowObserver {
public:
  explicit SyncClient(Options options) : options_(options) {}
  /** Runs the whole play; the account of it. */
  Result<nlohmann::json> run();

  void frameWanted() override {}
  void presented(uint64_t frame, const Presentation&) override { lastPresented_ = std::max(lastPresented_, frame); }
  void discarded(uint64_t) override {}
  void closed() override {}

private:
  Result<> connect();
  Result<> show(const Picture& picture, uint64_t frame);
  Result<> makeLate(const Picture& picture, const LateGpu& gpu);
  Result<bool> waitFor(uint64_t frame, Nanoseconds timeout);
  Options options_;
  std::unique_ptr<WaylandConnection> connection_;
  std::unique_ptr<VideoWindow> window_;
  UniqueFd device_;
  std::optional<Timeline> acquire_;
  std::optional<Timeline> release_;
  WaylandPtr<wp_linux_drm_syncobj_surface_v1> surface_;
  uint64_t lastPresented_ = 0;
};

Result<> SyncClient::connect() {
  auto connection = WaylandConnection::open();
  if (!connection) return std::unexpected(connection.error());
  connection_ = std::move(*connection);
  auto device = openTimelineDevice();
  if (!device) return std::unexpected(device.error());
  device_ = std::move(*device);
  auto* manager = connection_->globals().explicitSync.get();
  if (manager == nullptr) return missing("bind", "wp_linux_drm_syncobj_manager_v1", "the compositor lacks it");
  for (auto* timeline : {&acquire_, &release_}) {
    auto made = Timeline::create(device_.get(), manager);
    if (!made) return std::unexpected(made.error());
    timeline->emplace(std::move(*made));
  }
  auto window = VideoWindow::create(
      *connection_, {.title = "sync-client", .videoSize = options_.size, .fullscreen = options_.fullscreen}, *this);
  if (!window) return std::unexpected(window.error());
  window_ = std::move(*window);
  if (!options_.implicit) surface_.reset(wp_linux_drm_syncobj_manager_v1_get_surface(manager, window_->surface()));
  return {};
}

Result<> SyncClient::show(const Picture& picture, uint64_t frame) {
  const auto low = static_cast<uint32_t>(frame);
  if (surface_) {
    wp_linux_drm_syncobj_surface_v1_set_acquire_point(surface_.get(), acquire_->object(), 0, low);
    wp_linux_drm_syncobj_surface_v1_set_release_point(surface_.get(), release_->object(), 0, low);
  }
  window_->show(picture.object(), frame);
  return connection_->dispatch(
      0); // no round trip: a compositor whose driver waits on the CPU would answer only after the fence
}

/** The second picture's fence. */
Result<> SyncClient::makeLate(const Picture& picture, const LateGpu& gpu) {
  return options_.implicit ? picture.drawnUntil(gpu.fence()) : acquire_->attach(2, gpu.fence());
}

Result<bool> SyncClient::waitFor(uint64_t frame, Nanoseconds timeout) {
  const Nanoseconds until = now() + timeout;
  while (lastPresented_ < frame && now() < until) {
    if (auto done = connection_->dispatch(until - now()); !done) return std::unexpected(done.error());
  }
  return lastPresented_ >= frame;
}

Result<nlohmann::json> SyncClient::run() {
  if (auto done = connect(); !done) return std::unexpected(done.error());
  auto first = Picture::create(*connection_, options_.size);
  auto second = Picture::create(*connection_, options_.size);
  auto gpu = LateGpu::start();
  if (!first || !second || !gpu)
    return std::unexpected(!first ? first.error() : !second ? second.error() : gpu.error());
  nlohmann::json account;
  if (auto done = first->fill(0xffc80000); !done) return std::unexpected(done.error());
  if (auto done = acquire_->signal(1); !done) return std::unexpected(done.error());
  if (auto done = show(*first, 1); !done) return std::unexpected(done.error());
  auto shown = waitFor(1, answerTimeout);
  if (!shown) return std::unexpected(shown.error());
  account["first_presented"] = *shown;

  if (auto done = makeLate(*second, *gpu); !done) return std::unexpected(done.error());
  if (auto done = second->fill(0xff00c800); !done) return std::unexpected(done.error()); // nobody may see this
  if (auto done = show(*second, 2); !done) return std::unexpected(done.error());
  if (options_.reset) { // the point is gone, even if the compositor still wants to know of it
    if (auto done = acquire_->reset(); !done) return std::unexpected(done.error());
    if (auto done = gpu->finish(); !done) return std::unexpected(done.error());
    if (auto done = connection_->roundtrip(); !done) return std::unexpected(done.error());
  }
  if (options_.never || options_.reset) {
    std::cout << account.dump() << std::endl;
    return connection_->stayUntilInputEnds().transform([&] { return account; });
  }
  shown = waitFor(2, static_cast<Nanoseconds>(options_.lateSeconds * 1e9));
  if (!shown) return std::unexpected(shown.error());
  account["presented_before_its_fence"] = *shown;
  if (surface_) account["released_before_replaced"] = release_->signalled(1, 0);
  if (auto done = second->fill(0xff0000c8); !done) return std::unexpected(done.error());
  if (auto done = gpu->finish(); !done) return std::unexpected(done.error());
  shown = waitFor(2, answerTimeout);
  if (!shown) return std::unexpected(shown.error());
  account["second_presented"] = *shown;
  if (surface_) {
    account["first_released"] = release_->signalled(1, answerTimeout);
    account["second_released_while_shown"] = release_->signalled(2, 0);
  }
  std::cout << account.dump() << std::endl;
  if (!options_.hold) return account;
  return connection_->stayUntilInputEnds().transform([&] { return account; });
}

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Shows two pictures, the second before its fence has signalled, and prints a JSON account.");
  app.set_version_flag("--version", VITRINE_VERSION);
  app.add_option("--width", options.size.width, "of the pictures, in pixels")->capture_default_str();
  app.add_option("--height", options.size.height, "of the pictures, in pixels")->capture_default_str();
  app.add_flag("--fullscreen", options.fullscreen, "covers the output");
  app.add_option("--late", options.lateSeconds, "seconds from the second commit to its fence")->capture_default_str();
  app.add_flag("--implicit", options.implicit, "the fence is in the dma-buf; else it is an acquire point");
  app.add_flag("--never", options.never, "the second fence does not signal; stays until standard input ends");
  app.add_flag("--reset", options.reset,
               "resets the acquire timeline right after the commit; stays until standard input ends");
  app.add_flag("--hold", options.hold, "stays afterwards, until standard input ends");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? ExitOk : ExitMisused;
  }
  auto account = SyncClient(options).run();
  if (account) return ExitOk;
  std::cerr << "sync-client: " << account.error().text() << '\n';
  return ExitFoundWanting;
}

} // namespace
} // namespace vitrine

int main(int argc, char** argv) {
  return vitrine::main(argc, argv);
}
