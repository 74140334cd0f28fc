#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <utility>

#include "compositor/wlr/wlroots.h"

namespace vitrine {

/**
 * A wl_listener with a typed payload. Its node never moves, it unlinks itself when it is destroyed, and its callback must not
 * throw (it is called from C). A callback may destroy its listener, or connect it to something else: what runs is shared with
 * the listener, and lives until it returns.
 * `Payload` is what the signal's documentation says that `data` points to.
 */
template<typename Payload>
class Listener {
public:
  using Callback = std::function<void(Payload*)>;

  Listener() {
    node_.self = this;
    node_.listener.notify = [](wl_listener* listener, void* data) noexcept {
      Node* node = reinterpret_cast<Node*>(listener); // standard layout, listener first
      const std::shared_ptr<const Callback> running = node->self->callback_;
      (*running)(static_cast<Payload*>(data));
    };
    wl_list_init(&node_.listener.link);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { disconnect(); }

  /** Listens to `signal` from now on, and to nothing else. */
  void connect(wl_signal& signal, Callback callback) {
    connect([&](wl_listener* listener) { wl_signal_add(&signal, listener); }, std::move(callback));
  }
  /** The same for a signal that libwayland keeps to itself: `add` is called with the listener to add to it. */
  template<std::invocable<wl_listener*> Add>
  void connect(Add add, Callback callback) {
    disconnect();
    callback_ = std::make_shared<const Callback>(std::move(callback));
    add(&node_.listener);
  }

  void disconnect() {
    wl_list_remove(&node_.listener.link);
    wl_list_init(&node_.listener.link);
  }

private:
  struct Node {
    wl_listener listener;
    Listener* self;
  };
  Node node_{};
  std::shared_ptr<const Callback> callback_;
};

} // namespace vitrine
