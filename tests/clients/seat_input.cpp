#include "tests/clients/seat_input.h"

#include <unistd.h>

#include <span>

namespace vitrine {
namespace {

SeatInput* self(void* data) {
  return static_cast<SeatInput*>(data);
}

} // namespace

const wl_seat_listener SeatInput::seatListener = {
    .capabilities =
        [](void* data, wl_seat* seat, uint32_t capabilities) {
          SeatInput* input = self(data);
          const bool hasPointer = (capabilities & WL_SEAT_CAPABILITY_POINTER) != 0;
          const bool hasKeyboard = (capabilities & WL_SEAT_CAPABILITY_KEYBOARD) != 0;
          if (hasPointer && !input->pointer_) {
            input->pointer_.reset(wl_seat_get_pointer(seat));
            wl_pointer_add_listener(input->pointer_.get(), &pointerListener, input);
          }
          if (hasKeyboard && !input->keyboard_) {
            input->keyboard_.reset(wl_seat_get_keyboard(seat));
            wl_keyboard_add_listener(input->keyboard_.get(), &keyboardListener, input);
          }
          if (!hasPointer) input->pointer_.reset();
          if (!hasKeyboard) input->keyboard_.reset();
        },
    .name = [](void*, wl_seat*, const char*) {},
};

const wl_pointer_listener SeatInput::pointerListener = {
    .enter =
        [](void* data, wl_pointer*, uint32_t, wl_surface* surface, wl_fixed_t x, wl_fixed_t y) {
          self(data)->pointed_ = surface;
          self(data)->moveTo(x, y);
          self(data)->tellPointer("pointer-enter");
        },
    .leave =
        [](void* data, wl_pointer*, uint32_t, wl_surface* surface) {
          self(data)->pointed_ = surface;
          self(data)->tellPointer("pointer-leave");
          self(data)->pointed_ = nullptr;
        },
    .motion =
        [](void* data, wl_pointer*, uint32_t, wl_fixed_t x, wl_fixed_t y) {
          self(data)->moveTo(x, y);
          self(data)->tellPointer("motion");
        },
    .button =
        [](void* data, wl_pointer*, uint32_t serial, uint32_t, uint32_t button, uint32_t state) {
          const bool pressed = state == WL_POINTER_BUTTON_STATE_PRESSED;
          if (pressed) self(data)->serial_ = serial;
          self(data)->tellPointer("button", {{"button", button}, {"pressed", pressed}});
        },
    .axis = [](void*, wl_pointer*, uint32_t, uint32_t, wl_fixed_t) {},
    .frame = [](void*, wl_pointer*) {},
    .axis_source = [](void*, wl_pointer*, uint32_t) {},
    .axis_stop = [](void*, wl_pointer*, uint32_t, uint32_t) {},
    .axis_discrete = [](void*, wl_pointer*, uint32_t, int32_t) {},
    .axis_value120 = [](void*, wl_pointer*, uint32_t, int32_t) {},
    .axis_relative_direction = [](void*, wl_pointer*, uint32_t, uint32_t) {},
};

const wl_keyboard_listener SeatInput::keyboardListener = {
    .keymap = [](void*, wl_keyboard*, uint32_t, int32_t fd, uint32_t) { ::close(fd); },
    .enter =
        [](void* data, wl_keyboard*, uint32_t, wl_surface* surface, wl_array* keys) {
          const auto& handlers = self(data)->handlers_;
          const std::span held(static_cast<const uint32_t*>(keys->data), keys->size / sizeof(uint32_t));
          handlers.tell({{"event", "keyboard-enter"}, {"surface", handlers.nameOf(surface)}, {"held", held}});
        },
    .leave =
        [](void* data, wl_keyboard*, uint32_t, wl_surface* surface) {
          const auto& handlers = self(data)->handlers_;
          handlers.tell({{"event", "keyboard-leave"}, {"surface", handlers.nameOf(surface)}});
        },
    .key =
        [](void* data, wl_keyboard*, uint32_t serial, uint32_t, uint32_t code, uint32_t state) {
          const bool pressed = state == WL_KEYBOARD_KEY_STATE_PRESSED;
          if (pressed) self(data)->serial_ = serial;
          self(data)->handlers_.tell({{"event", "key"}, {"code", code}, {"pressed", pressed}});
        },
    .modifiers = [](void*, wl_keyboard*, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t) {},
    .repeat_info = [](void*, wl_keyboard*, int32_t, int32_t) {},
};

SeatInput::SeatInput(WaylandPtr<wl_seat> seat, Handlers handlers)
    : seat_(std::move(seat)), handlers_(std::move(handlers)) {
  wl_seat_add_listener(seat_.get(), &seatListener, this);
}

void SeatInput::tellPointer(const char* event, nlohmann::json more) {
  more["event"] = event;
  more["surface"] = handlers_.nameOf(pointed_);
  more["x"] = x_;
  more["y"] = y_;
  handlers_.tell(more);
}

void SeatInput::moveTo(wl_fixed_t x, wl_fixed_t y) {
  x_ = wl_fixed_to_double(x);
  y_ = wl_fixed_to_double(y);
}

} // namespace vitrine
