#pragma once

#include <vector>

#include "compositor/render/dmabuf_buffer.h"

namespace vitrine {

/** The buffers that an output is composed into, all in one kind of memory, each with what has changed since it was drawn. */
class OutputBufferSet {
public:
  struct Slot {
    DmabufBuffer* buffer = nullptr; ///< owned: dropped when the slot goes
    std::vector<Rect> damage;       ///< disjoint, since it was drawn
  };

  OutputBufferSet() = default;
  OutputBufferSet(OutputBufferSet&& other) noexcept
      : slots_(std::exchange(other.slots_, {})), current_(other.current_) {}
  OutputBufferSet& operator=(OutputBufferSet&& other) noexcept {
    std::swap(slots_, other.slots_);
    std::swap(current_, other.current_);
    return *this;
  }
  ~OutputBufferSet();

  /** Takes the buffer; all of it is damaged. */
  void add(Dmabuf buffer);
  /** Gives up the one that was added last. */
  void dropLast();
  [[nodiscard]] bool empty() const { return slots_.empty(); }
  [[nodiscard]] const std::vector<Slot>& slots() const { return slots_; }

  /** Marks a box, inside the buffers, as changed in all of them. */
  void addDamage(const Rect& box);
  void damageAll();

  /** The one drawn last; at first any. */
  [[nodiscard]] Slot& current() { return slots_[current_]; }
  [[nodiscard]] const Slot& current() const { return slots_[current_]; }
  /** The least damaged of those that nobody holds; null where all are on the screen or on their way. */
  [[nodiscard]] Slot* pick();
  /** `slot` was drawn: it is current, and has no damage. */
  void drawn(Slot& slot);

private:
  std::vector<Slot> slots_;
  size_t current_ = 0;
};

} // namespace vitrine
