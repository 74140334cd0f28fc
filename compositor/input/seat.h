#pragma once

#include <list>
#include <memory>
#include <vector>

#include "compositor/actions/action.h"
#include "compositor/config/config.h"
#include "compositor/input/cursor_image.h"
#include "compositor/input/drag_and_drop.h"
#include "compositor/input/keyboard.h"
#include "compositor/input/pointer_constraints.h"
#include "compositor/input/pointer_gestures.h"
#include "compositor/input/text_input_relay.h"
#include "compositor/input/touch.h"
#include "compositor/input/virtual_keyboard.h"
#include "compositor/shell/desktop.h"

namespace vitrine {

/** One seat: keyboards, pointer, cursor, selections, interactive moves and resizes. */
class Seat {
public:
  /** Performs every action that is not one of ActionUse::InputOnly. */
  using Perform = std::function<Result<>(const Action&)>;
  Seat(wlr_seat& seat, Desktop& desktop, const KmsDevice& display, const Config& config, Perform perform);
  Seat(const Seat&) = delete;
  ~Seat();

  /** `output`: the one that a pointer's absolute positions are of; null: the whole layout. */
  void addDevice(wlr_input_device& device, wlr_output* output = nullptr);

  /** The configuration has changed: sets keymap and devices up again. Bindings count from the next press on. */
  void configure();

  /** See CursorImage::defaultImage(). */
  [[nodiscard]] const wlr_xcursor_image* defaultCursor() const { return image_.defaultImage(); }

  /** The user did something with an input device. */
  std::function<void()> onActivity;

private:
  struct DestroyCursor {
    void operator()(wlr_cursor* cursor) const { wlr_cursor_destroy(cursor); }
  };
  /** A virtual keyboard, until its device is destroyed. */
  struct Typist {
    std::unique_ptr<VirtualKeyboard> keyboard;
    Listener<void> gone;
  };
  /** Any input device, until it is destroyed. */
  struct Device {
    wlr_input_device* device = nullptr;
    Listener<void> gone;
  };
  struct Grab {
    Toplevel* toplevel = nullptr;
    uint32_t edges = 0; ///< 0: move
    double startX = 0;
    double startY = 0;
    wlr_box box{};
  };
  [[nodiscard]] const DeviceSettings& settingsOf(const wlr_input_device& device) const;
  void connectPointer();
  void connectDesktop();
  void active() const;
  void onMotion(const wlr_pointer_motion_event& event);
  void onMotionAbsolute(const wlr_pointer_motion_absolute_event& event);
  void moved(uint32_t time);
  void moveImage();
  void pointAgainSoon();
  void point(uint32_t time);
  void beginGrab(Toplevel& toplevel, uint32_t edges);
  void endGrab();
  void onButton(const wlr_pointer_button_event& event);
  void onSetCursor(const wlr_seat_pointer_request_set_cursor_event& event);
  void continueGrab();
  [[nodiscard]] bool mayPerform(const Action& action) const;
  void perform(const Action& action);
  bool onButtonBinding(const Desktop::Hit& hit, uint32_t button);
  bool onKey(uint32_t modifiers, xkb_keysym_t key);
  [[nodiscard]] wlr_keyboard_shortcuts_inhibitor_v1* shortcutsInhibitor() const;
  void addKeyboard(wlr_input_device& device);
  void addTouchScreen(wlr_input_device& device);
  void addPointer(wlr_input_device& device);
  void updateCapabilities();

  wlr_seat& seat_;
  Desktop& desktop_;
  const Config& config_;
  Perform perform_;
  std::unique_ptr<wlr_cursor, DestroyCursor> cursor_; ///< before all that listens to it
  CursorImage image_;
  DragAndDrop drag_;
  Touch touch_;
  PointerConstraints constraints_;
  PointerGestures gestures_;
  TextInputRelay textInput_;
  wlr_keyboard_shortcuts_inhibit_manager_v1* shortcutsInhibit_;
  Keyboard keyboard_;
  std::list<Device> devices_;
  std::vector<uint32_t> bound_; ///< buttons whose press was a binding: no client hears of their release
  std::list<Typist> typists_;
  std::list<Listener<void>> keyboards_; ///< one for each that is plugged in: its end
  Grab grab_;
  /** In the layout: the origin of the surface in which the first of the buttons was pressed that are held. */
  double heldX_ = 0;
  double heldY_ = 0;
  std::list<Listener<void>> pointers_;     ///< one for each that is plugged in: its end
  std::list<Listener<void>> touchScreens_; ///< one for each that is plugged in: its end
  bool hasMoved_ = false;                  ///< the pointer, ever: a kiosk without a mouse has none
  wl_event_source* pointAgain_ = nullptr;  ///< null: not needed
  Listener<void> changed_;
  Listener<void> committed_;
  Listener<void> locked_;
  Listener<wlr_keyboard_shortcuts_inhibitor_v1> newInhibitor_;
  Listener<wlr_pointer_motion_event> motion_;
  Listener<wlr_pointer_motion_absolute_event> motionAbsolute_;
  Listener<wlr_pointer_button_event> button_;
  Listener<wlr_pointer_axis_event> axis_;
  Listener<wlr_touch_down_event> touchDown_;
  Listener<void> frame_;
  Listener<wlr_seat_pointer_grab> pointerGrabEnd_;
  Listener<wlr_seat_pointer_request_set_cursor_event> setCursor_;
  Listener<wlr_seat_request_set_selection_event> setSelection_;
  Listener<wlr_seat_request_set_primary_selection_event> setPrimarySelection_;
  Listener<wlr_cursor_shape_manager_v1_request_set_shape_event> setShape_;
  wlr_cursor_shape_manager_v1* shapes_;
};

} // namespace vitrine
