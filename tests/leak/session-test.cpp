#include <gtest/gtest.h>

#include <drm_fourcc.h>
#include <spdlog/sinks/ostream_sink.h>
#include <sys/ioctl.h>
#include <xf86drm.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <format>
#include <future>
#include <sstream>
#include <thread>

#include "compositor/server.h"
#include "compositor/wlr/log_bridge.h"
#include "protected-path/base/log.h"
#include "tests/board/wayland/screen_capture.h"
#include "tests/clients/late_gpu.h"
#include "tests/clients/sync_timeline.h"
#include "tests/leak/buffers.h"
#include "tests/leak/detector.h"
#include "tests/leak/stage.h"
#include "tests/unit/vulkan_interposer.h"

// The same property for the whole compositor. `vitrine` runs in a thread of this process, as the session on the
// display. A client in another thread shows random trees of surfaces. So the search covers everything that the
// compositor, the client and their drivers can read.

namespace {

/** Results of atomic requests while a scene is shown, in place of the kernel's. */
struct Verdicts {
  std::atomic<bool> armed = false;
  std::atomic<uint32_t> tests = 0; ///< bit n: whether the n-th TEST_ONLY reaches the kernel; else it fails
  std::atomic<uint32_t> question = 0;
  std::atomic<bool> commitFails = false; ///< the next real commit fails
} verdicts;

bool refuses(const drm_mode_atomic& request) {
  if (!verdicts.armed) return false;
  if ((request.flags & DRM_MODE_ATOMIC_TEST_ONLY) != 0) return (verdicts.tests >> (verdicts.question++ % 32) & 1U) == 0;
  return verdicts.commitFails.exchange(false);
}

} // namespace

/** Replaces libdrm's function. */
extern "C" int drmIoctl(int fd, unsigned long request, void* argument) {
  if (request == DRM_IOCTL_MODE_ATOMIC && refuses(*static_cast<const drm_mode_atomic*>(argument))) {
    errno = EINVAL;
    return -1;
  }
  int result = 0;
  do {
    result = ioctl(fd, request, argument);
  } while (result == -1 && (errno == EINTR || errno == EAGAIN));
  return result;
}

namespace vitrine::test {
namespace {

constexpr Size outputSize{640, 480};
constexpr int spread = 3; ///< scale: scenes are for an output of a buffer's size, and this output is larger
constexpr Nanoseconds frameTimeout = 150'000'000;       ///< hidden windows get no frame callback
constexpr auto gpuWork = std::chrono::milliseconds(20); ///< how late a client's GPU is

/** The compositor. It runs in a thread of its own from start to end. */
class Compositor {
public:
  explicit Compositor(bool validation) : thread_([this, validation] { run(validation); }) {}
  Compositor(const Compositor&) = delete;
  Compositor& operator=(const Compositor&) = delete;
  ~Compositor() {
    if (started()) pthread_kill(thread_.native_handle(), SIGTERM);
  }
  /** Waits until it has started, and returns whether it runs. If not, the reason is logged. */
  [[nodiscard]] bool started() const { return started_.get(); }

private:
  void run(bool validation) {
    Config config;
    config.vulkanValidation = validation;
    config.anyOutput.mode = outputSize;
    auto server = Server::start(std::move(config), {});
    if (!server) log("server").error("{}", server.error().text());
    promise_.set_value(server.has_value());
    if (server) static_cast<void>((*server)->run());
  }
  std::promise<bool> promise_;
  std::shared_future<bool> started_ = promise_.get_future().share();
  std::jthread thread_; ///< declared last, because it uses the others
};

/** A surface with its role. It is destroyed before its parent. */
struct Node {
  int parent = -1;
  WaylandPtr<wl_surface> surface;
  WaylandPtr<wp_viewport> viewport;
  WaylandPtr<wl_subsurface> subsurface;
  WaylandPtr<xdg_surface> shell;
  WaylandPtr<xdg_toplevel> window;
  WaylandPtr<xdg_popup> popup;
  WaylandPtr<wp_linux_drm_syncobj_surface_v1> sync;
  std::optional<Timeline> acquire;
  std::optional<Timeline> release;
  uint64_t point = 0; ///< the last one of both timelines
  WaylandPtr<wl_callback> frame;
  uint32_t serial = 0;
  bool configured = false; ///< a configure has not been acknowledged
  bool mapped = false;     ///< popups only: has been given its first buffer
  bool dismissed = false;  ///< popups only
  bool fullscreen = false;
  bool* frameDone = nullptr;
};

const xdg_surface_listener shellListener = {
    .configure =
        [](void* data, xdg_surface*, uint32_t serial) {
          auto* node = static_cast<Node*>(data);
          node->serial = serial;
          node->configured = true;
        },
};
const xdg_toplevel_listener windowListener = {
    .configure = [](void*, xdg_toplevel*, int32_t, int32_t, wl_array*) {},
    .close = [](void*, xdg_toplevel*) {},
    .configure_bounds = [](void*, xdg_toplevel*, int32_t, int32_t) {},
    .wm_capabilities = [](void*, xdg_toplevel*, wl_array*) {},
};
const xdg_popup_listener popupListener = {
    .configure = [](void*, xdg_popup*, int32_t, int32_t, int32_t, int32_t) {},
    .popup_done = [](void* data, xdg_popup*) { static_cast<Node*>(data)->dismissed = true; },
    .repositioned = [](void*, xdg_popup*, uint32_t) {},
};
const wl_callback_listener frameListener = {
    .done =
        [](void* data, wl_callback*, uint32_t) {
          auto* node = static_cast<Node*>(data);
          node->frame.reset();
          *node->frameDone = true;
        },
};

/** A client that shows trees of surfaces. */
class Client {
public:
  /** Connects, and creates all buffers. */
  [[nodiscard]] Result<> connect();
  /** Shows a frame, and waits until the compositor has drawn it, or until frameTimeout if it is hidden. */
  [[nodiscard]] Result<> show(const LeakFrame& frame);
  /** Takes everything off the screen. */
  [[nodiscard]] Result<> clear();
  [[nodiscard]] WaylandConnection& connection() { return *connection_; }

private:
  Result<> makeBuffers();
  Result<> makeTree(const LeakFrame& frame);
  bool isPopup(const LeakLayer& layer) const;
  Result<> addNode(const LeakLayer& layer);
  void givePopupRole(Node& node, const LeakLayer& layer);
  void removeNodes(size_t from);
  Result<> letBeConfigured(Node& node);
  Result<> describe(Node& node, const LeakLayer& layer);
  Result<> synchronise(Node& node, const LeakLayer& layer);
  Result<> showPopup(size_t node, const LeakFrame& frame);
  Result<> putGpuToWork(Node& node, bool announced);
  wl_buffer* bufferOf(const LeakLayer& layer) const;

  std::unique_ptr<WaylandConnection> connection_;
  UniqueFd timelineDevice_;
  std::vector<Dmabuf> memory_; ///< of the wl_buffers
  std::vector<WaylandPtr<wl_buffer>> protected_;
  std::vector<WaylandPtr<wl_buffer>> protectedClaimed_;
  std::vector<WaylandPtr<wl_buffer>> ordinary_;
  std::vector<WaylandPtr<wl_buffer>> ordinaryClaimed_;
  std::vector<WaylandPtr<wl_buffer>> solid_; ///< opaque, and half transparent
  std::vector<ShmBuffer> shm_;

  std::vector<std::unique_ptr<Node>> nodes_; ///< as the frame's layers
  bool frameDone_ = false;
  std::vector<std::jthread> gpus_; ///< busy GPUs; each uses its node's timeline, and ends by itself
};

Result<> Client::connect() {
  auto connection = WaylandConnection::open();
  if (!connection) return std::unexpected(connection.error());
  connection_ = std::move(*connection);
  const WaylandGlobals& globals = connection_->globals();
  if (!globals.subcompositor || !globals.viewporter || !globals.singlePixelBuffers || !globals.shm)
    return missing("bind", "wl_subcompositor, wp_viewporter, wp_single_pixel_buffer_manager_v1, wl_shm", "one of them");
  if (hasRenderNode() != static_cast<bool>(globals.explicitSync))
    return missing("bind", "wp_linux_drm_syncobj_manager_v1", "it is there only on a board with a render node");
  if (!hasRenderNode()) return makeBuffers(); // no timelines
  auto device = openTimelineDevice();
  if (!device) return std::unexpected(device.error());
  timelineDevice_ = std::move(*device);
  return makeBuffers();
}

Result<> Client::makeBuffers() {
  auto tee = TeeDevice::open();
  if (!tee) return std::unexpected(tee.error());
  const HeapTable table;
  auto buffers = LeakBuffers::create(*tee, listHeaps(table), table);
  if (!buffers) return std::unexpected(buffers.error());
  for (auto* list : {&buffers->protectedContent, &buffers->ordinary}) {
    const bool isProtected = list == &buffers->protectedContent;
    for (Dmabuf& memory : *list) {
      auto plain = createWaylandBuffer(*connection_, memory, false);
      if (!plain) return std::unexpected(plain.error());
      (isProtected ? protected_ : ordinary_).push_back(std::move(*plain));
      auto claimed = createWaylandBuffer(*connection_, memory, true);
      if (!claimed) return std::unexpected(claimed.error());
      (isProtected ? protectedClaimed_ : ordinaryClaimed_).push_back(std::move(*claimed));
      memory_.push_back(std::move(memory));
    }
  }
  constexpr auto extent = uint32_t{LeakBuffers::extent};
  for (unsigned i = 0; i < LeakBuffers::perKind; ++i) {
    auto shm = ShmBuffer::create(*connection_, {extent, extent}, extent * 4, WL_SHM_FORMAT_ARGB8888);
    if (!shm) return std::unexpected(shm.error());
    for (size_t byte = 0; byte < shm->bytes().size(); byte += 4) { // red, more or less transparent
      shm->bytes()[byte + 2] = static_cast<uint8_t>(0xff - 0x60 * i);
      shm->bytes()[byte + 3] = static_cast<uint8_t>(0xff - 0x60 * i);
    }
    shm_.push_back(std::move(*shm));
  }
  for (const uint32_t alpha : {0xffffffffU, 0x80808080U})
    solid_.emplace_back(wp_single_pixel_buffer_manager_v1_create_u32_rgba_buffer(
        connection_->globals().singlePixelBuffers.get(), alpha, 0, alpha / 2, alpha));
  return {};
}

wl_buffer* Client::bufferOf(const LeakLayer& layer) const {
  switch (layer.content) {
  case LeakLayer::Content::Solid:
    return solid_[layer.alpha < 1 ? 1 : 0].get();
  case LeakLayer::Content::Upload:
    return shm_[layer.buffer].object();
  case LeakLayer::Content::Ordinary:
    return ordinary_[layer.buffer].get();
  case LeakLayer::Content::ClaimedOrdinary:
    return ordinaryClaimed_[layer.buffer].get();
  case LeakLayer::Content::Protected:
    return (layer.claimed ? protectedClaimed_ : protected_)[layer.buffer].get();
  }
  return nullptr;
}

/** Destroys nodes from the last on, because subsurfaces and popups come after their parents. */
void Client::removeNodes(size_t from) {
  gpus_.clear();
  while (nodes_.size() > from)
    nodes_.pop_back();
}

/** Whether it is a popup: its parent is a window or a popup. With another parent it is a subsurface. */
bool Client::isPopup(const LeakLayer& layer) const {
  return layer.popup && layer.parent >= 0 && nodes_[static_cast<size_t>(layer.parent)]->shell;
}

Result<> Client::addNode(const LeakLayer& layer) {
  const WaylandGlobals& globals = connection_->globals();
  const bool popup = isPopup(layer);
  Node& node = *nodes_.emplace_back(std::make_unique<Node>());
  node.parent = layer.parent;
  node.frameDone = &frameDone_;
  node.surface.reset(wl_compositor_create_surface(globals.compositor.get()));
  node.viewport.reset(wp_viewporter_get_viewport(globals.viewporter.get(), node.surface.get()));
  if (layer.parent >= 0 && !popup) {
    wl_surface* above = nodes_[static_cast<size_t>(layer.parent)]->surface.get();
    node.subsurface.reset(wl_subcompositor_get_subsurface(globals.subcompositor.get(), node.surface.get(), above));
    return {};
  }
  node.shell.reset(xdg_wm_base_get_xdg_surface(globals.shell.get(), node.surface.get()));
  xdg_surface_add_listener(node.shell.get(), &shellListener, &node);
  if (popup) {
    givePopupRole(node, layer);
    return {}; // it requests its configure when its parent is mapped
  }
  node.window.reset(xdg_surface_get_toplevel(node.shell.get()));
  xdg_toplevel_add_listener(node.window.get(), &windowListener, &node);
  wl_surface_commit(node.surface.get());
  return letBeConfigured(node);
}

void Client::givePopupRole(Node& node, const LeakLayer& layer) {
  const WaylandPtr<xdg_positioner> place(xdg_wm_base_create_positioner(connection_->globals().shell.get()));
  xdg_positioner_set_size(place.get(), layer.destination.width * spread, layer.destination.height * spread);
  xdg_positioner_set_anchor_rect(place.get(), layer.destination.x * spread, layer.destination.y * spread, 1, 1);
  xdg_positioner_set_constraint_adjustment(place.get(), static_cast<uint32_t>(layer.buffer) *
                                                            XDG_POSITIONER_CONSTRAINT_ADJUSTMENT_SLIDE_X);
  xdg_surface* parent = nodes_[static_cast<size_t>(node.parent)]->shell.get();
  node.popup.reset(xdg_surface_get_popup(node.shell.get(), parent, place.get()));
  xdg_popup_add_listener(node.popup.get(), &popupListener, &node);
}

Result<> Client::letBeConfigured(Node& node) {
  const Nanoseconds until = now() + answerTimeout;
  while (!node.configured && !node.dismissed) {
    if (now() >= until) return systemError("wait for configure", node.popup ? "xdg_popup" : "xdg_toplevel", ETIMEDOUT);
    if (auto done = connection_->dispatch(until - now()); !done) return done;
  }
  return {};
}

/** Keeps the surfaces of the previous frame that have the same parents and roles. */
Result<> Client::makeTree(const LeakFrame& frame) {
  const auto fits = [&](size_t i) {
    const Node& node = *nodes_[i];
    return node.parent == frame.layers[i].parent && (node.popup != nullptr) == isPopup(frame.layers[i]);
  };
  size_t same = 0;
  while (same < nodes_.size() && same < frame.layers.size() && fits(same))
    same += 1;
  removeNodes(same);
  for (size_t i = same; i < frame.layers.size(); ++i) {
    if (auto added = addNode(frame.layers[i]); !added) return added;
  }
  for (size_t i = 0; i < nodes_.size(); ++i) {
    Node& node = *nodes_[i];
    const bool fullscreen = frame.layers[i].fullscreen;
    if (node.window == nullptr || node.fullscreen == fullscreen) continue;
    node.fullscreen = fullscreen;
    if (fullscreen)
      xdg_toplevel_set_fullscreen(node.window.get(), nullptr);
    else
      xdg_toplevel_unset_fullscreen(node.window.get());
    if (auto done = letBeConfigured(node); !done) return done;
  }
  return {};
}

/** Sets its acquire and release points, if it has any. */
Result<> Client::synchronise(Node& node, const LeakLayer& layer) {
  const bool dmabuf = layer.content != LeakLayer::Content::Solid && layer.content != LeakLayer::Content::Upload;
  if (layer.acquire == LeakLayer::Acquire::None || !dmabuf) {
    node.sync.reset();
    return {};
  }
  auto* manager = connection_->globals().explicitSync.get();
  if (manager == nullptr) return {};
  if (!node.sync) node.sync.reset(wp_linux_drm_syncobj_manager_v1_get_surface(manager, node.surface.get()));
  for (auto* timeline : {&node.acquire, &node.release}) {
    if (*timeline) continue;
    auto made = Timeline::create(timelineDevice_.get(), manager);
    if (!made) return std::unexpected(made.error());
    timeline->emplace(std::move(*made));
  }
  node.point += 1;
  const auto low = static_cast<uint32_t>(node.point);
  wp_linux_drm_syncobj_surface_v1_set_acquire_point(node.sync.get(), node.acquire->object(), 0, low);
  wp_linux_drm_syncobj_surface_v1_set_release_point(node.sync.get(), node.release->object(), 0, low);
  if (layer.acquire == LeakLayer::Acquire::Signalled) return node.acquire->signal(node.point);
  if (layer.acquire == LeakLayer::Acquire::Never) return {};
  return putGpuToWork(node, layer.acquire == LeakLayer::Acquire::Announced);
}

/** Runs in a thread of its own, because a driver may wait on the CPU, and then the compositor does not answer. */
Result<> Client::putGpuToWork(Node& node, bool announced) {
  auto gpu = LateGpu::start();
  if (!gpu) return std::unexpected(gpu.error());
  if (!announced) {
    if (auto done = node.acquire->attach(node.point, gpu->fence()); !done) return done;
  }
  gpus_.emplace_back([work = std::move(*gpu), &acquire = *node.acquire, point = node.point, announced] {
    std::this_thread::sleep_for(gpuWork);
    EXPECT_TRUE(!announced || acquire.attach(point, work.fence()));
    EXPECT_TRUE(work.finish());
  });
  return {};
}

/** Sets everything of a surface, without the commit. */
Result<> Client::describe(Node& node, const LeakLayer& layer) {
  wl_surface* surface = node.surface.get();
  if (node.subsurface) {
    wl_surface* parent = nodes_[static_cast<size_t>(node.parent)]->surface.get();
    wl_subsurface_set_position(node.subsurface.get(), layer.destination.x * spread, layer.destination.y * spread);
    if (layer.below)
      wl_subsurface_place_below(node.subsurface.get(), parent);
    else
      wl_subsurface_place_above(node.subsurface.get(), parent);
    if (layer.desync)
      wl_subsurface_set_desync(node.subsurface.get());
    else
      wl_subsurface_set_sync(node.subsurface.get());
  }
  if (node.configured) {
    xdg_surface_ack_configure(node.shell.get(), node.serial);
    node.configured = false;
  }
  const bool solid = layer.content == LeakLayer::Content::Solid;
  const auto fixed = [](int value) { return wl_fixed_from_int(value); };
  if (solid)
    wp_viewport_set_source(node.viewport.get(), fixed(-1), fixed(-1), fixed(-1), fixed(-1));
  else
    wp_viewport_set_source(node.viewport.get(), fixed(layer.source.x), fixed(layer.source.y), fixed(layer.source.width),
                           fixed(layer.source.height));
  const bool unscaled =
      layer.destination.width == layer.source.width && layer.destination.height == layer.source.height;
  const int scale = unscaled ? 1 : spread;
  if (node.fullscreen)
    wp_viewport_set_destination(node.viewport.get(), int{outputSize.width}, int{outputSize.height});
  else
    wp_viewport_set_destination(node.viewport.get(), layer.destination.width * scale, layer.destination.height * scale);
  wl_surface_set_buffer_transform(surface, static_cast<int32_t>(layer.transform));
  wl_surface_attach(surface, bufferOf(layer), 0, 0);
  const int32_t damage = layer.nearest ? LeakBuffers::extent / 4 : LeakBuffers::extent;
  wl_surface_damage_buffer(surface, 0, 0, damage, damage);
  if (node.window) {
    node.frame.reset(wl_surface_frame(surface));
    wl_callback_add_listener(node.frame.get(), &frameListener, &node);
  }
  return synchronise(node, layer);
}

Result<> Client::showPopup(size_t index, const LeakFrame& frame) {
  Node& node = *nodes_[index];
  if (!node.mapped) {
    wl_surface_commit(node.surface.get());
    if (auto done = letBeConfigured(node); !done) return done;
  }
  if (node.dismissed) return {};
  node.mapped = true;
  if (auto done = describe(node, frame.layers[index]); !done) return done;
  wl_surface_commit(node.surface.get());
  return {};
}

Result<> Client::show(const LeakFrame& frame) {
  if (auto made = makeTree(frame); !made) return made;
  frameDone_ = false;
  for (size_t i = nodes_.size(); i-- > 0;) {
    if (nodes_[i]->popup) continue;
    if (auto done = describe(*nodes_[i], frame.layers[i]); !done) return done;
    if (!frame.layers[i].late) wl_surface_commit(nodes_[i]->surface.get());
  }
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (frame.layers[i].late && !nodes_[i]->popup) wl_surface_commit(nodes_[i]->surface.get());
  }
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (!nodes_[i]->popup) continue;
    if (auto done = showPopup(i, frame); !done) return done;
  }
  if (!gpus_.empty()) frameDone_ = false; // an earlier frame callback was for the other surfaces
  gpus_.clear();
  const Nanoseconds until = now() + frameTimeout;
  while (!frameDone_ && now() < until) {
    if (auto done = connection_->dispatch(until - now()); !done) return done;
  }
  return {};
}

Result<> Client::clear() {
  removeNodes(0);
  return connection_->roundtrip();
}

/** A session. It is restarted if a scene has left it degraded. */
class Session final : public LeakStage {
public:
  explicit Session(bool validation) : validation_(validation), heaps_(listHeaps(table_)) {}
  /** Starts the compositor and its client. */
  [[nodiscard]] Result<> begin();
  std::optional<std::string> show(const LeakScene& scene) override;

private:
  std::optional<std::string> show(const LeakFrame& frame);
  std::optional<std::string> capture(const LeakFrame& frame);

  bool validation_;
  HeapTable table_;
  std::vector<Heap> heaps_;
  std::unique_ptr<Compositor> compositor_;
  std::optional<Client> client_;
  unsigned captures_ = 0;
  uint64_t protectedSubmits_ = 0; ///< of the driver, up to the last frame
  unsigned scenesSinceFault_ = 0; ///< including this one; the effect of a fault may come in the next scene
};

Result<> Session::begin() {
  client_.reset();
  compositor_.reset();
  compositor_ = std::make_unique<Compositor>(validation_);
  if (!compositor_->started()) return missing("start", "compositor", "see the log");
  client_.emplace();
  return client_->connect();
}

std::optional<std::string> Session::show(const LeakScene& scene) {
  std::optional<std::string> leak;
  bool lostSomething = false;
  const bool faults =
      std::ranges::any_of(scene, [](const LeakFrame& frame) { return frame.fault.function != nullptr; });
  scenesSinceFault_ = faults ? 0 : scenesSinceFault_ + 1;
  for (const LeakFrame& frame : scene) {
    leak = show(frame);
    lostSomething |= frame.poolExhausted || (frame.commitFails && !verdicts.commitFails);
    if (leak) break;
  }
  if (const auto done = client_->clear(); !done && !leak) leak = done.error().text();
  // After a refusal, protected memory is not tried again for seconds, or for the rest of the session.
  if (lostSomething || leak) {
    if (const auto begun = begin(); !begun && !leak) leak = begun.error().text();
  }
  return leak;
}

std::optional<std::string> Session::show(const LeakFrame& frame) {
  // An output takes this long to return to ordinary memory, so this is done rarely.
  if (frame.later && frame.planeVerdicts % 8 == 1)
    std::this_thread::sleep_for(
        std::chrono::nanoseconds(Composition::protectedLinger + Composition::protectedLinger / 4));
  const DriverCalls before = driverCalls();
  const auto held = frame.poolExhausted ? exhaustProtected(heaps_) : std::vector<UniqueFd>();
  verdicts.tests = frame.planeVerdicts;
  verdicts.question = 0;
  verdicts.commitFails = frame.commitFails;
  verdicts.armed = true;
  if (frame.fault.function != nullptr) failCall(frame.fault.function, frame.fault.result, frame.fault.skip);
  if (const auto shown = client_->show(frame); !shown) return shown.error().text();
  std::optional<std::string> leak;
  if (frame.capture) leak = capture(frame);
  // Wait for a driver that fails to return a fence, and for a GPU that was reset.
  if (!leak && scenesSinceFault_ > 1 && driverCalls().cpuWaits > before.cpuWaits)
    leak = "the CPU has waited for the GPU";
  const bool failed = failureHappened();
  verdicts.armed = false;
  account_.frames += 1;
  const uint64_t protectedSubmits = driverCalls().protectedSubmits; // a submit may come late, during the search
  account_.inProtectedMemory += protectedSubmits > protectedSubmits_ ? 1 : 0;
  protectedSubmits_ = protectedSubmits;
  account_.recoveries += failed && frame.fault.result == VK_ERROR_DEVICE_LOST ? 1 : 0;
  if (!leak && driverCalls().devicesLost > before.devicesLost) leak = "the GPU stopped a protected access";
  return leak ? leak : search();
}

/** Captures to a dma-buf and to shared memory in turn. A failing driver call may end a capture, but not let it hang. */
std::optional<std::string> Session::capture(const LeakFrame& frame) {
  const auto failed = [&](const Error& error) -> std::optional<std::string> {
    if (frame.fault.function != nullptr && error.number != ETIMEDOUT) return std::nullopt;
    return error.text();
  };
  WaylandConnection& connection = client_->connection();
  if (captures_++ % 2 == 0) {
    const auto picture = captureIntoDmabuf(connection);
    if (!picture) return failed(picture.error());
    account_.captures += 1;
    return search();
  }
  const auto picture = captureIntoShm(connection);
  if (!picture) return failed(picture.error());
  account_.captures += 1;
  if (const auto at = findGreen(picture->bytes())) return std::format("green at byte {} of a screenshot", *at);
  return std::nullopt;
}

class LeakSession : public testing::TestWithParam<bool> {};

TEST_P(LeakSession, noTreeOfSurfacesBringsProtectedPixelsIntoReadableMemory) {
  const bool validation = GetParam();
  installLogBridge();
  ASSERT_TRUE(setLogLevels("error,vulkan=warn"));
  Session session(validation);
  const auto begun = session.begin();
  ASSERT_TRUE(begun) << begun.error().text();
  std::ostringstream said;
  log("vulkan").sinks().push_back(std::make_shared<spdlog::sinks::ostream_sink_mt>(said));
  showScenes(session, leakSeed(), leakScenes(200, validation));
  log("vulkan").sinks().pop_back();
  EXPECT_FALSE(said.str().contains("validation: ")) << said.str();
}

INSTANTIATE_TEST_SUITE_P(All, LeakSession, testing::Bool(),
                         [](const auto& one) { return one.param ? "withValidation" : "withoutValidation"; });

} // namespace
} // namespace vitrine::test
