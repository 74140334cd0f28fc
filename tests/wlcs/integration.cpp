// SPDX-License-Identifier: GPL-3.0-only
// (as WLCS's headers are, which this file includes; it is a test, and is not installed)

/**
 * Vitrine as WLCS, the Wayland conformance suite, wants it: a module that makes a compositor in the suite's own process, gives it
 * clients, moves their windows, and is its pointer and its touch screen. Everything runs on the thread of the compositor's event loop.
 *
 * Many tests of WLCS 1.7 commit a window's first buffer before they have a configure event. The protocol makes that an error
 * (xdg_surface.unconfigured_buffer), and Vitrine answers with it (tests/session/abuse.py); Mir does not. Here it is let pass, so that
 * what these tests are about is tested.
 */

#include <algorithm>
#include <atomic>
#include <list>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <wayland-client-core.h>
#include <wayland-client-protocol.h>

#include <wlcs/display_server.h>
#include <wlcs/pointer.h>
#include <wlcs/touch.h>

#include "compositor/server.h"
#include "compositor/wlr/log_bridge.h"
#include "protected-path/base/log.h"

using namespace vitrine;

namespace {

constexpr const char* deviceName = "wlcs";
const wlr_keyboard_impl keyboardImplementation{.name = deviceName};
const wlr_pointer_impl pointerImplementation{.name = deviceName};
const wlr_touch_impl touchImplementation{.name = deviceName};

/**
 * What is plugged in from the start, so that the seat has all capabilities before a client comes: WLCS asks for its own pointer and
 * touch screen after that, and sends their first events at once; it has no keyboard, but asks who has the focus of one.
 */
struct InputDevices {
  wlr_keyboard keyboard{};
  wlr_pointer pointer{};
  wlr_touch touch{};
  explicit InputDevices(Seat& seat) {
    wlr_keyboard_init(&keyboard, &keyboardImplementation, deviceName);
    wlr_pointer_init(&pointer, &pointerImplementation, deviceName);
    wlr_touch_init(&touch, &touchImplementation, deviceName);
    for (wlr_input_device* device : {&keyboard.base, &pointer.base, &touch.base})
      seat.addDevice(*device);
  }
  InputDevices(const InputDevices&) = delete;
  ~InputDevices() {
    wlr_keyboard_finish(&keyboard);
    wlr_pointer_finish(&pointer);
    wlr_touch_finish(&touch);
  }
};

/** An xdg_surface that may have a buffer from its first commit on. */
struct EarlyWindow {
  Listener<wlr_surface> commit;
  Listener<void> clientCommit;
  Listener<void> destroy;
};

/** The server and what WLCS has asked of it. WLCS's struct is the base, which its functions get. */
struct ConformanceServer : WlcsDisplayServer {
  std::unique_ptr<Server> server;
  std::unique_ptr<InputDevices> devices; ///< they go before the seat that has them
  /** A client of the suite: the file descriptor of its end of the socket, by which WLCS's wl_display is recognised. */
  struct Client {
    int fd;
    wl_client* client;
  };
  std::vector<Client> clients;
  Listener<wlr_xdg_surface> newXdgSurface;
  Listener<wlr_layer_surface_v1> newLayerSurface;
  std::list<EarlyWindow> windows;
  std::vector<std::string> extensionNames;
  std::vector<WlcsExtensionDescriptor> extensions;
  WlcsIntegrationDescriptor descriptor{WLCS_INTEGRATION_DESCRIPTOR_VERSION, 0, nullptr};
};

ConformanceServer& from(WlcsDisplayServer* server) {
  return *static_cast<ConformanceServer*>(server);
}

/** Both ends of a client's connection: the compositor's is a wl_client already, the other one is returned. */
std::pair<int, wl_client*> connect(wl_display& display) {
  int ends[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return {-1, nullptr};
  wl_client* client = wl_client_create(&display, ends[0]);
  if (client == nullptr) {
    close(ends[0]);
    close(ends[1]);
    return {-1, nullptr};
  }
  return {ends[1], client};
}

// ---- Which protocols there are: as a client sees them ----

using Globals = std::vector<std::pair<std::string, uint32_t>>;

void onGlobal(void* globals, wl_registry* /*registry*/, uint32_t /*name*/, const char* interface, uint32_t version) {
  static_cast<Globals*>(globals)->emplace_back(interface, version);
}

void onGlobalRemove(void* /*globals*/, wl_registry* /*registry*/, uint32_t /*name*/) {}

Globals globalsOf(int fd) {
  constexpr wl_registry_listener listener{onGlobal, onGlobalRemove};
  Globals globals;
  wl_display* display = wl_display_connect_to_fd(fd);
  if (display == nullptr) return globals;
  wl_registry* registry = wl_display_get_registry(display);
  wl_registry_add_listener(registry, &listener, &globals);
  wl_display_roundtrip(display);
  wl_registry_destroy(registry);
  wl_display_disconnect(display);
  return globals;
}

void describeExtensions(ConformanceServer& server) {
  const auto [fd, client] = connect(server.server->display());
  if (fd < 0) return;
  Globals globals;
  std::atomic<bool> known = false;
  std::jthread reader([&globals, &known, fd = fd] {
    globals = globalsOf(fd);
    known = true;
  });
  while (!known) {
    wl_display_flush_clients(&server.server->display());
    wl_event_loop_dispatch(wl_display_get_event_loop(&server.server->display()), 10);
  }
  reader.join();
  for (const auto& [name, version] : globals)
    server.extensionNames.push_back(name);
  for (size_t i = 0; i < globals.size(); ++i)
    server.extensions.push_back({server.extensionNames[i].c_str(), globals[i].second});
  server.descriptor.num_extensions = server.extensions.size();
  server.descriptor.supported_extensions = server.extensions.data();
}

// ---- Pointer and touch screen ----

uint32_t nowMilliseconds() {
  return static_cast<uint32_t>(now() / 1'000'000);
}

/** A point of the layout as devices report it: in parts of its width and height. */
std::pair<double, double> inLayout(Server& server, double x, double y) {
  wlr_box box{};
  wlr_output_layout_get_box(&server.desktop().layout(), nullptr, &box);
  return {(x - box.x) / box.width, (y - box.y) / box.height};
}

struct ConformancePointer : WlcsPointer {
  Server* server = nullptr;
  wlr_pointer device{};
  void endFrame() { wl_signal_emit_mutable(&device.events.frame, &device); }
  void move(wl_fixed_t x, wl_fixed_t y) {
    const auto [inX, inY] = inLayout(*server, wl_fixed_to_double(x), wl_fixed_to_double(y));
    wlr_pointer_motion_absolute_event event{.pointer = &device, .time_msec = nowMilliseconds(), .x = inX, .y = inY};
    wl_signal_emit_mutable(&device.events.motion_absolute, &event);
    endFrame();
  }
  void moveBy(wl_fixed_t dx, wl_fixed_t dy) {
    const double byX = wl_fixed_to_double(dx);
    const double byY = wl_fixed_to_double(dy);
    wlr_pointer_motion_event event{.pointer = &device,
                                   .time_msec = nowMilliseconds(),
                                   .delta_x = byX,
                                   .delta_y = byY,
                                   .unaccel_dx = byX,
                                   .unaccel_dy = byY};
    wl_signal_emit_mutable(&device.events.motion, &event);
    endFrame();
  }
  void button(int code, wl_pointer_button_state state) {
    wlr_pointer_button_event event{
        .pointer = &device, .time_msec = nowMilliseconds(), .button = static_cast<uint32_t>(code), .state = state};
    wl_signal_emit_mutable(&device.events.button, &event);
    endFrame();
  }
};
ConformancePointer& from(WlcsPointer* pointer) {
  return *static_cast<ConformancePointer*>(pointer);
}

/** Its coordinates are whole pixels: WLCS 1.7 hands them over as they are, although its header says wl_fixed_t. */
struct ConformanceTouch : WlcsTouch {
  Server* server = nullptr;
  wlr_touch device{};
  void endFrame() { wl_signal_emit_mutable(&device.events.frame, nullptr); }
};
ConformanceTouch& from(WlcsTouch* touch) {
  return *static_cast<ConformanceTouch*>(touch);
}

WlcsPointer* createPointer(WlcsDisplayServer* server) {
  auto* pointer = new ConformancePointer;
  pointer->version = WLCS_POINTER_VERSION;
  pointer->server = from(server).server.get();
  pointer->move_absolute = [](WlcsPointer* self, wl_fixed_t x, wl_fixed_t y) { from(self).move(x, y); };
  pointer->move_relative = [](WlcsPointer* self, wl_fixed_t dx, wl_fixed_t dy) { from(self).moveBy(dx, dy); };
  pointer->button_down = [](WlcsPointer* self, int button) {
    from(self).button(button, WL_POINTER_BUTTON_STATE_PRESSED);
  };
  pointer->button_up = [](WlcsPointer* self, int button) {
    from(self).button(button, WL_POINTER_BUTTON_STATE_RELEASED);
  };
  pointer->destroy = [](WlcsPointer* self) {
    wlr_pointer_finish(&from(self).device);
    delete &from(self);
  };
  wlr_pointer_init(&pointer->device, &pointerImplementation, deviceName);
  pointer->server->seat().addDevice(pointer->device.base);
  return pointer;
}

WlcsTouch* createTouch(WlcsDisplayServer* server) {
  auto* touch = new ConformanceTouch;
  touch->version = WLCS_TOUCH_VERSION;
  touch->server = from(server).server.get();
  touch->touch_down = [](WlcsTouch* self, wl_fixed_t x, wl_fixed_t y) {
    const auto [inX, inY] = inLayout(*from(self).server, x, y);
    wlr_touch_down_event event{
        .touch = &from(self).device, .time_msec = nowMilliseconds(), .touch_id = 0, .x = inX, .y = inY};
    wl_signal_emit_mutable(&from(self).device.events.down, &event);
    from(self).endFrame();
  };
  touch->touch_move = [](WlcsTouch* self, wl_fixed_t x, wl_fixed_t y) {
    const auto [inX, inY] = inLayout(*from(self).server, x, y);
    wlr_touch_motion_event event{
        .touch = &from(self).device, .time_msec = nowMilliseconds(), .touch_id = 0, .x = inX, .y = inY};
    wl_signal_emit_mutable(&from(self).device.events.motion, &event);
    from(self).endFrame();
  };
  touch->touch_up = [](WlcsTouch* self) {
    wlr_touch_up_event event{.touch = &from(self).device, .time_msec = nowMilliseconds(), .touch_id = 0};
    wl_signal_emit_mutable(&from(self).device.events.up, &event);
    from(self).endFrame();
  };
  touch->destroy = [](WlcsTouch* self) {
    wlr_touch_finish(&from(self).device);
    delete &from(self);
  };
  wlr_touch_init(&touch->device, &touchImplementation, deviceName);
  touch->server->seat().addDevice(touch->device.base);
  return touch;
}

// ---- The server ----

int createClientSocket(WlcsDisplayServer* server) {
  auto& self = from(server);
  const auto [fd, client] = connect(self.server->display());
  if (fd < 0) return -1;
  std::erase_if(self.clients, [fd = fd](const auto& known) { return known.fd == fd; }); // of a client that is gone
  self.clients.push_back({fd, client});
  return fd;
}

void positionWindow(WlcsDisplayServer* server, wl_display* display, wl_surface* surface, int x, int y) {
  auto& self = from(server);
  const auto client = std::ranges::find(self.clients, wl_display_get_fd(display), &ConformanceServer::Client::fd);
  if (client == self.clients.end()) return;
  const uint32_t id = wl_proxy_get_id(reinterpret_cast<wl_proxy*>(surface));
  wl_resource* resource = wl_client_get_object(client->client, id);
  if (resource == nullptr) return;
  NodeOwner* owner = NodeOwner::of(*wlr_surface_from_resource(resource));
  if (owner == nullptr) return;
  if (Toplevel* window = owner->toplevel()) return window->moveTo(x, y);
  wlr_scene_node_set_position(&owner->tree()->node, x, y); // a layer surface, which nobody else moves
}

void letBuffersPass(ConformanceServer& server, wlr_xdg_surface& surface) {
  const auto window = server.windows.emplace(server.windows.end());
  surface.configured = true;
  window->commit.connect(surface.surface->events.commit, [&surface](wlr_surface*) { surface.configured = true; });
  // Of a commit with a buffer, wlroots expects that it is not the initial one, and says so when the buffer goes.
  window->clientCommit.connect(surface.surface->events.client_commit, [&surface](void*) {
    if (surface.initialized) surface.initial_commit = false;
  });
  window->destroy.connect(surface.events.destroy, [&server, window](void*) { server.windows.erase(window); });
}

void startOnThisThread(WlcsDisplayServer* server, wl_event_loop* requests) {
  auto& self = from(server);
  wl_event_loop* loop = wl_display_get_event_loop(&self.server->display());
  wl_event_source* source = wl_event_loop_add_fd(
      loop, wl_event_loop_get_fd(requests), WL_EVENT_READABLE,
      [](int, uint32_t, void* data) { return wl_event_loop_dispatch(static_cast<wl_event_loop*>(data), 0); }, requests);
  self.server->run();
  wl_event_source_remove(source);
}

WlcsDisplayServer* createServer(int /*argc*/, char const** /*argv*/) {
  installLogBridge();
  Config config;
  // WLCS puts popups below a window whose lower edge is at 1000. Multiplied by these, a part of the layout is the point again, to the bit.
  config.anyOutput.mode = {1280, 1024};
  auto started = Server::start(std::move(config), {});
  if (!started) {
    log("server").error("{}", started.error().text());
    return nullptr;
  }
  auto server = std::make_unique<ConformanceServer>();
  server->server = std::move(*started);
  server->version = WLCS_DISPLAY_SERVER_VERSION;
  server->stop = [](WlcsDisplayServer* self) { from(self).server->stop(0, "the test has ended"); };
  server->create_client_socket = createClientSocket;
  server->position_window_absolute = positionWindow;
  server->create_pointer = createPointer;
  server->create_touch = createTouch;
  server->get_descriptor = [](WlcsDisplayServer const* self) {
    return &static_cast<const ConformanceServer*>(self)->descriptor;
  };
  server->start_on_this_thread = startOnThisThread;
  server->newXdgSurface.connect(server->server->desktop().xdgShell().events.new_surface,
                                [self = server.get()](wlr_xdg_surface* surface) { letBuffersPass(*self, *surface); });
  server->newLayerSurface.connect(server->server->desktop().layerShell().events.new_surface,
                                  [](wlr_layer_surface_v1* surface) { surface->configured = true; });
  server->devices = std::make_unique<InputDevices>(server->server->seat());
  describeExtensions(*server);
  return server.release();
}

} // namespace

// WLCS looks this symbol up.
extern "C" WlcsServerIntegration const wlcs_server_integration{WLCS_SERVER_INTEGRATION_VERSION, createServer,
                                                               [](WlcsDisplayServer* server) { delete &from(server); }};
