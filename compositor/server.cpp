#include "compositor/server.h"

#include <csignal>
#include <cstdlib>
#include <format>
#include <sys/stat.h>

#include "compositor/control/session_report.h"
#include "compositor/render/allocator_adapter.h"
#include "compositor/render/renderer_adapter.h"
#include "compositor/status_report.h"
#include "protected-path/base/log.h"

namespace vitrine {
namespace {

/** How long those that the session started may take to end with it. */
constexpr Nanoseconds clientPatience = 2'000'000'000;

/** How much of what a client has not read yet is kept for it; then its connection ends. */
constexpr size_t clientBufferBytes = size_t{1} << 20;

} // namespace

Server::Server(Config config, ServerOptions options) : config_(std::move(config)), options_(std::move(options)) {
  config_ = configOfSession(std::move(config_));
}

Result<std::unique_ptr<Server>> Server::start(Config config, ServerOptions options) {
  std::unique_ptr<Server> server(new Server(std::move(config), std::move(options)));
  for (auto step : {&Server::openDisplayAndSession, &Server::openDevices, &Server::makeRenderer}) {
    if (auto done = (server.get()->*step)(); !done) return std::unexpected(done.error());
  }
  server->makeGlobals();
  for (auto step : {&Server::openSocket, &Server::startBackend, &Server::startClients}) {
    if (auto done = (server.get()->*step)(); !done) return std::unexpected(done.error());
  }
  return server;
}

Server::~Server() {
  kiosk_.terminate();
  for (const ChildProcess& command : commands_)
    command.terminate();
  if (outputs_) writeStatus();
  xwayland_.reset(); // before it is a client that has gone, and is started once more
  if (display_ != nullptr) wl_display_destroy_clients(display_);
  configWatcher_.reset();
  controlSocket_.reset();
  for (wl_event_source* source : signals_)
    wl_event_source_remove(source);
  newOutput_.disconnect();
  newInput_.disconnect();
  sessionActive_.disconnect();
  if (outputs_) outputs_->onLayoutChanged = nullptr;
  windowsChanged_.disconnect();
  locked_.disconnect();
  protocols_.reset();
  imageCopyCapture_.reset();
  captureSources_.reset();
  windowCaptures_.reset();
  screencopy_.reset();
  captureBuffers_.reset();
  outputProtocols_.reset();
  seat_.reset();
  actions_.reset();
  // Outputs go before the scene that they show, the scene before the renderer that its textures are of.
  if (renderer_) renderer_->waitIdle();
  if (backend_ != nullptr) wlr_backend_destroy(backend_);
  outputs_.reset();
  preparation_.reset();
  desktop_.reset();
  decorations_.reset();
  commitGate_.reset();
  quotas_.reset();
  explicitSync_.reset();
  dmabuf_.reset();
  protectedContent_.reset();
  colors_.reset();
  security_.reset();
  if (layout_ != nullptr) wlr_output_layout_destroy(layout_);
  if (allocator_ != nullptr) wlr_allocator_destroy(allocator_);
  if (wlrRenderer_ != nullptr) wlr_renderer_destroy(wlrRenderer_);
  outputBuffers_.reset();
  renderer_.reset();
  sessionGone_.disconnect();
  if (session_ != nullptr) wlr_session_destroy(session_);
  if (display_ != nullptr) wl_display_destroy(display_);
  const Nanoseconds deadline = now() + clientPatience;
  for (ChildProcess& command : commands_)
    command.awaitEnd(deadline);
  kiosk_.awaitEnd(deadline);
}

Result<> Server::openDisplayAndSession() {
  display_ = wl_display_create();
  quotas_ = std::make_unique<ClientQuotas>(*display_);
  // A client that does not read for a second under a mouse of 1000 Hz gets what it missed: 56 bytes a report.
  wl_display_set_default_max_buffer_size(display_, clientBufferBytes);
  loop_ = wl_display_get_event_loop(display_);
  watchSignals();
  session_ = wlr_session_create(loop_);
  if (session_ == nullptr) {
    return missing("open session", "seat", "no seat management answers",
                   "start seatd (and be in its group), or log in through systemd-logind; LIBSEAT_BACKEND chooses");
  }
  sessionActive_.connect(session_->events.active, [this](void*) { onSessionActive(); });
  sessionGone_.connect(session_->events.destroy, [this](void*) { onSessionGone(); });
  return {};
}

Result<> Server::openDevices() {
  backend_ = wlr_multi_backend_create(loop_);
  newOutput_.connect(backend_->events.new_output, [this](wlr_output* output) { outputs_->add(*output); });
  newInput_.connect(backend_->events.new_input, [this](wlr_input_device* device) { seat_->addDevice(*device); });
  auto kms = KmsBackend::create(*session_, *loop_);
  if (!kms) return std::unexpected(kms.error());
  kms_ = *kms;
  wlr_multi_backend_add(backend_, kms_->base());
  // A set-top box may have no input device at all, which is no reason not to start.
  ::setenv("WLR_LIBINPUT_NO_DEVICES", "1", 0);
  if (wlr_backend* input = wlr_libinput_backend_create(session_)) {
    wlr_multi_backend_add(backend_, input);
  } else {
    log("input").warn("libinput: no backend; going on without input devices");
  }
  if (!config_.heapOverrides.empty()) {
    if (auto done = heapTable_.addOverrides(config_.heapOverrides); !done) return done;
  }
  return {};
}

Result<> Server::makeRenderer() {
  struct stat display{};
  if (fstat(kms_->device().fd(), &display) != 0) return systemError("fstat", "the display's device");
  auto renderer = Renderer::create(
      {.validation = config_.vulkanValidation, .displayDevice = display.st_rdev, .deviceName = config_.vulkanDevice});
  if (!renderer) return std::unexpected(renderer.error());
  renderer_ = std::move(*renderer);
  gpuRecovery_ = std::make_unique<GpuRecovery>(*renderer_);
  preparation_ = std::make_unique<IdlePreparation>(
      *loop_, *renderer_, [this] { return std::ranges::any_of(outputs_->outputs(), &Output::waitsForFrame); });
  wlrRenderer_ = RendererAdapter::create(*renderer_);
  allocator_ = AllocatorAdapter::create(kms_->device(), *renderer_);
  outputBuffers_ = std::make_unique<OutputBufferAllocator>(
      OutputBufferAllocator::Machine{kms_->device(), *renderer_, heapTable_, heapKnowledge_});
  const VulkanDeviceReport& device = renderer_->device();
  log("vulkan").info("{}: protectedMemory {}", device.name,
                     device.refusal == Refusal::None ? "yes" : std::format("no ({})", refusalName(device.refusal)));
  return {};
}

void Server::makeGlobals() {
  security_ = std::make_unique<SecurityFilter>(*display_, config_.security); // before any other global
  wlr_renderer_init_wl_shm(wlrRenderer_, display_);
  dmabuf_ = std::make_unique<LinuxDmabuf>(*display_, LinuxDmabuf::Machine{*renderer_, kms_->device(), inspector_});
  colors_ = std::make_unique<ColorRepresentationManager>(*display_);
  protectedContent_ = std::make_unique<ProtectedContent>(
      *display_, ProtectedContent::Machine{heapTable_, heapKnowledge_, [this] { return formatsComposedProtected(); },
                                           [this] { return outputProtections(); }});
  contentTypes_ = wlr_content_type_manager_v1_create(display_, 1);
  compositor_ = wlr_compositor_create(display_, 6, wlrRenderer_);
  commitGate_ = std::make_unique<CommitGate>(*compositor_);
  explicitSync_ = ExplicitSync::create(*display_, renderer_->device().renderNode, kms_->device().fd());
  wlr_subcompositor_create(display_);
  wlr_data_device_manager_create(display_);
  wlr_primary_selection_v1_device_manager_create(display_);
  wlr_viewporter_create(display_);
  wlr_single_pixel_buffer_manager_v1_create(display_);
  wlr_fractional_scale_manager_v1_create(display_, 1);
  wlr_presentation_create(display_, backend_);
  decorations_ = std::make_unique<Decorations>(*display_);
  layout_ = wlr_output_layout_create(display_);
  wlr_xdg_output_manager_v1_create(display_, layout_);
  wlr_seat* seat = wlr_seat_create(display_, "seat0");
  const auto kind = options_.command.empty() ? Desktop::Kind::Floating : Desktop::Kind::Kiosk;
  desktop_ = std::make_unique<Desktop>(*display_, *layout_, *seat, kind);
  const Output::Machine machine{*renderer_,      *gpuRecovery_,     *preparation_,
                                *outputBuffers_, desktop_->scene(), desktop_->cursorTree(),
                                *colors_,        contentTypes_,     protectedContent_.get()};
  outputs_ = std::make_unique<OutputManager>(
      OutputManager::Machine{machine, *kms_, *layout_, *wlrRenderer_, *allocator_,
                             [this](const std::string& name) { return config_.settingsFor(name); }},
      *loop_);
  outputs_->onLayoutChanged = [this](std::span<const OutputMove> moves) {
    desktop_->outputsChanged(moves);
    protectedContent_->update();
  };
  kms_->onOutputsChanged = [this] { outputs_->reconcile(); };
  outputProtocols_ = std::make_unique<OutputProtocols>(*display_, *outputs_);
  captureBuffers_ = std::make_unique<CaptureBuffers>(kms_->device(), *renderer_, *loop_);
  const Capture::Machine captures{*loop_, *renderer_, *gpuRecovery_, *captureBuffers_};
  const auto outputSource = [this](wlr_output& output) { return outputs_->find(output); };
  screencopy_ = std::make_unique<Screencopy>(*display_, captures, outputSource);
  windowCaptures_ = std::make_unique<WindowCaptures>(
      WindowCapture::Machine{*desktop_, kms_->device(), *renderer_, *colors_, *loop_, outputSource});
  captureSources_ = std::make_unique<ImageCaptureSources>(
      *display_, outputSource, [this](wl_resource* handle) { return windowCaptures_->of(handle); });
  imageCopyCapture_ = std::make_unique<ImageCopyCapture>(*display_, captures, dmabuf_->mainDevice());
  locked_.connect(desktop_->events.locked, [this](void*) { outputs_->forgetPictures(); });
  windowsChanged_.connect(desktop_->events.changed, [this](void*) { protectedContent_->update(); });
  actions_ = std::make_unique<ActionRunner>(*desktop_, actionSession());
  seat_ = std::make_unique<Seat>(*seat, *desktop_, kms_->device(), config_,
                                 [this](const Action& action) { return actions_->perform(action); });
  protocols_ = std::make_unique<SessionProtocols>(*display_, *seat, *desktop_, *seat_);
}

Result<> Server::openSocket() {
  const char* socket = wl_display_add_socket_auto(display_);
  if (socket == nullptr) {
    return systemError("open socket", "wayland-* in XDG_RUNTIME_DIR", 0,
                       "set XDG_RUNTIME_DIR to a folder of yours, mode 0700");
  }
  ::setenv("WAYLAND_DISPLAY", socket, 1);
  openControlSocket(socket);
  log("server").info("WAYLAND_DISPLAY={}", socket);
  listenForX11();
  return {};
}

SessionControl::Session Server::controlSession() {
  return {.outputs = [this] { return outputsJson(outputs_->outputs()); },
          .windows = [this] { return windowsJson(*desktop_, outputs_->outputs()); },
          .counters = [this] { return countersJson(outputs_->outputs(), dmabuf_->counters()); },
          .actions = [this] { return actionsJson(config_.bindings); },
          .perform = [this](const Action& action) { return actions_->perform(action); },
          .reload = [this] { return reloadConfig(); }};
}

/** The session goes on without X11 programs where they cannot be served. */
void Server::listenForX11() {
  ::unsetenv("DISPLAY"); // that of a session from which this one was started
  if (!config_.xwayland) return;
  auto xwayland = Xwayland::listen(
      {*display_, *compositor_, desktop_->seat(), *desktop_, [this] { return seat_->defaultCursor(); }});
  if (!xwayland) return log("xwayland").warn("{}; going on without X11 programs", xwayland.error().text());
  xwayland_ = std::move(*xwayland);
  security_->xServer = [this] { return xwayland_ ? xwayland_->server() : nullptr; };
  ::setenv("DISPLAY", xwayland_->displayName(), 1);
  log("server").info("DISPLAY={}", xwayland_->displayName());
}

/** The session goes on without it. */
void Server::openControlSocket(const std::string& display) {
  const char* folder = std::getenv("XDG_RUNTIME_DIR"); // wayland-server has found it
  const auto path = std::filesystem::path(folder != nullptr ? folder : "") / ("vitrine-" + display + ".sock");
  control_ = std::make_unique<SessionControl>(controlSession());
  auto opened = ControlSocket::open(
      *loop_, path,
      {[this](std::string_view request) { return control_->answer(request); }, [this] { return control_->report(); }});
  if (!opened) return log("control").warn("{}; going on without vitrinectl", opened.error().text());
  controlSocket_ = std::move(*opened);
  ::setenv("VITRINE_SOCKET", path.c_str(), 1);
}

Result<> Server::startBackend() {
  if (!wlr_backend_start(backend_)) return invalid("start backend", "KMS and libinput", "see the log above");
  return {};
}

Result<> Server::startClients() {
  watchConfig();
  if (!options_.startup.empty()) startCommand(options_.startup);
  if (options_.command.empty()) return {};
  auto child = ChildProcess::start(options_.command);
  if (!child) return std::unexpected(child.error());
  kiosk_ = *child;
  return {};
}

void Server::startCommand(const std::string& command) {
  auto child = ChildProcess::start({"/bin/sh", "-c", command});
  if (!child) return log("server").warn("{}", child.error().text());
  commands_.push_back(*child);
}

ActionRunner::Session Server::actionSession() {
  return {.quit = [this] { stop(0, "the action quit"); },
          .reload = [this] { static_cast<void>(reloadConfig()); },
          .startTerminal = [this] { startCommand(config_.terminal); },
          .start = [this](const std::string& command) { startCommand(command); },
          .switchVt =
              [this](unsigned vt) {
                if (session_ != nullptr) wlr_session_change_vt(session_, vt);
              }};
}

/** A kiosk has no bindings, except those that switch the virtual terminal where that is allowed. */
Config Server::configOfSession(Config config) const {
  if (options_.command.empty()) return config;
  config.bindings = config.kioskVtSwitch ? config.bindings.only(ActionKind::SwitchVt) : Bindings{};
  return config;
}

/** The file that is read, or where a user would put one. */
void Server::watchConfig() {
  std::filesystem::path file = options_.configFile.empty() ? Config::find() : options_.configFile;
  if (file.empty()) file = Config::userFile();
  std::error_code ignored;
  if (file.empty() || !std::filesystem::is_directory(std::filesystem::absolute(file, ignored).parent_path(), ignored))
    return log("config").info("no configuration to watch; SIGHUP looks for one again");
  if (!configWatcher_)
    configWatcher_ = std::make_unique<ConfigWatcher>(*loop_, [this] { static_cast<void>(reloadConfig()); });
  if (auto done = configWatcher_->watch(file); !done)
    log("config").warn("{}; only SIGHUP reads the configuration again", done.error().text());
}

/** A configuration with an error changes nothing. */
Result<> Server::reloadConfig() {
  watchConfig(); // before it is read, so that no later change is missed; and the file may be another one
  const std::filesystem::path file = options_.configFile.empty() ? Config::find() : options_.configFile;
  auto config = file.empty() ? Result<Config>(Config{}) : Config::load(file, ConfigCheck::Machine);
  auto done = config ? applyConfig(std::move(*config)) : std::unexpected(config.error());
  if (done) {
    log("config").info("{}: in use now", file.empty() ? "the defaults" : file.string());
  } else {
    log("config").warn("{}; nothing of the configuration has changed", done.error().text());
  }
  return done;
}

Result<> Server::applyConfig(Config config) {
  const Config before = std::exchange(config_, configOfSession(std::move(config)));
  const auto beforeFor = [&before](const std::string& name) { return before.settingsFor(name); };
  if (auto done = outputs_->applyConfiguration(beforeFor); !done) {
    config_ = before;
    return done;
  }
  if (auto done = applyLogLevels(config_, options_.logLevels); !done) log("config").warn("{}", done.error().text());
  security_->setSettings(config_.security);
  seat_->configure();
  for (const std::string& key : changesForNextStart(before, config_))
    log("config").warn("{}: counts from the next start on", key);
  // So that the next reload compares with what is in use.
  config_.heapOverrides = before.heapOverrides;
  config_.vulkanDevice = before.vulkanDevice;
  config_.vulkanValidation = before.vulkanValidation;
  config_.xwayland = before.xwayland;
  return {};
}

void Server::watchSignals() {
  const auto watch = [this](int number, wl_event_loop_signal_func_t handler) {
    signals_.push_back(wl_event_loop_add_signal(loop_, number, handler, this));
  };
  for (const int number : {SIGINT, SIGTERM}) {
    watch(number, [](int signal, void* data) {
      static_cast<Server*>(data)->stop(0, signal == SIGINT ? "SIGINT" : "SIGTERM");
      return 0;
    });
  }
  watch(SIGUSR1, [](int, void* data) {
    static_cast<Server*>(data)->writeStatus();
    return 0;
  });
  watch(SIGHUP, [](int, void* data) {
    static_cast<void>(static_cast<Server*>(data)->reloadConfig());
    return 0;
  });
  watch(SIGCHLD, [](int, void* data) {
    auto* self = static_cast<Server*>(data);
    if (self->kiosk_.noteEnd()) self->stop(self->kiosk_.exitStatus(), "its client has ended");
    std::erase_if(self->commands_, [](ChildProcess& command) { return command.noteEnd(); });
    return 0;
  });
}

void Server::onSessionActive() {
  if (session_->active) {
    outputs_->activate();
    return;
  }
  // Before buffers go: CLOSEFB would leave a framebuffer on the plane that shows it.
  DmabufBuffer::removeAllFramebuffers();
  outputs_->suspend();
}

void Server::onSessionGone() {
  sessionActive_.disconnect();
  sessionGone_.disconnect();
  session_ = nullptr; // wlroots destroys it
  log("server").error("the seat management is gone (seatd or logind ended)");
  stop(1, "no seat");
}

std::vector<FormatModifier> Server::formatsComposedProtected() const {
  if (!renderer_->device().gpu.protectedMemory) return {};
  const auto formats = renderer_->sampledFormats();
  return {formats.begin(), formats.end()};
}

std::vector<OutputProtection> Server::outputProtections() const {
  std::vector<OutputProtection> known;
  if (!outputs_) return known;
  for (const auto& output : outputs_->outputs())
    known.push_back(output->protection());
  return known;
}

void Server::writeStatus() const {
  if (options_.statusFile.empty()) return;
  auto written =
      writeStatusReport(options_.statusFile, kms_->device(), *renderer_, dmabuf_->counters(), outputs_->outputs());
  if (!written) log("server").warn("{}", written.error().text());
}

void Server::stop(int status, std::string_view why) {
  log("server").info("stopping: {}", why);
  exitStatus_ = status;
}

int Server::run() {
  // As wl_display_run(), but what a request has scheduled (the first configure of a window) is sent with the answers to it, so that a
  // client that waits for wl_display.sync has it then.
  while (!exitStatus_) {
    wl_event_loop_dispatch_idle(loop_);
    wl_display_flush_clients(display_);
    wl_event_loop_dispatch(loop_, -1);
  }
  return *exitStatus_;
}

} // namespace vitrine
