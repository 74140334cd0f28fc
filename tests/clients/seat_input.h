#pragma once

#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "tests/board/wayland/wayland_pointer.h"

namespace vitrine {

/** Reports each event of a seat's pointer and keyboard as a JSON object, when the seat has such a device. */
class SeatInput {
public:
  struct Handlers {
    std::function<void(const nlohmann::json& event)> tell;
    std::function<std::string(wl_surface*)> nameOf; ///< name of a surface, for `tell`; null: a destroyed surface
  };
  /** `seat`: at most version 5, and just bound. */
  SeatInput(WaylandPtr<wl_seat> seat, Handlers handlers);
  SeatInput(const SeatInput&) = delete;
  SeatInput& operator=(const SeatInput&) = delete;

  [[nodiscard]] wl_seat* seat() const { return seat_.get(); }
  /** Serial of the latest button or key press; 0 before the first. */
  [[nodiscard]] uint32_t serial() const { return serial_; }

private:
  void tellPointer(const char* event, nlohmann::json more = nlohmann::json::object());
  void moveTo(wl_fixed_t x, wl_fixed_t y);
  static const wl_seat_listener seatListener;
  static const wl_pointer_listener pointerListener;
  static const wl_keyboard_listener keyboardListener;

  WaylandPtr<wl_seat> seat_;
  Handlers handlers_;
  WaylandPtr<wl_pointer> pointer_;
  WaylandPtr<wl_keyboard> keyboard_;
  wl_surface* pointed_ = nullptr; ///< the surface under the pointer
  double x_ = 0;                  ///< of the pointer, in coordinates of that surface
  double y_ = 0;
  uint32_t serial_ = 0;
};

} // namespace vitrine
