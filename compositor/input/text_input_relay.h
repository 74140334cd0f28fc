#pragma once

#include <list>
#include <memory>
#include <set>

#include "compositor/wlr/listener.h"
#include "compositor/wlr/wlroots.h"

namespace vitrine {

/**
 * text-input-v3 and input-method-v2: carries text between the focused client's text field and the one input method, such as an
 * on-screen keyboard. The input method's popups stand at the text cursor; its keyboard grab gets the keys first.
 */
class TextInputRelay {
public:
  /** What it needs of the desktop; all of it outlives the relay. */
  struct Scene {
    wlr_scene& scene;
    wlr_scene_tree& popups; ///< above windows
    wlr_output_layout& layout;
  };
  TextInputRelay(wlr_seat& seat, const Scene& scene);
  TextInputRelay(const TextInputRelay&) = delete;
  TextInputRelay& operator=(const TextInputRelay&) = delete;

  /** Gives a key to the input method's keyboard grab. False: no grab takes it, and it is for the focused client. */
  [[nodiscard]] bool takeKey(wlr_keyboard& keyboard, const wlr_keyboard_key_event& event);
  [[nodiscard]] bool takeModifiers(wlr_keyboard& keyboard);

private:
  struct TextInput {
    wlr_text_input_v3* object;
    Listener<wlr_text_input_v3> enable;
    Listener<wlr_text_input_v3> commit;
    Listener<wlr_text_input_v3> disable;
    Listener<wlr_text_input_v3> destroy;
  };
  struct Popup {
    wlr_input_popup_surface_v2* object;
    wlr_scene_tree* tree;
    Listener<void> map;
    Listener<wlr_surface> commit;
    Listener<void> destroy;
  };
  void addTextInput(wlr_text_input_v3& object);
  void addInputMethod(wlr_input_method_v2& object);
  void addPopup(wlr_input_popup_surface_v2& object);
  void connectInputMethod(wlr_input_method_v2& object);
  void focus(wlr_surface* surface);
  void enter(wlr_text_input_v3& object, wlr_surface* surface);
  void leave(wlr_text_input_v3& object);
  void enable(wlr_text_input_v3& object);
  void disable(wlr_text_input_v3& object);
  void activate();
  void sendState();
  void onInputMethodCommit();
  void place(const Popup& popup) const;
  [[nodiscard]] wlr_input_method_keyboard_grab_v2* grabOf(wlr_keyboard& keyboard) const;

  wlr_seat& seat_;
  Scene scene_;
  wlr_text_input_manager_v3* textInputManager_;
  wlr_input_method_manager_v2* inputMethodManager_;
  std::list<TextInput> textInputs_;
  std::list<Popup> popups_;
  wlr_input_method_v2* inputMethod_ = nullptr;
  wlr_text_input_v3* active_ = nullptr; ///< enabled by the focused client
  std::set<uint32_t> grabbedKeys_;      ///< pressed while the grab had them; their release goes there too
  Listener<wlr_text_input_v3> newTextInput_;
  Listener<wlr_input_method_v2> newInputMethod_;
  Listener<wlr_seat_keyboard_focus_change_event> focusChange_;
  Listener<wlr_input_method_v2> inputMethodCommit_;
  Listener<wlr_input_method_keyboard_grab_v2> grabKeyboard_;
  Listener<wlr_input_method_keyboard_grab_v2> grabGone_;
  Listener<wlr_input_popup_surface_v2> newPopup_;
  Listener<wlr_input_method_v2> inputMethodGone_;
};

} // namespace vitrine
