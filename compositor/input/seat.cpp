#include "compositor/input/seat.h"

#include <algorithm>

#include "protected-path/base/clock.h"
#include "protected-path/base/log.h"

namespace vitrine {
namespace {

constexpr int minimumWindowExtent = 64;

/** Of a window, when the pointer has dragged these edges so far. */
wlr_box resized(const wlr_box& start, uint32_t edges, int deltaX, int deltaY) {
  wlr_box box = start;
  if ((edges & WLR_EDGE_RIGHT) != 0) box.width += deltaX;
  if ((edges & WLR_EDGE_BOTTOM) != 0) box.height += deltaY;
  if ((edges & WLR_EDGE_LEFT) != 0) box.width -= deltaX;
  if ((edges & WLR_EDGE_TOP) != 0) box.height -= deltaY;
  box.width = std::max(box.width, minimumWindowExtent);
  box.height = std::max(box.height, minimumWindowExtent);
  return box;
}

uint32_t milliseconds(Nanoseconds time) {
  return static_cast<uint32_t>(time / 1'000'000);
}

} // namespace

Seat::Seat(wlr_seat& seat, Desktop& desktop, const KmsDevice& display, const Config& config, Perform perform)
    : seat_(seat), desktop_(desktop), config_(config), perform_(std::move(perform)), cursor_(wlr_cursor_create()),
      image_(desktop.cursorTree(), display, *wl_display_get_event_loop(seat.display)),
      drag_(seat, desktop.cursorTree(),
            [this] {
              desktop_.giveKeyboard(); // nobody could get it during the drag
              pointAgainSoon();
            }),
      touch_(seat, desktop, *cursor_, [this](double x, double y) { drag_.moveTo(x, y); }),
      constraints_(seat, *cursor_, [this] { moveImage(); }), gestures_(seat, *cursor_, [this] { active(); }),
      textInput_(seat, {desktop.scene(), desktop.popupTree(), desktop.layout()}),
      shortcutsInhibit_(wlr_keyboard_shortcuts_inhibit_v1_create(seat.display)),
      keyboard_(seat, textInput_, config,
                [this](uint32_t modifiers, xkb_keysym_t key) { return onKey(modifiers, key); }),
      shapes_(wlr_cursor_shape_manager_v1_create(seat.display, 1)) {
  wlr_cursor_attach_output_layout(cursor_.get(), &desktop_.layout());
  connectPointer();
  setSelection_.connect(seat_.events.request_set_selection, [this](wlr_seat_request_set_selection_event* event) {
    wlr_seat_set_selection(&seat_, event->source, event->serial);
  });
  setPrimarySelection_.connect(seat_.events.request_set_primary_selection,
                               [this](wlr_seat_request_set_primary_selection_event* event) {
                                 wlr_seat_set_primary_selection(&seat_, event->source, event->serial);
                               });
  newInhibitor_.connect(shortcutsInhibit_->events.new_inhibitor, [](wlr_keyboard_shortcuts_inhibitor_v1* inhibitor) {
    wlr_keyboard_shortcuts_inhibitor_v1_activate(inhibitor);
  });
  connectDesktop();
  updateCapabilities();
}

Seat::~Seat() {
  desktop_.onGrabRequest = nullptr;
  desktop_.onGone = nullptr;
  if (pointAgain_ != nullptr) wl_event_source_remove(pointAgain_);
}

void Seat::connectDesktop() {
  desktop_.onGrabRequest = [this](Toplevel& toplevel, uint32_t serial, uint32_t edges) {
    // Only for the press that is held, and that was in this window or a subsurface of it.
    const wlr_surface* pressed = seat_.pointer_state.focused_surface;
    if (pressed == nullptr || wlr_surface_get_root_surface(seat_.pointer_state.focused_surface) != &toplevel.surface())
      return;
    if (wlr_seat_validate_pointer_grab_serial(&seat_, nullptr, serial)) beginGrab(toplevel, edges);
  };
  desktop_.onGone = [this](Toplevel& gone) {
    if (grab_.toplevel == &gone) grab_ = {};
  };
  changed_.connect(desktop_.events.changed, [this](void*) { pointAgainSoon(); });
  committed_.connect(desktop_.events.committed, [this](void*) { pointAgainSoon(); });
  locked_.connect(desktop_.events.locked, [this](void*) { touch_.cancelAll(); });
}

void Seat::connectPointer() {
  motion_.connect(cursor_->events.motion, [this](wlr_pointer_motion_event* event) { onMotion(*event); });
  motionAbsolute_.connect(cursor_->events.motion_absolute,
                          [this](wlr_pointer_motion_absolute_event* event) { onMotionAbsolute(*event); });
  button_.connect(cursor_->events.button, [this](wlr_pointer_button_event* event) { onButton(*event); });
  axis_.connect(cursor_->events.axis, [this](wlr_pointer_axis_event* event) {
    active();
    wlr_seat_pointer_notify_axis(&seat_, event->time_msec, event->orientation, event->delta, event->delta_discrete,
                                 event->source, event->relative_direction);
  });
  touchDown_.connect(cursor_->events.touch_down, [this](wlr_touch_down_event*) { active(); });
  frame_.connect(cursor_->events.frame, [this](void*) { wlr_seat_pointer_notify_frame(&seat_); });
  pointerGrabEnd_.connect(seat_.events.pointer_grab_end, [this](wlr_seat_pointer_grab*) { pointAgainSoon(); });
  setCursor_.connect(seat_.events.request_set_cursor,
                     [this](wlr_seat_pointer_request_set_cursor_event* event) { onSetCursor(*event); });
  setShape_.connect(shapes_->events.request_set_shape,
                    [this](wlr_cursor_shape_manager_v1_request_set_shape_event* event) {
                      if (event->seat_client != seat_.pointer_state.focused_client) return;
                      image_.setShape(wlr_cursor_shape_v1_name(event->shape));
                    });
}

const DeviceSettings& Seat::settingsOf(const wlr_input_device& device) const {
  return config_.settingsForDevice(device.name != nullptr ? device.name : "");
}

void Seat::configure() {
  keyboard_.configure(config_);
  for (const Device& each : devices_) {
    applySettings(*each.device, settingsOf(*each.device));
    const bool isKeyboard = each.device->type == WLR_INPUT_DEVICE_KEYBOARD;
    if (isKeyboard && wlr_input_device_get_virtual_keyboard(each.device) == nullptr)
      keyboard_.configure(*wlr_keyboard_from_input_device(each.device));
  }
}

void Seat::addDevice(wlr_input_device& device, wlr_output* output) {
  applySettings(device, settingsOf(device));
  const auto known = devices_.emplace(devices_.end());
  known->device = &device;
  known->gone.connect(device.events.destroy, [this, known](void*) { devices_.erase(known); });
  switch (device.type) {
  case WLR_INPUT_DEVICE_KEYBOARD:
    addKeyboard(device);
    break;
  case WLR_INPUT_DEVICE_POINTER:
    addPointer(device);
    break;
  case WLR_INPUT_DEVICE_TOUCH:
    addTouchScreen(device);
    break;
  default:
    break; // tablets and switches: nothing is done with them yet, and no capability says so
  }
  if (output != nullptr && device.type != WLR_INPUT_DEVICE_KEYBOARD)
    wlr_cursor_map_input_to_output(cursor_.get(), &device, output);
  updateCapabilities();
}

void Seat::addKeyboard(wlr_input_device& device) {
  wlr_keyboard& keyboard = *wlr_keyboard_from_input_device(&device);
  if (wlr_input_device_get_virtual_keyboard(&device) != nullptr) {
    const auto binding = [this](uint32_t modifiers, xkb_keysym_t key) { return onKey(modifiers, key); };
    const auto typist = typists_.emplace(typists_.end());
    typist->keyboard = std::make_unique<VirtualKeyboard>(seat_, keyboard, keyboard_, textInput_, binding);
    typist->gone.connect(device.events.destroy, [this, typist](void*) { typists_.erase(typist); });
  } else {
    keyboard_.add(keyboard);
  }
  const auto added = keyboards_.emplace(keyboards_.end());
  added->connect(device.events.destroy, [this, added](void*) {
    keyboards_.erase(added);
    updateCapabilities();
  });
}

void Seat::addTouchScreen(wlr_input_device& device) {
  wlr_cursor_attach_input_device(cursor_.get(), &device);
  const auto added = touchScreens_.emplace(touchScreens_.end());
  added->connect(device.events.destroy, [this, added, touch = wlr_touch_from_input_device(&device)](void*) {
    touchScreens_.erase(added);
    touch_.forget(*touch);
    updateCapabilities();
  });
}

void Seat::addPointer(wlr_input_device& device) {
  wlr_cursor_attach_input_device(cursor_.get(), &device);
  if (pointers_.empty()) image_.setShape("default");
  const auto added = pointers_.emplace(pointers_.end());
  added->connect(device.events.destroy, [this, added](void*) { // libinput has released its buttons
    pointers_.erase(added);
    if (pointers_.empty()) image_.setVisible(false);
    updateCapabilities();
  });
}

void Seat::updateCapabilities() {
  uint32_t capabilities = 0;
  if (!pointers_.empty()) capabilities |= WL_SEAT_CAPABILITY_POINTER;
  if (!keyboards_.empty()) capabilities |= WL_SEAT_CAPABILITY_KEYBOARD;
  if (!touchScreens_.empty()) capabilities |= WL_SEAT_CAPABILITY_TOUCH;
  wlr_seat_set_capabilities(&seat_, capabilities);
}

void Seat::active() const {
  if (onActivity) onActivity();
}

void Seat::onMotion(const wlr_pointer_motion_event& event) {
  const auto permitted =
      constraints_.onMotion(event.time_msec, {event.delta_x, event.delta_y}, {event.unaccel_dx, event.unaccel_dy});
  wlr_cursor_move(cursor_.get(), &event.pointer->base, permitted.x, permitted.y);
  moved(event.time_msec);
}

void Seat::onMotionAbsolute(const wlr_pointer_motion_absolute_event& event) {
  double x = 0;
  double y = 0;
  wlr_cursor_absolute_to_layout_coords(cursor_.get(), &event.pointer->base, event.x, event.y, &x, &y);
  const PointerConstraints::Motion motion{x - cursor_->x, y - cursor_->y};
  const auto permitted = constraints_.onMotion(event.time_msec, motion, motion);
  if (permitted == motion) {
    wlr_cursor_warp_absolute(cursor_.get(), &event.pointer->base, event.x, event.y); // exactly there
  } else {
    wlr_cursor_move(cursor_.get(), &event.pointer->base, permitted.x, permitted.y);
  }
  moved(event.time_msec);
}

void Seat::moved(uint32_t time) {
  active();
  hasMoved_ = true;
  image_.setVisible(true);
  moveImage();
  drag_.moveTo(cursor_->x, cursor_->y);
  if (grab_.toplevel != nullptr) {
    continueGrab();
  } else {
    point(time);
  }
}

void Seat::moveImage() {
  const wlr_output* output = wlr_output_layout_output_at(&desktop_.layout(), cursor_->x, cursor_->y);
  image_.moveTo(cursor_->x, cursor_->y, output != nullptr ? output->scale : 1);
}

/** Soon: the scene is asked when everybody has done with what has changed. */
void Seat::pointAgainSoon() {
  if (!hasMoved_ || pointAgain_ != nullptr) return;
  const auto callback = [](void* data) {
    auto* seat = static_cast<Seat*>(data);
    seat->pointAgain_ = nullptr;
    if (seat->grab_.toplevel != nullptr) return;
    seat->point(milliseconds(now()));
    wlr_seat_pointer_notify_frame(&seat->seat_);
  };
  pointAgain_ = wl_event_loop_add_idle(wl_display_get_event_loop(seat_.display), callback, this);
}

/** Tells the clients where the pointer is. */
void Seat::point(uint32_t time) {
  // As long as a button is held, all goes to the surface in which it was pressed; a popup's grab has its own rules.
  if (seat_.pointer_state.button_count > 0 && !wlr_seat_pointer_has_grab(&seat_)) {
    if (seat_.pointer_state.focused_surface != nullptr)
      wlr_seat_pointer_notify_motion(&seat_, time, cursor_->x - heldX_, cursor_->y - heldY_);
    return;
  }
  const Desktop::Hit hit = desktop_.at(cursor_->x, cursor_->y);
  if (hit.surface == nullptr) {
    image_.setShape("default");
    wlr_seat_pointer_notify_clear_focus(&seat_);
    return;
  }
  wlr_seat_pointer_notify_enter(&seat_, hit.surface, hit.x, hit.y);
  wlr_seat_pointer_notify_motion(&seat_, time, hit.x, hit.y);
  constraints_.update();
}

void Seat::beginGrab(Toplevel& toplevel, uint32_t edges) {
  if (!toplevel.isMapped() || !toplevel.isFree()) return;
  grab_ = {&toplevel, edges, cursor_->x, cursor_->y, toplevel.box()};
  if (edges != 0) toplevel.beginResize(edges);
  wlr_seat_pointer_notify_clear_focus(&seat_); // the pointer is the compositor's until the end
}

void Seat::endGrab() {
  if (grab_.edges != 0) grab_.toplevel->endResize();
  grab_ = {};
  pointAgainSoon();
}

void Seat::continueGrab() {
  if (!grab_.toplevel->isMapped() || !grab_.toplevel->isFree() || desktop_.isLocked()) {
    endGrab();
    return;
  }
  const int deltaX = static_cast<int>(cursor_->x - grab_.startX);
  const int deltaY = static_cast<int>(cursor_->y - grab_.startY);
  if (grab_.edges == 0) {
    grab_.toplevel->moveTo(grab_.box.x + deltaX, grab_.box.y + deltaY);
  } else {
    const wlr_box box = resized(grab_.box, grab_.edges, deltaX, deltaY);
    grab_.toplevel->resizeTo(box.width, box.height);
  }
}

void Seat::onButton(const wlr_pointer_button_event& event) {
  active();
  const bool pressed = event.state == WL_POINTER_BUTTON_STATE_PRESSED;
  if (pressed && grab_.toplevel == nullptr && seat_.drag == nullptr) {
    const Desktop::Hit hit = desktop_.at(cursor_->x, cursor_->y);
    if (seat_.pointer_state.button_count == 0) {
      heldX_ = cursor_->x - hit.x;
      heldY_ = cursor_->y - hit.y;
    }
    desktop_.click(hit);
    if (onButtonBinding(hit, event.button)) return;
  }
  if (!pressed && std::erase(bound_, event.button) != 0) return;
  wlr_seat_pointer_notify_button(&seat_, event.time_msec, event.button, event.state);
  if (pressed) return;
  if (grab_.toplevel != nullptr) endGrab();
  if (seat_.pointer_state.button_count == 0) pointAgainSoon();
}

void Seat::onSetCursor(const wlr_seat_pointer_request_set_cursor_event& event) {
  if (event.seat_client != seat_.pointer_state.focused_client) return;
  image_.setSurface(event.surface, event.hotspot_x, event.hotspot_y);
}

/** The active inhibitor of the window that has the keyboard: all keys are for it, but for the ways out of it. */
wlr_keyboard_shortcuts_inhibitor_v1* Seat::shortcutsInhibitor() const {
  wlr_keyboard_shortcuts_inhibitor_v1* inhibitor = nullptr;
  wl_list_for_each(inhibitor, &shortcutsInhibit_->inhibitors, link) {
    if (inhibitor->active && inhibitor->surface == seat_.keyboard_state.focused_surface) return inhibitor;
  }
  return nullptr;
}

/** Whether a binding counts now, or its input is for a client. */
bool Seat::mayPerform(const Action& action) const {
  const ActionUse use = infoOf(action.kind).use;
  // While the session is locked, the person at the keyboard may be a stranger.
  if (desktop_.isLocked()) return use == ActionUse::Always;
  const bool inhibited = shortcutsInhibitor() != nullptr;
  if (action.kind == ActionKind::ReleaseKeys) return inhibited;
  return !inhibited || use == ActionUse::DespiteClients || use == ActionUse::Always;
}

void Seat::perform(const Action& action) {
  if (action.kind == ActionKind::ReleaseKeys) {
    wlr_keyboard_shortcuts_inhibitor_v1_deactivate(shortcutsInhibitor());
  } else if (auto done = perform_(action); !done) {
    log("input").debug("{}", done.error().text());
  }
}

/** Performs what a button is bound to; false: it is the window's. */
bool Seat::onButtonBinding(const Desktop::Hit& hit, uint32_t button) {
  const Action* action = Bindings::find(config_.bindings.buttons, keyboard_.modifiers(), button);
  if (action == nullptr || !mayPerform(*action)) return false;
  if (action->kind != ActionKind::Move && action->kind != ActionKind::Resize) {
    bound_.push_back(button);
    perform(Action(*action));
    return true;
  }
  if (hit.toplevel == nullptr || !hit.toplevel->isFree()) return false;
  beginGrab(*hit.toplevel, action->kind == ActionKind::Resize ? uint32_t{WLR_EDGE_RIGHT | WLR_EDGE_BOTTOM} : 0U);
  return true;
}

bool Seat::onKey(uint32_t modifiers, xkb_keysym_t key) {
  active();
  const Action* action = Bindings::find(config_.bindings.keys, modifiers, key);
  if (action == nullptr || !mayPerform(*action)) return false;
  perform(Action(*action)); // a copy: the action may replace the configuration
  return true;
}

} // namespace vitrine
