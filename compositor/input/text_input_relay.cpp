#include "compositor/input/text_input_relay.h"

#include <algorithm>

#include "protected-path/base/log.h"

namespace vitrine {
namespace {

bool sameClient(const wl_resource* a, const wl_resource* b) {
  return wl_resource_get_client(const_cast<wl_resource*>(a)) == wl_resource_get_client(const_cast<wl_resource*>(b));
}

/** Where a surface is in the layout; false if it is not in the scene. */
bool findOrigin(wlr_scene& scene, wlr_surface* surface, wlr_box& origin) {
  struct Search {
    wlr_surface* surface;
    wlr_box* origin;
    bool found;
  } search{surface, &origin, false};
  wlr_scene_node_for_each_buffer(
      &scene.tree.node,
      [](wlr_scene_buffer* buffer, int x, int y, void* data) {
        auto* self = static_cast<Search*>(data);
        wlr_scene_surface* shown = wlr_scene_surface_try_from_buffer(buffer);
        if (shown == nullptr || shown->surface != self->surface) return;
        *self->origin = {x, y, shown->surface->current.width, shown->surface->current.height};
        self->found = true;
      },
      &search);
  return search.found;
}

} // namespace

TextInputRelay::TextInputRelay(wlr_seat& seat, const Scene& scene)
    : seat_(seat), scene_(scene), textInputManager_(wlr_text_input_manager_v3_create(seat.display)),
      inputMethodManager_(wlr_input_method_manager_v2_create(seat.display)) {
  newTextInput_.connect(textInputManager_->events.text_input, [this](wlr_text_input_v3* object) {
    if (object->seat == &seat_) addTextInput(*object);
  });
  newInputMethod_.connect(inputMethodManager_->events.input_method,
                          [this](wlr_input_method_v2* object) { addInputMethod(*object); });
  focusChange_.connect(seat_.keyboard_state.events.focus_change,
                       [this](wlr_seat_keyboard_focus_change_event* event) { focus(event->new_surface); });
}

void TextInputRelay::addTextInput(wlr_text_input_v3& object) {
  TextInput& added = textInputs_.emplace_back();
  added.object = &object;
  added.enable.connect(object.events.enable, [this](wlr_text_input_v3* enabled) { enable(*enabled); });
  added.commit.connect(object.events.commit, [this](wlr_text_input_v3* committed) {
    if (committed == active_ && inputMethod_ != nullptr) sendState();
  });
  added.disable.connect(object.events.disable, [this](wlr_text_input_v3* disabled) { disable(*disabled); });
  added.destroy.connect(object.events.destroy, [this](wlr_text_input_v3* gone) {
    TextInputRelay& self = *this; // this closure goes with what is erased
    self.disable(*gone);
    std::erase_if(self.textInputs_, [gone](const TextInput& known) { return known.object == gone; });
  });
  enter(object, seat_.keyboard_state.focused_surface);
}

void TextInputRelay::addInputMethod(wlr_input_method_v2& object) {
  if (object.seat != &seat_) return;
  if (inputMethod_ != nullptr) {
    log("input").info("a second input method is refused: one is in use");
    wlr_input_method_v2_send_unavailable(&object);
    return;
  }
  inputMethod_ = &object;
  connectInputMethod(object);
  if (active_ != nullptr) activate();
}

void TextInputRelay::connectInputMethod(wlr_input_method_v2& object) {
  inputMethodCommit_.connect(object.events.commit, [this](wlr_input_method_v2*) { onInputMethodCommit(); });
  newPopup_.connect(object.events.new_popup_surface, [this](wlr_input_popup_surface_v2* popup) { addPopup(*popup); });
  grabKeyboard_.connect(object.events.grab_keyboard, [this](wlr_input_method_keyboard_grab_v2* grab) {
    wlr_input_method_keyboard_grab_v2_set_keyboard(grab, wlr_seat_get_keyboard(&seat_));
    grabGone_.connect(grab->events.destroy, [this](wlr_input_method_keyboard_grab_v2* gone) {
      grabGone_.disconnect();
      grabbedKeys_.clear();
      if (gone->keyboard != nullptr) wlr_seat_keyboard_notify_modifiers(&seat_, &gone->keyboard->modifiers);
    });
  });
  inputMethodGone_.connect(object.events.destroy, [this](wlr_input_method_v2*) {
    inputMethodCommit_.disconnect();
    newPopup_.disconnect();
    grabKeyboard_.disconnect();
    inputMethodGone_.disconnect();
    inputMethod_ = nullptr; // the text fields stay as they are, for the next one
  });
}

void TextInputRelay::focus(wlr_surface* surface) {
  for (const TextInput& input : textInputs_) {
    if (input.object->focused_surface == surface) continue;
    leave(*input.object);
    enter(*input.object, surface);
  }
}

/** With an input method or without: one that starts later finds the text field that the user is in. */
void TextInputRelay::enter(wlr_text_input_v3& object, wlr_surface* surface) {
  if (surface == nullptr || object.focused_surface != nullptr) return;
  if (sameClient(object.resource, surface->resource)) wlr_text_input_v3_send_enter(&object, surface);
}

void TextInputRelay::leave(wlr_text_input_v3& object) {
  disable(object);
  if (object.focused_surface != nullptr) wlr_text_input_v3_send_leave(&object);
}

void TextInputRelay::enable(wlr_text_input_v3& object) {
  if (object.focused_surface == nullptr) return;
  active_ = &object;
  if (inputMethod_ != nullptr) activate();
}

void TextInputRelay::activate() {
  wlr_input_method_v2_send_activate(inputMethod_);
  sendState();
}

void TextInputRelay::disable(wlr_text_input_v3& object) {
  if (active_ != &object) return;
  active_ = nullptr;
  if (inputMethod_ == nullptr) return;
  wlr_input_method_v2_send_deactivate(inputMethod_);
  wlr_input_method_v2_send_done(inputMethod_);
}

void TextInputRelay::sendState() {
  const wlr_text_input_v3_state& state = active_->current;
  if ((active_->active_features & WLR_TEXT_INPUT_V3_FEATURE_SURROUNDING_TEXT) != 0) {
    wlr_input_method_v2_send_surrounding_text(inputMethod_,
                                              state.surrounding.text != nullptr ? state.surrounding.text : "",
                                              state.surrounding.cursor, state.surrounding.anchor);
  }
  wlr_input_method_v2_send_text_change_cause(inputMethod_, state.text_change_cause);
  if ((active_->active_features & WLR_TEXT_INPUT_V3_FEATURE_CONTENT_TYPE) != 0)
    wlr_input_method_v2_send_content_type(inputMethod_, state.content_type.hint, state.content_type.purpose);
  wlr_input_method_v2_send_done(inputMethod_);
  for (const Popup& popup : popups_)
    place(popup);
}

void TextInputRelay::onInputMethodCommit() {
  if (active_ == nullptr) return;
  const wlr_input_method_v2_state& said = inputMethod_->current;
  if (said.preedit.text != nullptr)
    wlr_text_input_v3_send_preedit_string(active_, said.preedit.text, said.preedit.cursor_begin,
                                          said.preedit.cursor_end);
  if (said.commit_text != nullptr) wlr_text_input_v3_send_commit_string(active_, said.commit_text);
  if (said.delete_.before_length != 0 || said.delete_.after_length != 0)
    wlr_text_input_v3_send_delete_surrounding_text(active_, said.delete_.before_length, said.delete_.after_length);
  wlr_text_input_v3_send_done(active_);
}

void TextInputRelay::addPopup(wlr_input_popup_surface_v2& object) {
  Popup& added = popups_.emplace_back();
  added.object = &object;
  added.tree = wlr_scene_tree_create(&scene_.popups);
  wlr_scene_subsurface_tree_create(added.tree, object.surface); // goes with the surface, which may be before the popup
  added.map.connect(object.surface->events.map, [this, popup = &added](void*) { place(*popup); });
  added.commit.connect(object.surface->events.commit, [this, popup = &added](wlr_surface*) { place(*popup); });
  added.destroy.connect(object.events.destroy, [this, gone = &object](void*) {
    TextInputRelay& self = *this; // this closure goes with what is erased
    const wlr_input_popup_surface_v2* const lost = gone;
    const auto found = std::ranges::find(self.popups_, lost, &Popup::object);
    wlr_scene_node_destroy(&found->tree->node);
    self.popups_.erase(found);
  });
}

/** Below the text cursor; above it where the output ends too soon. */
void TextInputRelay::place(const Popup& popup) const {
  wlr_box surface{};
  if (active_ == nullptr || !popup.object->surface->mapped ||
      !findOrigin(scene_.scene, active_->focused_surface, surface))
    return;
  wlr_box cursor = active_->current.cursor_rectangle;
  if ((active_->active_features & WLR_TEXT_INPUT_V3_FEATURE_CURSOR_RECTANGLE) == 0)
    cursor = {0, 0, surface.width, surface.height};
  cursor.x += surface.x;
  cursor.y += surface.y;
  const int width = popup.object->surface->current.width;
  const int height = popup.object->surface->current.height;
  int x = cursor.x;
  int y = cursor.y + cursor.height;
  if (wlr_output* output = wlr_output_layout_output_at(&scene_.layout, cursor.x, cursor.y)) {
    wlr_box screen{};
    wlr_output_layout_get_box(&scene_.layout, output, &screen);
    x = std::max(screen.x, std::min(x, screen.x + screen.width - width));
    if (y + height > screen.y + screen.height && cursor.y - height >= screen.y) y = cursor.y - height;
  }
  wlr_scene_node_set_position(&popup.tree->node, x, y);
  wlr_box relative{cursor.x - x, cursor.y - y, cursor.width, cursor.height};
  wlr_input_popup_surface_v2_send_text_input_rectangle(popup.object, &relative);
}

wlr_input_method_keyboard_grab_v2* TextInputRelay::grabOf(wlr_keyboard& keyboard) const {
  wlr_input_method_keyboard_grab_v2* grab = inputMethod_ != nullptr ? inputMethod_->keyboard_grab : nullptr;
  if (grab == nullptr) return nullptr;
  // What the input method types itself is not for its grab.
  const wlr_virtual_keyboard_v1* own = wlr_input_device_get_virtual_keyboard(&keyboard.base);
  return own != nullptr && sameClient(own->resource, grab->resource) ? nullptr : grab;
}

bool TextInputRelay::takeKey(wlr_keyboard& keyboard, const wlr_keyboard_key_event& event) {
  wlr_input_method_keyboard_grab_v2* grab = grabOf(keyboard);
  if (grab == nullptr) return false;
  if (event.state == WL_KEYBOARD_KEY_STATE_PRESSED) {
    grabbedKeys_.insert(event.keycode);
  } else if (grabbedKeys_.erase(event.keycode) == 0) {
    return false; // pressed before the grab: the client waits for the release
  }
  wlr_input_method_keyboard_grab_v2_set_keyboard(grab, &keyboard);
  wlr_input_method_keyboard_grab_v2_send_key(grab, event.time_msec, event.keycode, event.state);
  return true;
}

bool TextInputRelay::takeModifiers(wlr_keyboard& keyboard) {
  wlr_input_method_keyboard_grab_v2* grab = grabOf(keyboard);
  if (grab == nullptr) return false;
  wlr_input_method_keyboard_grab_v2_set_keyboard(grab, &keyboard);
  wlr_input_method_keyboard_grab_v2_send_modifiers(grab, &keyboard.modifiers);
  return true;
}

} // namespace vitrine
