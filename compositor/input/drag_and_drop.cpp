#include "compositor/input/drag_and_drop.h"

#include <cmath>

namespace vitrine {

DragAndDrop::DragAndDrop(wlr_seat& seat, wlr_scene_tree& parent, std::function<void()> onEnd)
    : seat_(seat), icons_(wlr_scene_tree_create(&parent)), onEnd_(std::move(onEnd)) {
  wlr_scene_node_lower_to_bottom(&icons_->node);
  request_.connect(seat_.events.request_start_drag,
                   [this](wlr_seat_request_start_drag_event* event) { onRequest(*event); });
  start_.connect(seat_.events.start_drag, [this](wlr_drag* drag) {
    if (drag->icon != nullptr) wlr_scene_drag_icon_create(icons_, drag->icon); // goes with the icon
    end_.connect(drag->events.destroy, [this](void*) {
      end_.disconnect();
      onEnd_();
    });
  });
}

void DragAndDrop::onRequest(const wlr_seat_request_start_drag_event& event) {
  if (wlr_seat_validate_pointer_grab_serial(&seat_, event.origin, event.serial)) {
    wlr_seat_start_pointer_drag(&seat_, event.drag, event.serial);
    return;
  }
  wlr_touch_point* point = nullptr;
  if (wlr_seat_validate_touch_grab_serial(&seat_, event.origin, event.serial, &point)) {
    wlr_seat_start_touch_drag(&seat_, event.drag, event.serial, point);
    return;
  }
  refuse(*event.drag);
}

/** wlroots has made the drag, and leaves it to us. With a source, its client hears `cancelled`. */
void DragAndDrop::refuse(wlr_drag& drag) {
  if (drag.source != nullptr) {
    wlr_data_source_destroy(drag.source);
  } else {
    drag.keyboard_grab.interface->cancel(&drag.keyboard_grab);
  }
}

void DragAndDrop::moveTo(double x, double y) {
  wlr_scene_node_set_position(&icons_->node, static_cast<int>(std::lround(x)), static_cast<int>(std::lround(y)));
}

} // namespace vitrine
