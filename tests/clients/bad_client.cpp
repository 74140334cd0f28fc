#include "tests/clients/bad_client.h"

#include <algorithm>
#include <csignal>
#include <format>

#include <fcntl.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm_fourcc.h>

#include "protected-path/heap/heap_allocator.h"
#include "tests/board/wayland/video_window.h"
#include "tests/clients/plain_surface.h"
#include "tests/clients/sync_timeline.h"

namespace vitrine {
namespace {

/** Flips before the SIGKILL: by then planes, fences and releases are in full swing. */
constexpr unsigned flipsBeforeKill = 10;

// ---- Memory ----

Result<UniqueFd> makeMemfd(uint64_t sizeBytes) {
  UniqueFd fd(memfd_create("bad-client", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return systemError("memfd_create", "bad-client");
  if (ftruncate(fd.get(), static_cast<off_t>(sizeBytes)) != 0) return systemError("ftruncate", "memfd");
  return fd;
}

/** An ordinary dma-buf where there is no heap for one: udmabuf wraps a sealed memfd. */
Result<UniqueFd> makeUdmabuf(uint64_t sizeBytes) {
  auto memory = makeMemfd(sizeBytes);
  if (!memory) return memory;
  if (fcntl(memory->get(), F_ADD_SEALS, F_SEAL_SHRINK) != 0) return systemError("F_ADD_SEALS", "memfd");
  const UniqueFd device(open("/dev/udmabuf", O_RDWR | O_CLOEXEC));
  if (!device) return missing("open", "/dev/udmabuf", errnoName(errno) + ", and there is no ordinary heap either");
  udmabuf_create request{};
  request.memfd = static_cast<uint32_t>(memory->get());
  request.flags = UDMABUF_FLAGS_CLOEXEC;
  request.size = sizeBytes;
  UniqueFd fd(ioctl(device.get(), UDMABUF_CREATE, &request));
  if (!fd) return systemError("UDMABUF_CREATE", std::format("{} bytes", sizeBytes));
  return fd;
}

Result<UniqueFd> makeMemory(BadSource source, const std::string& heapName) {
  BufferRequest request;
  request.size = badBufferSize;
  request.fourcc = DRM_FORMAT_NV12;
  request.modifier = DRM_FORMAT_MOD_LINEAR;
  request.protectedContent = source == BadSource::Protected;
  const auto layout = layoutFor(request);
  if (!layout) return std::unexpected(layout.error());
  if (source == BadSource::NotADmabuf) return makeMemfd(layout->sizeBytes);

  const HeapTable table;
  const std::vector<Heap> heaps = listHeaps(table);
  if (!heapName.empty()) {
    const auto named = std::ranges::find(heaps, heapName, &Heap::name);
    if (named == heaps.end()) return missing("find", "heap " + heapName, "this machine has no heap of that name");
    return allocateFromHeap(*named, layout->sizeBytes);
  }
  const HeapChoice choice = chooseHeap(request, heaps);
  if (choice.candidates.empty()) {
    if (source == BadSource::Ordinary) return makeUdmabuf(layout->sizeBytes);
    return missing("choose", "protected heap", choice.explanation);
  }
  auto buffer = allocateBuffer(request, heaps, table);
  if (!buffer) return std::unexpected(buffer.error());
  return duplicateFd(buffer->buffer.plane(0).fd.get());
}

// ---- wl_buffer ----

/** One set of parameters, and the answer to it. */
class Parameters {
public:
  Parameters(WaylandConnection& connection, const BadCase& one, int fd)
      : connection_(connection), case_(one), fd_(fd),
        object_(zwp_linux_dmabuf_v1_create_params(connection.globals().dmabuf.get())) {
    zwp_linux_buffer_params_v1_add_listener(object_.get(), &listener, this);
  }
  Parameters(const Parameters&) = delete;
  Parameters& operator=(const Parameters&) = delete;

  void add(const BadPlane& plane) {
    const uint64_t modifier = plane.modifier.value_or(case_.modifier);
    zwp_linux_buffer_params_v1_add(object_.get(), fd_, plane.index, plane.offsetBytes, plane.strideBytes,
                                   static_cast<uint32_t>(modifier >> 32), static_cast<uint32_t>(modifier));
  }
  void addAll() {
    for (const BadPlane& plane : case_.planes)
      add(plane);
  }
  void claim() { weston_restricted_buffer_v1_enable(connection_.globals().restrictedBuffer.get(), object_.get()); }
  void create() { zwp_linux_buffer_params_v1_create(object_.get(), case_.width, case_.height, case_.fourcc, 0); }
  void createImmediately() {
    buffer_.reset(zwp_linux_buffer_params_v1_create_immed(object_.get(), case_.width, case_.height, case_.fourcc, 0));
  }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] wl_buffer* buffer() const { return buffer_.get(); }

private:
  WaylandConnection& connection_;
  const BadCase& case_;
  int fd_;
  WaylandPtr<zwp_linux_buffer_params_v1> object_;
  WaylandPtr<wl_buffer> buffer_;
  bool failed_ = false;
  static constexpr zwp_linux_buffer_params_v1_listener listener = {
      .created = [](void* data, zwp_linux_buffer_params_v1*,
                    wl_buffer* created) { static_cast<Parameters*>(data)->buffer_.reset(created); },
      .failed = [](void* data, zwp_linux_buffer_params_v1*) { static_cast<Parameters*>(data)->failed_ = true; },
  };
};

void sendRequests(const BadCase& one, Parameters& parameters) {
  parameters.addAll();
  if (one.claim || one.action == BadAction::ClaimTwice) parameters.claim();
  if (one.action == BadAction::ClaimTwice) parameters.claim();
  if (one.action == BadAction::CreateImmediately)
    parameters.createImmediately();
  else
    parameters.create();
  if (one.action == BadAction::CreateTwice) parameters.create();
  if (one.action == BadAction::AddAfterCreate) parameters.add(one.planes.front());
  if (one.action == BadAction::ClaimAfterCreate) parameters.claim();
}

// ---- Showing ----

class Watcher : public VideoWindowObserver {
public:
  void frameWanted() override { wanted = true; }
  void presented(uint64_t, const Presentation&) override { ++presentedFrames; }
  void discarded(uint64_t) override { ++discardedFrames; }
  void closed() override {}
  bool wanted = false;
  uint64_t presentedFrames = 0;
  uint64_t discardedFrames = 0;
};

template<typename Predicate>
Result<> runUntil(WaylandConnection& connection, const char* what, Predicate predicate) {
  const Nanoseconds deadline = now() + answerTimeout;
  while (!predicate()) {
    if (now() >= deadline) return invalid("wait for", what, "it did not come within ten seconds");
    if (auto done = connection.dispatch(deadline - now()); !done) return done;
  }
  return {};
}

Result<BadAnswer> show(WaylandConnection& connection, wl_buffer* buffer, bool hold) {
  Watcher watcher;
  const VideoWindowOptions options{
      .title = "bad-client", .appId = "org.vitrine.bad-client", .videoSize = badBufferSize};
  auto window = VideoWindow::create(connection, options, watcher);
  if (!window) return std::unexpected(window.error());
  (*window)->show(buffer, 0);
  auto done = runUntil(connection, "presentation feedback",
                       [&watcher] { return watcher.presentedFrames + watcher.discardedFrames > 0; });
  if (!done) return std::unexpected(done.error());
  if (hold) {
    if (auto held = connection.stayUntilInputEnds(); !held) return std::unexpected(held.error());
  }
  return BadAnswer{watcher.presentedFrames > 0 ? "presented" : "discarded", "", 0};
}

Result<BadAnswer> killMidFlip(WaylandConnection& connection, wl_buffer* buffer, void (*beforeKill)()) {
  Watcher watcher;
  const VideoWindowOptions options{
      .title = "bad-client", .appId = "org.vitrine.bad-client", .videoSize = badBufferSize};
  auto window = VideoWindow::create(connection, options, watcher);
  if (!window) return std::unexpected(window.error());
  for (unsigned flip = 0; flip < flipsBeforeKill; ++flip) {
    watcher.wanted = false;
    (*window)->show(buffer, flip);
    if (auto done = runUntil(connection, "frame callback", [&watcher] { return watcher.wanted; }); !done)
      return std::unexpected(done.error());
  }
  (*window)->show(buffer, flipsBeforeKill);
  if (auto done = connection.dispatch(0); !done) return std::unexpected(done.error()); // sends the commit
  beforeKill();
  raise(SIGKILL);
  return invalid("raise", "SIGKILL", "it returned");
}

// ---- Explicit synchronisation ----

/** A surface without a role, with its object and timelines. */
class SyncedSurface {
public:
  SyncedSurface(WaylandConnection& connection, wl_buffer* buffer, Timeline acquire, Timeline release)
      : connection_(connection), buffer_(buffer), acquire_(std::move(acquire)), release_(std::move(release)),
        surface_(wl_compositor_create_surface(connection.globals().compositor.get())), object_(makeObject()) {}
  SyncedSurface(const SyncedSurface&) = delete;
  SyncedSurface& operator=(const SyncedSurface&) = delete;

  Result<> run(BadSync what);

private:
  [[nodiscard]] WaylandPtr<wp_linux_drm_syncobj_surface_v1> makeObject() {
    return WaylandPtr<wp_linux_drm_syncobj_surface_v1>(
        wp_linux_drm_syncobj_manager_v1_get_surface(connection_.globals().explicitSync.get(), surface_.get()));
  }
  void setAcquire(uint32_t point) {
    wp_linux_drm_syncobj_surface_v1_set_acquire_point(object_.get(), acquire_.object(), 0, point);
  }
  void setRelease(uint32_t point) {
    wp_linux_drm_syncobj_surface_v1_set_release_point(object_.get(), release_.object(), 0, point);
  }
  void commit(wl_buffer* buffer) {
    if (buffer != nullptr) wl_surface_attach(surface_.get(), buffer, 0, 0);
    wl_surface_commit(surface_.get());
  }
  void commitBoth(wl_buffer* buffer) {
    setAcquire(1);
    setRelease(1);
    commit(buffer);
  }
  void conflict();
  Result<> destroyWhileHeld(bool surfaceToo);
  Result<> importMemfd();

  WaylandConnection& connection_;
  wl_buffer* buffer_;
  Timeline acquire_;
  Timeline release_;
  WaylandPtr<wl_surface> surface_;
  WaylandPtr<wp_linux_drm_syncobj_surface_v1> object_;
};

void SyncedSurface::conflict() {
  setAcquire(2);
  wp_linux_drm_syncobj_surface_v1_set_release_point(object_.get(), acquire_.object(), 0, 2);
  commit(buffer_);
}

Result<> SyncedSurface::destroyWhileHeld(bool surfaceToo) {
  commitBoth(buffer_);
  if (auto done = connection_.roundtrip(); !done) return done;
  object_.reset();
  if (surfaceToo) surface_.reset();
  if (auto done = connection_.roundtrip(); !done) return done;
  if (surfaceToo && !release_.signalled(1, answerTimeout))
    return invalid("wait for", "the release point of a commit that went with its surface", "it never signals");
  return acquire_.signal(1); // what is left of the commit wakes up here
}

Result<> SyncedSurface::importMemfd() {
  auto memory = makeMemfd(4096);
  if (!memory) return std::unexpected(memory.error());
  const WaylandPtr<wp_linux_drm_syncobj_timeline_v1> timeline(
      wp_linux_drm_syncobj_manager_v1_import_timeline(connection_.globals().explicitSync.get(), memory->get()));
  return connection_.roundtrip();
}

Result<> SyncedSurface::run(BadSync what) {
  WaylandPtr<wp_linux_drm_syncobj_surface_v1> second;
  WaylandPtr<wl_buffer> pixel;
  switch (what) {
  case BadSync::NoAcquirePoint:
    setRelease(1);
    commit(buffer_);
    break;
  case BadSync::NoReleasePoint:
    setAcquire(1);
    commit(buffer_);
    break;
  case BadSync::NoBuffer:
    commitBoth(nullptr);
    break;
  case BadSync::SinglePixel:
    pixel.reset(wp_single_pixel_buffer_manager_v1_create_u32_rgba_buffer(connection_.globals().singlePixelBuffers.get(),
                                                                         0, 0, 0, UINT32_MAX));
    commitBoth(pixel.get());
    break;
  case BadSync::Conflict:
    conflict();
    break;
  case BadSync::TwoObjects:
    second = makeObject();
    break;
  case BadSync::SurfaceGone:
    surface_.reset();
    setAcquire(1);
    break;
  case BadSync::NotASyncobj:
    return importMemfd();
  case BadSync::ObjectGoneWhileHeld:
  case BadSync::AllGoneWhileHeld:
    if (auto done = destroyWhileHeld(what == BadSync::AllGoneWhileHeld); !done) return done;
    break;
  }
  return connection_.roundtrip();
}

Result<BadAnswer> synchronise(WaylandConnection& connection, wl_buffer* buffer, BadSync what) {
  auto* manager = connection.globals().explicitSync.get();
  if (manager == nullptr) return missing("use", "the compositor", "it lacks wp_linux_drm_syncobj_manager_v1");
  auto device = openTimelineDevice();
  if (!device) return std::unexpected(device.error());
  auto acquire = Timeline::create(device->get(), manager);
  auto release = Timeline::create(device->get(), manager);
  if (!acquire || !release) return std::unexpected(!acquire ? acquire.error() : release.error());
  SyncedSurface surface(connection, buffer, std::move(*acquire), std::move(*release));
  if (auto done = surface.run(what); !done) return std::unexpected(done.error());
  return BadAnswer{"created", "", 0};
}

// ---- Windows ----

/** A window that is shown, whose xdg_toplevel can be destroyed and made again. */
class RoleWindow {
public:
  explicit RoleWindow(WaylandConnection& connection)
      : connection_(connection), surface_(connection, 0xc80000),
        shellSurface_(xdg_wm_base_get_xdg_surface(connection.globals().shell.get(), surface_.object())) {
    xdg_surface_add_listener(shellSurface_.get(), &listener, this);
  }
  RoleWindow(const RoleWindow&) = delete;
  RoleWindow& operator=(const RoleWindow&) = delete;

  /** Makes the xdg_toplevel, and waits until the window is shown. */
  Result<> show() {
    toplevel_.reset(xdg_surface_get_toplevel(shellSurface_.get()));
    configured_ = false;
    surface_.hide(); // the initial commit has no buffer
    if (auto done = runUntil(connection_, "configure", [this] { return configured_; }); !done) return done;
    surface_.show({100, 100});
    return connection_.roundtrip();
  }
  void destroyToplevel() { toplevel_.reset(); }
  [[nodiscard]] xdg_surface* shellSurface() const { return shellSurface_.get(); }

private:
  WaylandConnection& connection_;
  PlainSurface surface_;
  WaylandPtr<xdg_surface> shellSurface_;
  WaylandPtr<xdg_toplevel> toplevel_;
  bool configured_ = false;
  static constexpr xdg_surface_listener listener = {
      .configure =
          [](void* data, xdg_surface* surface, uint32_t serial) {
            xdg_surface_ack_configure(surface, serial);
            static_cast<RoleWindow*>(data)->configured_ = true;
          },
  };
};

Result<> popupOf(WaylandConnection& connection, const RoleWindow& parent) {
  auto* shell = connection.globals().shell.get();
  const PlainSurface surface(connection, 0x00c800);
  const WaylandPtr<xdg_surface> shellSurface(xdg_wm_base_get_xdg_surface(shell, surface.object()));
  const WaylandPtr<xdg_positioner> place(xdg_wm_base_create_positioner(shell));
  xdg_positioner_set_size(place.get(), 10, 10);
  xdg_positioner_set_anchor_rect(place.get(), 0, 0, 1, 1);
  const WaylandPtr<xdg_popup> popup(xdg_surface_get_popup(shellSurface.get(), parent.shellSurface(), place.get()));
  wl_surface_commit(surface.object());
  return connection.roundtrip();
}

Result<BadAnswer> abuseWindow(WaylandConnection& connection, BadAction action) {
  if (auto possible = PlainSurface::requireGlobals(connection); !possible) return std::unexpected(possible.error());
  RoleWindow window(connection);
  auto done = window.show();
  window.destroyToplevel();
  done = done.and_then([&] { return connection.roundtrip(); });
  done =
      done.and_then([&] { return action == BadAction::PopupOfNoWindow ? popupOf(connection, window) : window.show(); });
  window.destroyToplevel();
  done = done.and_then([&] { return connection.roundtrip(); });
  if (!done) return std::unexpected(done.error());
  return BadAnswer{"created", "", 0};
}

Result<BadAnswer> attempt(WaylandConnection& connection, const BadCase& one, int fd, const BadClientOptions& options,
                          void (*beforeKill)()) {
  if (one.action == BadAction::PopupOfNoWindow || one.action == BadAction::ToplevelTwice)
    return abuseWindow(connection, one.action);
  Parameters parameters(connection, one, fd);
  sendRequests(one, parameters);
  // A roundtrip brings what was wrong: protocol errors, and the answer to create.
  if (auto done = connection.roundtrip(); !done) return std::unexpected(done.error());
  if (auto done = runUntil(connection, "the answer to create",
                           [&parameters] { return parameters.failed() || parameters.buffer() != nullptr; });
      !done)
    return std::unexpected(done.error());
  if (parameters.failed()) return BadAnswer{"failed", "", 0};
  if (one.action == BadAction::Show) return show(connection, parameters.buffer(), options.hold);
  if (one.action == BadAction::Synchronise) return synchronise(connection, parameters.buffer(), one.sync);
  if (one.action == BadAction::KillMidFlip) return killMidFlip(connection, parameters.buffer(), beforeKill);
  return BadAnswer{"created", "", 0};
}

bool needsClaim(const BadCase& one) {
  return one.claim || one.action == BadAction::ClaimTwice || one.action == BadAction::ClaimAfterCreate;
}

} // namespace

Result<BadAnswer> runBadCase(const BadCase& one, const BadClientOptions& options, void (*beforeKill)()) {
  const auto fd = makeMemory(one.source, options.heapName);
  if (!fd) return std::unexpected(fd.error());
  auto connection = WaylandConnection::open();
  if (!connection) return std::unexpected(connection.error());
  if (needsClaim(one) && !(*connection)->globals().restrictedBuffer)
    return missing("use", "the compositor", "it lacks weston_restricted_buffer_v1");
  auto answer = attempt(**connection, one, fd->get(), options, beforeKill);
  const auto& protocolError = (*connection)->protocolError();
  if (!answer && protocolError) return BadAnswer{"protocol-error", protocolError->interface, protocolError->code};
  return answer;
}

} // namespace vitrine
