#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compositor/actions/action_runner.h"
#include "compositor/backend/kms_backend.h"
#include "compositor/capture/image_capture_sources.h"
#include "compositor/capture/image_copy_capture.h"
#include "compositor/capture/screencopy.h"
#include "compositor/capture/window_capture.h"
#include "compositor/child_process.h"
#include "compositor/client_quota.h"
#include "compositor/config/config.h"
#include "compositor/config/config_watcher.h"
#include "compositor/control/session_control.h"
#include "compositor/input/seat.h"
#include "compositor/outputs/output_manager.h"
#include "compositor/outputs/output_protocols.h"
#include "compositor/protocols/commit_gate.h"
#include "compositor/protocols/explicit_sync.h"
#include "compositor/protocols/linux_dmabuf.h"
#include "compositor/protocols/security_filter.h"
#include "compositor/protocols/session_protocols.h"
#include "compositor/shell/decorations.h"
#include "compositor/xwayland/xwayland.h"
#include "protected-path/heap/heap_table.h"

namespace vitrine {

/** How this run was asked for on the command line. */
struct ServerOptions {
  std::vector<std::string> command; ///< a client to start; when it ends, so does the session (kiosk)
  std::filesystem::path configFile; ///< empty: the one that Config::find() finds, whenever it is read
  std::string logLevels;            ///< on top of the configuration's
  std::string startup;              ///< a shell command to start; the session goes on without it
  std::filesystem::path statusFile; ///< written on SIGUSR1 and at the end; empty: none
};

/**
 * The session compositor: everything that lives from start to stop, in the order in which it is made. Destroying it stops everything,
 * in the opposite order.
 */
class Server {
public:
  /** Sets everything up to the running backend. Errors say which step failed and what helps. */
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(Config config, ServerOptions options);
  Server(const Server&) = delete;
  ~Server();

  /** Runs until it is told to stop. The exit status: 0, or the kiosk client's. */
  int run();
  /** Has run() return, with this exit status. `why` is for the log. */
  void stop(int status, std::string_view why);

  [[nodiscard]] wl_display& display() { return *display_; }
  [[nodiscard]] Desktop& desktop() { return *desktop_; }
  [[nodiscard]] Seat& seat() { return *seat_; }

private:
  Server(Config config, ServerOptions options);
  Result<> openDisplayAndSession();
  Result<> openDevices();
  Result<> makeRenderer();
  void makeGlobals();
  Result<> openSocket();
  Result<> startBackend();
  Result<> startClients();
  void watchSignals();
  void onSessionActive();
  void onSessionGone();
  void startCommand(const std::string& command);
  [[nodiscard]] ActionRunner::Session actionSession();
  [[nodiscard]] Config configOfSession(Config config) const;
  void watchConfig();
  Result<> reloadConfig();
  [[nodiscard]] SessionControl::Session controlSession();
  void listenForX11();
  void openControlSocket(const std::string& display);
  [[nodiscard]] Result<> applyConfig(Config config);
  [[nodiscard]] std::vector<FormatModifier> formatsComposedProtected() const;
  [[nodiscard]] std::vector<OutputProtection> outputProtections() const;
  void writeStatus() const;

  Config config_;
  ServerOptions options_;
  std::optional<int> exitStatus_; ///< once it is to stop

  wl_display* display_ = nullptr;
  wl_event_loop* loop_ = nullptr;
  wlr_session* session_ = nullptr;
  wlr_backend* backend_ = nullptr; ///< multi: KMS and libinput
  KmsBackend* kms_ = nullptr;      ///< owned by backend_
  HeapTable heapTable_;
  HeapKnowledge heapKnowledge_;
  Inspector inspector_ = inspectorFor(heapTable_);
  std::unique_ptr<Renderer> renderer_;
  std::unique_ptr<GpuRecovery> gpuRecovery_;
  std::unique_ptr<IdlePreparation> preparation_;
  std::unique_ptr<OutputBufferAllocator> outputBuffers_;
  wlr_renderer* wlrRenderer_ = nullptr;
  wlr_allocator* allocator_ = nullptr;
  wlr_compositor* compositor_ = nullptr; ///< owned by display_
  wlr_output_layout* layout_ = nullptr;
  std::unique_ptr<SecurityFilter> security_;
  std::unique_ptr<ColorRepresentationManager> colors_;
  std::unique_ptr<ProtectedContent> protectedContent_;
  wlr_content_type_manager_v1* contentTypes_ = nullptr; ///< owned by display_
  std::unique_ptr<LinuxDmabuf> dmabuf_;
  std::unique_ptr<ClientQuotas> quotas_;
  std::unique_ptr<CommitGate> commitGate_;
  std::unique_ptr<ExplicitSync> explicitSync_; ///< null where the kernel has no syncobj timelines
  std::unique_ptr<Decorations> decorations_;
  std::unique_ptr<Desktop> desktop_;
  std::unique_ptr<ActionRunner> actions_;
  std::unique_ptr<Seat> seat_;
  std::unique_ptr<OutputManager> outputs_;
  std::unique_ptr<OutputProtocols> outputProtocols_;
  std::unique_ptr<CaptureBuffers> captureBuffers_;
  std::unique_ptr<Screencopy> screencopy_;
  std::unique_ptr<WindowCaptures> windowCaptures_;
  std::unique_ptr<ImageCaptureSources> captureSources_;
  std::unique_ptr<ImageCopyCapture> imageCopyCapture_;
  std::unique_ptr<SessionProtocols> protocols_;
  std::unique_ptr<Xwayland> xwayland_; ///< null where X11 programs are not served
  std::vector<wl_event_source*> signals_;
  std::unique_ptr<ConfigWatcher> configWatcher_;
  std::unique_ptr<SessionControl> control_;
  std::unique_ptr<ControlSocket> controlSocket_; ///< null where it could not be opened
  ChildProcess kiosk_;
  std::vector<ChildProcess> commands_; ///< the others that were started and still run
  Listener<wlr_output> newOutput_;
  Listener<wlr_input_device> newInput_;
  Listener<void> sessionActive_;
  Listener<void> sessionGone_;
  Listener<void> windowsChanged_;
  Listener<void> locked_;
};

} // namespace vitrine
