#include <poll.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <vector>

#include <CLI/CLI.hpp>

#include "tests/board/common/exit_status.h"
#include "tests/board/common/size_text.h"
#include "tests/clients/plain_surface.h"
#include "tests/clients/seat_input.h"

// shell-client: an ordinary window of one colour that does what the lines of its standard input say, and tells each event that it gets
// as a line of JSON. Requests that need the serial of an input event take the latest press of a button or a key.

namespace vitrine {
namespace {

constexpr const char* orders = R"(Orders, one a line:
  popup X Y WxH ADJUST  opens a popup with a grab, its top-left corner at X,Y of the window, or of the latest popup.
                        ADJUST: what may be done to it if it does not fit there: none, flip or slide
  reposition X Y WxH ADJUST   moves the latest popup
  drop                  closes the latest popup
  dialog WxH            opens a second window, whose parent the first is, in the colour of popups
  move                  begins an interactive move
  resize EDGE           begins an interactive resize: top, bottom, left, right, top_left, ...
  maximize, unmaximize, fullscreen, unfullscreen
  fullscreen-first      asks for full screen on the first output, wherever the window is
  hide, show            takes the window away, and makes it appear again
  renew                 destroys the xdg_toplevel, and makes another for the same xdg_surface
  sync                  waits for the compositor's answer to all of this, and tells `synced`
The end of its input ends it, and so does the compositor's `close`.)";

constexpr std::array<std::pair<uint32_t, const char*>, 4> stateNames{{{XDG_TOPLEVEL_STATE_MAXIMIZED, "maximized"},
                                                                      {XDG_TOPLEVEL_STATE_FULLSCREEN, "fullscreen"},
                                                                      {XDG_TOPLEVEL_STATE_RESIZING, "resizing"},
                                                                      {XDG_TOPLEVEL_STATE_ACTIVATED, "activated"}}};

struct Options {
  std::string size = "300x200";
  uint32_t color = 0xc80000;
  uint32_t popupColor = 0x00c800;
  int32_t shadow = 0;
  uint32_t step = 1;
  std::string minimum;
  bool fixed = false;
  std::string title = "shell-client";
};

void tell(const nlohmann::json& event) {
  std::cout << event.dump() << std::endl;
}

class ShellClient {
public:
  ShellClient(WaylandConnection& connection, const Options& options);
  ShellClient(const ShellClient&) = delete;
  ShellClient& operator=(const ShellClient&) = delete;
  ~ShellClient();
  /** Until its input ends, or the compositor wants the window closed. Invalid: an order that is none. */
  [[nodiscard]] Result<> run();

private:
  struct Popup {
    ShellClient* client;
    PlainSurface surface;
    Size size;
    WaylandPtr<xdg_surface> shellSurface;
    WaylandPtr<xdg_popup> object;
  };

  struct Dialog {
    PlainSurface surface;
    Size size;
    WaylandPtr<xdg_surface> shellSurface;
    WaylandPtr<xdg_toplevel> toplevel;
  };

  void makeToplevel();
  void configured(uint32_t serial);
  [[nodiscard]] Size sizeToShow() const;
  [[nodiscard]] std::string nameOf(wl_surface* surface) const;
  [[nodiscard]] Result<> obeyInput();
  [[nodiscard]] Result<> obey(const std::string& line);
  [[nodiscard]] bool obeyGrab(const std::string& verb, std::istream& words);
  [[nodiscard]] bool obeyState(const std::string& verb);
  struct Place {
    WaylandPtr<xdg_positioner> positioner;
    Size size;
  };
  [[nodiscard]] std::optional<Place> readPlace(std::istream& words) const;
  [[nodiscard]] bool openPopup(std::istream& words);
  [[nodiscard]] bool repositionPopup(std::istream& words);
  [[nodiscard]] bool openDialog(std::istream& words);
  void drop(const xdg_popup* popup);
  static const xdg_surface_listener surfaceListener;
  static const xdg_toplevel_listener toplevelListener;
  static const xdg_surface_listener popupSurfaceListener;
  static const xdg_popup_listener popupListener;
  static const xdg_surface_listener dialogSurfaceListener;
  static const xdg_toplevel_listener dialogListener;

  WaylandConnection& connection_;
  const Options& options_;
  PlainSurface window_;
  WaylandPtr<xdg_surface> shellSurface_;
  WaylandPtr<xdg_toplevel> toplevel_;
  std::vector<std::unique_ptr<Popup>> popups_; ///< each the parent of the next
  std::unique_ptr<Dialog> dialog_;
  SeatInput input_;
  nlohmann::json states_; ///< of the latest configure
  const Size own_;        ///< where the compositor leaves the size to us
  Size offered_;          ///< by the latest configure
  std::string unread_;    ///< the beginning of a line
  bool ended_ = false;
};

const xdg_surface_listener ShellClient::surfaceListener = {
    .configure = [](void* data, xdg_surface*, uint32_t serial) { static_cast<ShellClient*>(data)->configured(serial); },
};

const xdg_toplevel_listener ShellClient::toplevelListener = {
    .configure =
        [](void* data, xdg_toplevel*, int32_t width, int32_t height, wl_array* states) {
          auto* client = static_cast<ShellClient*>(data);
          client->offered_ = {static_cast<uint32_t>(width), static_cast<uint32_t>(height)};
          client->states_ = nlohmann::json::array();
          for (size_t i = 0; i < states->size / sizeof(uint32_t); ++i) {
            uint32_t state = 0;
            std::memcpy(&state, static_cast<const std::byte*>(states->data) + i * sizeof(state), sizeof(state));
            for (const auto& [value, name] : stateNames)
              if (value == state) client->states_.push_back(name);
          }
        },
    .close =
        [](void* data, xdg_toplevel*) {
          tell({{"event", "close"}});
          static_cast<ShellClient*>(data)->ended_ = true;
        },
    .configure_bounds = [](void*, xdg_toplevel*, int32_t, int32_t) {},
    .wm_capabilities = [](void*, xdg_toplevel*, wl_array*) {},
};

const xdg_surface_listener ShellClient::popupSurfaceListener = {
    .configure =
        [](void* data, xdg_surface* surface, uint32_t serial) {
          auto* popup = static_cast<Popup*>(data);
          xdg_surface_ack_configure(surface, serial);
          popup->surface.show(popup->size);
        },
};

const xdg_popup_listener ShellClient::popupListener = {
    .configure =
        [](void* data, xdg_popup*, int32_t x, int32_t y, int32_t width, int32_t height) {
          static_cast<Popup*>(data)->size = {static_cast<uint32_t>(width), static_cast<uint32_t>(height)};
          tell({{"event", "popup-configure"}, {"x", x}, {"y", y}, {"width", width}, {"height", height}});
        },
    .popup_done =
        [](void* data, xdg_popup* object) {
          tell({{"event", "popup-done"}});
          static_cast<Popup*>(data)->client->drop(object);
        },
    .repositioned = [](void*, xdg_popup*, uint32_t) {},
};

const xdg_surface_listener ShellClient::dialogSurfaceListener = {
    .configure =
        [](void* data, xdg_surface* surface, uint32_t serial) {
          auto* dialog = static_cast<Dialog*>(data);
          xdg_surface_ack_configure(surface, serial);
          dialog->surface.show(dialog->size);
        },
};

const xdg_toplevel_listener ShellClient::dialogListener = {
    .configure = [](void*, xdg_toplevel*, int32_t, int32_t, wl_array*) {},
    .close = [](void*, xdg_toplevel*) {},
    .configure_bounds = [](void*, xdg_toplevel*, int32_t, int32_t) {},
    .wm_capabilities = [](void*, xdg_toplevel*, wl_array*) {},
};

ShellClient::ShellClient(WaylandConnection& connection, const Options& options)
    : connection_(connection), options_(options), window_(connection, options.color),
      input_(connection.bindFirst<wl_seat>(wl_seat_interface, 5),
             {.tell = tell, .nameOf = [this](wl_surface* surface) { return nameOf(surface); }}),
      own_(parseSize(options.size).value_or(Size{})) {
  shellSurface_.reset(xdg_wm_base_get_xdg_surface(connection.globals().shell.get(), window_.object()));
  xdg_surface_add_listener(shellSurface_.get(), &surfaceListener, this);
  makeToplevel();
}

void ShellClient::makeToplevel() {
  toplevel_.reset(xdg_surface_get_toplevel(shellSurface_.get()));
  xdg_toplevel_add_listener(toplevel_.get(), &toplevelListener, this);
  xdg_toplevel_set_title(toplevel_.get(), options_.title.c_str());
  xdg_toplevel_set_app_id(toplevel_.get(), "org.vitrine.shell-client");
  if (const auto minimum = parseSize(options_.minimum))
    xdg_toplevel_set_min_size(toplevel_.get(), static_cast<int32_t>(minimum->width),
                              static_cast<int32_t>(minimum->height));
  window_.hide(); // the initial commit has no buffer
}

ShellClient::~ShellClient() {
  while (!popups_.empty())
    popups_.pop_back(); // the topmost one first, as the protocol wants it
}

Size ShellClient::sizeToShow() const {
  if (options_.fixed || offered_.width == 0 || offered_.height == 0) return own_;
  // Like a terminal, whose window is as large as its characters.
  return {std::max(offered_.width / options_.step, 1U) * options_.step,
          std::max(offered_.height / options_.step, 1U) * options_.step};
}

void ShellClient::configured(uint32_t serial) {
  xdg_surface_ack_configure(shellSurface_.get(), serial);
  tell({{"event", "configure"}, {"width", offered_.width}, {"height", offered_.height}, {"states", states_}});
  const Size size = sizeToShow();
  const auto shadow = static_cast<uint32_t>(options_.shadow);
  xdg_surface_set_window_geometry(shellSurface_.get(), options_.shadow, options_.shadow,
                                  static_cast<int32_t>(size.width), static_cast<int32_t>(size.height));
  window_.show({size.width + shadow, size.height + shadow});
}

std::string ShellClient::nameOf(wl_surface* surface) const {
  if (surface == window_.object()) return "window";
  if (dialog_ && surface == dialog_->surface.object()) return "dialog";
  for (size_t i = 0; i < popups_.size(); ++i)
    if (surface == popups_[i]->surface.object()) return "popup-" + std::to_string(i + 1);
  return "gone";
}

std::optional<ShellClient::Place> ShellClient::readPlace(std::istream& words) const {
  int32_t x = 0;
  int32_t y = 0;
  std::string sizeText;
  std::string adjust;
  words >> x >> y >> sizeText >> adjust;
  const auto size = parseSize(sizeText);
  if (!words || !size || (adjust != "none" && adjust != "flip" && adjust != "slide")) return {};
  WaylandPtr<xdg_positioner> positioner(xdg_wm_base_create_positioner(connection_.globals().shell.get()));
  xdg_positioner_set_size(positioner.get(), static_cast<int32_t>(size->width), static_cast<int32_t>(size->height));
  xdg_positioner_set_anchor_rect(positioner.get(), x, y, 1, 1);
  xdg_positioner_set_anchor(positioner.get(), XDG_POSITIONER_ANCHOR_TOP_LEFT);
  xdg_positioner_set_gravity(positioner.get(), XDG_POSITIONER_GRAVITY_BOTTOM_RIGHT);
  uint32_t adjustment = XDG_POSITIONER_CONSTRAINT_ADJUSTMENT_NONE;
  if (adjust == "flip")
    adjustment = XDG_POSITIONER_CONSTRAINT_ADJUSTMENT_FLIP_X | XDG_POSITIONER_CONSTRAINT_ADJUSTMENT_FLIP_Y;
  if (adjust == "slide")
    adjustment = XDG_POSITIONER_CONSTRAINT_ADJUSTMENT_SLIDE_X | XDG_POSITIONER_CONSTRAINT_ADJUSTMENT_SLIDE_Y;
  xdg_positioner_set_constraint_adjustment(positioner.get(), adjustment);
  return Place{std::move(positioner), *size};
}

bool ShellClient::openPopup(std::istream& words) {
  const auto place = readPlace(words);
  if (!place) return false;
  xdg_surface* parent = popups_.empty() ? shellSurface_.get() : popups_.back()->shellSurface.get();
  auto popup = std::make_unique<Popup>(
      Popup{this, PlainSurface(connection_, options_.popupColor), place->size, nullptr, nullptr});
  popup->shellSurface.reset(xdg_wm_base_get_xdg_surface(connection_.globals().shell.get(), popup->surface.object()));
  xdg_surface_add_listener(popup->shellSurface.get(), &popupSurfaceListener, popup.get());
  popup->object.reset(xdg_surface_get_popup(popup->shellSurface.get(), parent, place->positioner.get()));
  xdg_popup_add_listener(popup->object.get(), &popupListener, popup.get());
  xdg_popup_grab(popup->object.get(), input_.seat(), input_.serial());
  wl_surface_commit(popup->surface.object());
  popups_.push_back(std::move(popup));
  return true;
}

bool ShellClient::repositionPopup(std::istream& words) {
  const auto place = readPlace(words);
  if (!place || popups_.empty()) return false;
  xdg_popup_reposition(popups_.back()->object.get(), place->positioner.get(), 0);
  return true;
}

bool ShellClient::openDialog(std::istream& words) {
  std::string sizeText;
  words >> sizeText;
  const auto size = parseSize(sizeText);
  if (!size || dialog_) return false;
  dialog_ = std::make_unique<Dialog>(Dialog{PlainSurface(connection_, options_.popupColor), *size, nullptr, nullptr});
  dialog_->shellSurface.reset(
      xdg_wm_base_get_xdg_surface(connection_.globals().shell.get(), dialog_->surface.object()));
  xdg_surface_add_listener(dialog_->shellSurface.get(), &dialogSurfaceListener, dialog_.get());
  dialog_->toplevel.reset(xdg_surface_get_toplevel(dialog_->shellSurface.get()));
  xdg_toplevel_add_listener(dialog_->toplevel.get(), &dialogListener, dialog_.get());
  xdg_toplevel_set_parent(dialog_->toplevel.get(), toplevel_.get());
  wl_surface_commit(dialog_->surface.object());
  return true;
}

void ShellClient::drop(const xdg_popup* popup) {
  while (!popups_.empty()) {
    const bool last = popups_.back()->object.get() == popup;
    popups_.pop_back(); // with those that are its children
    if (last) return;
  }
}

bool ShellClient::obeyGrab(const std::string& verb, std::istream& words) {
  static constexpr std::array<std::pair<const char*, uint32_t>, 8> edges{{
      {"top", XDG_TOPLEVEL_RESIZE_EDGE_TOP},
      {"bottom", XDG_TOPLEVEL_RESIZE_EDGE_BOTTOM},
      {"left", XDG_TOPLEVEL_RESIZE_EDGE_LEFT},
      {"right", XDG_TOPLEVEL_RESIZE_EDGE_RIGHT},
      {"top_left", XDG_TOPLEVEL_RESIZE_EDGE_TOP_LEFT},
      {"top_right", XDG_TOPLEVEL_RESIZE_EDGE_TOP_RIGHT},
      {"bottom_left", XDG_TOPLEVEL_RESIZE_EDGE_BOTTOM_LEFT},
      {"bottom_right", XDG_TOPLEVEL_RESIZE_EDGE_BOTTOM_RIGHT},
  }};
  if (verb == "move") {
    xdg_toplevel_move(toplevel_.get(), input_.seat(), input_.serial());
    return true;
  }
  std::string edge;
  if (verb != "resize" || !(words >> edge)) return false;
  for (const auto& [name, value] : edges) {
    if (edge != name) continue;
    xdg_toplevel_resize(toplevel_.get(), input_.seat(), input_.serial(), value);
    return true;
  }
  return false;
}

bool ShellClient::obeyState(const std::string& verb) {
  if (verb == "maximize") {
    xdg_toplevel_set_maximized(toplevel_.get());
  } else if (verb == "unmaximize") {
    xdg_toplevel_unset_maximized(toplevel_.get());
  } else if (verb == "fullscreen") {
    xdg_toplevel_set_fullscreen(toplevel_.get(), nullptr);
  } else if (verb == "fullscreen-first") {
    xdg_toplevel_set_fullscreen(toplevel_.get(), connection_.globals().output.get());
  } else if (verb == "unfullscreen") {
    xdg_toplevel_unset_fullscreen(toplevel_.get());
  } else if (verb == "hide") {
    window_.hide();
  } else if (verb == "renew") {
    toplevel_.reset();
    makeToplevel();
  } else if (verb == "show") {
    wl_surface_commit(window_.object()); // a configure answers that
  } else {
    return false;
  }
  return true;
}

Result<> ShellClient::obey(const std::string& line) {
  std::istringstream words(line);
  std::string verb;
  words >> verb;
  if (verb == "sync") {
    if (auto done = connection_.roundtrip(); !done) return done;
    tell({{"event", "synced"}});
    return {};
  }
  if (verb == "drop" && !popups_.empty()) {
    popups_.pop_back();
    return {};
  }
  if (verb == "popup" && openPopup(words)) return {};
  if (verb == "reposition" && repositionPopup(words)) return {};
  if (verb == "dialog" && openDialog(words)) return {};
  if (obeyState(verb) || obeyGrab(verb, words)) return {};
  return invalid("obey", line, "it is no order", "shell-client --help lists them");
}

Result<> ShellClient::obeyInput() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  if (poll(&input, 1, 0) <= 0) return {};
  std::array<char, 1024> bytes{};
  const ssize_t count = read(STDIN_FILENO, bytes.data(), bytes.size());
  if (count <= 0) {
    ended_ = true;
    return {};
  }
  unread_.append(bytes.data(), static_cast<size_t>(count));
  for (size_t end = unread_.find('\n'); end != std::string::npos; end = unread_.find('\n')) {
    if (auto done = obey(unread_.substr(0, end)); !done) return done;
    unread_.erase(0, end + 1);
  }
  return {};
}

Result<> ShellClient::run() {
  while (!ended_) {
    if (auto done = obeyInput(); !done) return done;
    if (ended_) break;
    if (auto done = connection_.dispatch(-1, STDIN_FILENO); !done) return done;
  }
  return {};
}

Result<> runClient(const Options& options) {
  auto connection = WaylandConnection::open();
  if (!connection) return std::unexpected(connection.error());
  if (auto possible = PlainSurface::requireGlobals(**connection); !possible) return possible;
  return ShellClient(**connection, options).run();
}

int main(int argc, char** argv) {
  Options options;
  const CLI::Validator isSize(
      [](const std::string& text) { return parseSize(text) ? std::string() : text + " is no WIDTHxHEIGHT"; }, "WxH");
  CLI::App app("An ordinary window of one colour that obeys orders and tells what it is told.");
  app.footer(orders);
  app.set_version_flag("--version", VITRINE_VERSION);
  app.add_option("--size", options.size, "of the window")->check(isSize)->capture_default_str();
  app.add_option("--color", options.color, "of the window: 0xRRGGBB");
  app.add_option("--popup-color", options.popupColor, "of its popups: 0xRRGGBB");
  app.add_option("--shadow", options.shadow,
                 "pixels of the surface that are left and above of what counts as the window");
  app.add_option("--step", options.step, "makes the window's size a multiple of this, downwards")
      ->check(CLI::PositiveNumber);
  app.add_option("--min", options.minimum, "the smallest size that it wants")->check(isSize);
  app.add_flag("--fixed", options.fixed, "keeps its size, even if it is told another one");
  app.add_option("--title", options.title, "of the window")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? ExitOk : ExitMisused;
  }
  const auto done = runClient(options);
  if (done) return ExitOk;
  std::cerr << "shell-client: " << done.error().text() << '\n';
  return ExitFoundWanting;
}

} // namespace
} // namespace vitrine

int main(int argc, char** argv) {
  return vitrine::main(argc, argv);
}
