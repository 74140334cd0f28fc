#include "tests/board/wayland/wayland_connection.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <format>
#include <fstream>
#include <string_view>

#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

namespace vitrine {
namespace {

/** Binds a global with the lower of the compositor's version and ours. */
template<typename T>
void bind(WaylandPtr<T>& target, wl_registry* registry, uint32_t name, const wl_interface& interface, uint32_t version,
          uint32_t newest) {
  target.reset(static_cast<T*>(wl_registry_bind(registry, name, &interface, std::min(version, newest))));
}

uint32_t coefficientsOf(ColorEncoding encoding) {
  switch (encoding) {
  case ColorEncoding::Bt601:
    return WP_COLOR_REPRESENTATION_SURFACE_V1_COEFFICIENTS_BT601;
  case ColorEncoding::Bt2020:
    return WP_COLOR_REPRESENTATION_SURFACE_V1_COEFFICIENTS_BT2020;
  case ColorEncoding::Bt709:
    break;
  }
  return WP_COLOR_REPRESENTATION_SURFACE_V1_COEFFICIENTS_BT709;
}

} // namespace

const wl_registry_listener WaylandConnection::registryListener = {
    .global = [](void* data, wl_registry*, uint32_t name, const char* interface,
                 uint32_t version) { static_cast<WaylandConnection*>(data)->bindGlobal(name, interface, version); },
    .global_remove = [](void*, wl_registry*, uint32_t) {},
};

const xdg_wm_base_listener WaylandConnection::shellListener = {
    .ping = [](void*, xdg_wm_base* shell, uint32_t serial) { xdg_wm_base_pong(shell, serial); },
};

const zwp_linux_dmabuf_v1_listener WaylandConnection::dmabufListener = {
    .format = [](void*, zwp_linux_dmabuf_v1*, uint32_t) {},
    .modifier =
        [](void* data, zwp_linux_dmabuf_v1*, uint32_t fourcc, uint32_t high, uint32_t low) {
          static_cast<WaylandConnection*>(data)->formats_.push_back({fourcc, uint64_t{high} << 32 | low});
        },
};

const zwp_linux_dmabuf_feedback_v1_listener WaylandConnection::feedbackListener = {
    .done = [](void*, zwp_linux_dmabuf_feedback_v1*) {},
    .format_table = [](void* data, zwp_linux_dmabuf_feedback_v1*, int32_t fd,
                       uint32_t size) { static_cast<WaylandConnection*>(data)->readFormatTable(UniqueFd(fd), size); },
    .main_device = [](void*, zwp_linux_dmabuf_feedback_v1*, wl_array*) {},
    .tranche_done = [](void*, zwp_linux_dmabuf_feedback_v1*) {},
    .tranche_target_device = [](void*, zwp_linux_dmabuf_feedback_v1*, wl_array*) {},
    .tranche_formats = [](void* data, zwp_linux_dmabuf_feedback_v1*,
                          wl_array* indices) { static_cast<WaylandConnection*>(data)->addTranche(*indices); },
    .tranche_flags = [](void*, zwp_linux_dmabuf_feedback_v1*, uint32_t) {},
};

const wp_presentation_listener WaylandConnection::presentationListener = {
    .clock_id = [](void* data, wp_presentation*,
                   uint32_t clock) { static_cast<WaylandConnection*>(data)->clock_ = static_cast<clockid_t>(clock); },
};

const wp_color_representation_manager_v1_listener WaylandConnection::colorListener = {
    .supported_alpha_mode = [](void*, wp_color_representation_manager_v1*, uint32_t) {},
    .supported_coefficients_and_ranges =
        [](void* data, wp_color_representation_manager_v1*, uint32_t coefficients, uint32_t range) {
          static_cast<WaylandConnection*>(data)->colorRepresentations_.emplace_back(coefficients, range);
        },
    .done = [](void*, wp_color_representation_manager_v1*) {},
};

void WaylandConnection::bindGlobal(uint32_t name, const std::string& interface, uint32_t version) {
  wl_registry* registry = registry_.get();
  if (interface == wl_compositor_interface.name) {
    bind(globals_.compositor, registry, name, wl_compositor_interface, version, 4);
  } else if (interface == wl_subcompositor_interface.name) {
    bind(globals_.subcompositor, registry, name, wl_subcompositor_interface, version, 1);
  } else if (interface == wp_single_pixel_buffer_manager_v1_interface.name) {
    bind(globals_.singlePixelBuffers, registry, name, wp_single_pixel_buffer_manager_v1_interface, version, 1);
  } else if (interface == xdg_wm_base_interface.name) {
    bind(globals_.shell, registry, name, xdg_wm_base_interface, version, 3);
    xdg_wm_base_add_listener(globals_.shell.get(), &shellListener, this);
  } else if (interface == zwp_linux_dmabuf_v1_interface.name && version >= 3) {
    bind(globals_.dmabuf, registry, name, zwp_linux_dmabuf_v1_interface, version, 4);
    zwp_linux_dmabuf_v1_add_listener(globals_.dmabuf.get(), &dmabufListener, this);
  } else if (interface == wp_presentation_interface.name) {
    bind(globals_.presentation, registry, name, wp_presentation_interface, version, 1);
    wp_presentation_add_listener(globals_.presentation.get(), &presentationListener, this);
  } else if (interface == wp_viewporter_interface.name) {
    bind(globals_.viewporter, registry, name, wp_viewporter_interface, version, 1);
  } else if (interface == wp_color_representation_manager_v1_interface.name) {
    bind(globals_.colorRepresentation, registry, name, wp_color_representation_manager_v1_interface, version, 1);
    wp_color_representation_manager_v1_add_listener(globals_.colorRepresentation.get(), &colorListener, this);
  } else if (interface == weston_restricted_buffer_v1_interface.name) {
    bind(globals_.restrictedBuffer, registry, name, weston_restricted_buffer_v1_interface, version, 1);
  } else if (interface == vitrine_protected_content_v1_interface.name) {
    bind(globals_.protectedContent, registry, name, vitrine_protected_content_v1_interface, version, 1);
  } else if (interface == wp_linux_drm_syncobj_manager_v1_interface.name) {
    bind(globals_.explicitSync, registry, name, wp_linux_drm_syncobj_manager_v1_interface, version, 1);
  } else if (interface == zwlr_screencopy_manager_v1_interface.name && version >= 3) {
    bind(globals_.screencopy, registry, name, zwlr_screencopy_manager_v1_interface, version, 3);
  } else if (interface == wl_shm_interface.name) {
    bind(globals_.shm, registry, name, wl_shm_interface, version, 1);
  } else if (interface == wl_output_interface.name && !globals_.output) {
    bind(globals_.output, registry, name, wl_output_interface, version, 1);
  } else {
    others_.try_emplace(interface, name, version);
  }
}

void WaylandConnection::readFormatTable(UniqueFd fd, uint32_t sizeBytes) {
  formatTable_.clear();
  struct Entry {
    uint32_t fourcc;
    uint32_t padding;
    uint64_t modifier;
  };
  void* address = mmap(nullptr, sizeBytes, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (address == MAP_FAILED) return; // no format is known then, which the caller reports
  for (size_t i = 0; i < sizeBytes / sizeof(Entry); ++i) {
    Entry entry{};
    std::memcpy(&entry, static_cast<const std::byte*>(address) + i * sizeof(Entry), sizeof(Entry));
    formatTable_.push_back({entry.fourcc, entry.modifier});
  }
  munmap(address, sizeBytes);
}

void WaylandConnection::addTranche(const wl_array& indices) {
  for (size_t i = 0; i < indices.size / sizeof(uint16_t); ++i) {
    uint16_t index = 0;
    std::memcpy(&index, static_cast<const std::byte*>(indices.data) + i * sizeof(index), sizeof(index));
    if (index < formatTable_.size()) formats_.push_back(formatTable_[index]);
  }
}

Result<std::unique_ptr<WaylandConnection>> WaylandConnection::open(int stopFd) {
  std::unique_ptr<WaylandConnection> connection(new WaylandConnection(stopFd));
  connection->display_.reset(wl_display_connect(nullptr));
  if (!connection->display_) {
    const char* name = std::getenv("WAYLAND_DISPLAY");
    return systemError("connect", std::format("Wayland display {}", name != nullptr ? name : "wayland-0"), 0,
                       "start a compositor, and set WAYLAND_DISPLAY and XDG_RUNTIME_DIR");
  }
  if (auto done = connection->collect(); !done) return std::unexpected(done.error());
  if (auto done = connection->checkGlobals(); !done) return std::unexpected(done.error());
  return connection;
}

std::string WaylandConnection::serverName() const {
  ucred peer{};
  socklen_t size = sizeof peer;
  std::string name;
  if (getsockopt(wl_display_get_fd(display_.get()), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
    std::ifstream(std::format("/proc/{}/comm", peer.pid)) >> name;
  return name;
}

Result<> WaylandConnection::collect() {
  registry_.reset(wl_display_get_registry(display_.get()));
  wl_registry_add_listener(registry_.get(), &registryListener, this);
  if (auto done = roundtrip(); !done) return done;
  if (globals_.dmabuf && zwp_linux_dmabuf_v1_get_version(globals_.dmabuf.get()) >= 4) {
    feedback_.reset(zwp_linux_dmabuf_v1_get_default_feedback(globals_.dmabuf.get()));
    zwp_linux_dmabuf_feedback_v1_add_listener(feedback_.get(), &feedbackListener, this);
  }
  return roundtrip(); // the globals' own first events
}

Result<> WaylandConnection::checkGlobals() const {
  auto absent = [](const char* name) { return invalid("use", "the compositor", std::format("it lacks {}", name)); };
  if (!globals_.compositor) return absent("wl_compositor");
  if (!globals_.shell) return absent("xdg_wm_base (xdg-shell)");
  if (!globals_.dmabuf) return absent("zwp_linux_dmabuf_v1, version 3 or later");
  if (!globals_.presentation) return absent("wp_presentation (presentation-time)");
  return {};
}

bool WaylandConnection::takes(FormatModifier format) const {
  return std::ranges::contains(formats_, format);
}

std::optional<std::pair<uint32_t, uint32_t>> WaylandConnection::colorRepresentationFor(ColorEncoding encoding,
                                                                                       ColorRange range) const {
  const std::pair pair(coefficientsOf(encoding),
                       static_cast<uint32_t>(range == ColorRange::Full
                                                 ? WP_COLOR_REPRESENTATION_SURFACE_V1_RANGE_FULL
                                                 : WP_COLOR_REPRESENTATION_SURFACE_V1_RANGE_LIMITED));
  if (!std::ranges::contains(colorRepresentations_, pair)) return std::nullopt;
  return pair;
}

std::unexpected<Error> WaylandConnection::failure(const char* operation) {
  const int number = wl_display_get_error(display_.get());
  if (number != EPROTO) return systemError(operation, "Wayland connection", number != 0 ? number : EPIPE);
  const wl_interface* interface = nullptr;
  uint32_t id = 0;
  const uint32_t code = wl_display_get_protocol_error(display_.get(), &interface, &id);
  // An object that this client has destroyed has no interface any more.
  protocolError_ = ProtocolError{interface != nullptr ? interface->name : "", code};
  return invalid(
      operation, "Wayland connection",
      std::format("protocol error {} on {} {}", code, interface != nullptr ? interface->name : "unknown object", id));
}

Result<> WaylandConnection::dispatch(Nanoseconds timeout, int otherFd) {
  wl_display* display = display_.get();
  while (wl_display_prepare_read(display) != 0) {
    if (wl_display_dispatch_pending(display) < 0) return failure("dispatch");
    timeout = 0; // there are events already
  }
  // EPIPE: the compositor has closed the connection, but its last events can still be read.
  if (wl_display_flush(display) < 0 && errno != EAGAIN && errno != EPIPE) {
    wl_display_cancel_read(display);
    return failure("flush");
  }
  std::array<pollfd, 3> polled{{{wl_display_get_fd(display), POLLIN, 0}, {stopFd_, POLLIN, 0}, {otherFd, POLLIN, 0}}};
  const timespec limit = toTimespec(std::max<Nanoseconds>(timeout, 0));
  if (ppoll(polled.data(), polled.size(), timeout < 0 ? nullptr : &limit, nullptr) < 0 && errno != EINTR) {
    wl_display_cancel_read(display);
    return systemError("ppoll", "Wayland connection");
  }
  if (polled[1].revents != 0) {
    wl_display_cancel_read(display);
    return systemError("wait", "Wayland connection", EINTR);
  }
  if (polled[0].revents == 0) {
    wl_display_cancel_read(display);
    return {};
  }
  if (wl_display_read_events(display) < 0 || wl_display_dispatch_pending(display) < 0) return failure("dispatch");
  return {};
}

Result<> WaylandConnection::stayUntilInputEnds() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  std::array<char, 256> ignored{};
  while (poll(&input, 1, 0) <= 0 || read(STDIN_FILENO, ignored.data(), ignored.size()) > 0) {
    if (auto done = dispatch(-1, STDIN_FILENO); !done) return done;
  }
  return {};
}

Result<> WaylandConnection::roundtrip() {
  static constexpr wl_callback_listener listener = {
      .done = [](void* data, wl_callback*, uint32_t) { *static_cast<bool*>(data) = true; },
  };
  bool answered = false;
  const WaylandPtr<wl_callback> callback(wl_display_sync(display_.get()));
  wl_callback_add_listener(callback.get(), &listener, &answered);
  while (!answered)
    if (auto done = dispatch(-1); !done) return done;
  return {};
}

Result<WaylandPtr<wl_buffer>> createWaylandBuffer(WaylandConnection& connection, const Dmabuf& buffer, bool claim) {
  struct Answer {
    WaylandPtr<wl_buffer> buffer;
    bool failed = false;
  } answer;
  static constexpr zwp_linux_buffer_params_v1_listener listener = {
      .created = [](void* data, zwp_linux_buffer_params_v1*,
                    wl_buffer* created) { static_cast<Answer*>(data)->buffer.reset(created); },
      .failed = [](void* data, zwp_linux_buffer_params_v1*) { static_cast<Answer*>(data)->failed = true; },
  };
  WaylandGlobals& globals = connection.globals();
  const WaylandPtr<zwp_linux_buffer_params_v1> parameters(zwp_linux_dmabuf_v1_create_params(globals.dmabuf.get()));
  zwp_linux_buffer_params_v1_add_listener(parameters.get(), &listener, &answer);
  for (unsigned i = 0; i < buffer.planeCount(); ++i) {
    const DmabufPlane& plane = buffer.plane(i);
    zwp_linux_buffer_params_v1_add(parameters.get(), plane.fd.get(), i, plane.offsetBytes, plane.strideBytes,
                                   static_cast<uint32_t>(buffer.modifier() >> 32),
                                   static_cast<uint32_t>(buffer.modifier()));
  }
  if (claim) weston_restricted_buffer_v1_enable(globals.restrictedBuffer.get(), parameters.get());
  zwp_linux_buffer_params_v1_create(parameters.get(), static_cast<int32_t>(buffer.size().width),
                                    static_cast<int32_t>(buffer.size().height), buffer.fourcc(), 0);
  while (!answer.buffer && !answer.failed)
    if (auto done = connection.dispatch(-1); !done) return std::unexpected(done.error());
  if (answer.failed)
    return invalid("create wl_buffer", buffer.describe(), "the compositor refuses it",
                   "its log says why; a protected buffer needs a compositor that knows of them");
  return std::move(answer.buffer);
}

} // namespace vitrine
