#pragma once

#include <vector>

#include "compositor/render/dmabuf_buffer.h"

namespace vitrine {

/** The buffers into which an output is composed, all in one kind of memory, each with its damage since it was drawn. */
class OutputBufferSet {
public:
  struct Slot {
    DmabufBuffer* buffer = nullptr; ///< owned: the slot's destructor drops it
    std::vector<Rect> damage;       ///< disjoint, since it was drawn
  };

  OutputBufferSet() = default;
  OutputBufferSet(OutputBufferSet&& other) noexcept
      : slots_(std::exchange(other.slots_, {})), changes_(std::exchange(other.changes_, {})), current_(other.current_) {
  }
  OutputBufferSet& operator=(OutputBufferSet&& other) noexcept {
    std::swap(slots_, other.slots_);
    std::swap(changes_, other.changes_);
    std::swap(current_, other.current_);
    return *this;
  }
  ~OutputBufferSet();

  /** Adds a buffer. All of it is damaged. */
  void add(Dmabuf buffer);
  /** Drops the buffer that was added last. */
  void dropLast();
  [[nodiscard]] bool empty() const { return slots_.empty(); }
  [[nodiscard]] const std::vector<Slot>& slots() const { return slots_; }

  /** Adds a box (inside the buffers) to the damage of all of them. */
  void addDamage(const Rect& box);
  void damageAll();

  /** What has changed since wasShown(), disjoint; everything in a set that was never shown. */
  [[nodiscard]] const std::vector<Rect>& changes() const { return changes_; }
  /** The current buffer is part of a commit that the kernel took. */
  void wasShown() { changes_.clear(); }

  /** The buffer drawn last; before the first draw, any buffer. */
  [[nodiscard]] Slot& current() { return slots_[current_]; }
  [[nodiscard]] const Slot& current() const { return slots_[current_]; }
  /** The least damaged buffer without locks; null if all are on the screen or queued. */
  [[nodiscard]] Slot* pick();
  /** Marks `slot` as drawn: it becomes current and has no damage. */
  void drawn(Slot& slot);

private:
  std::vector<Slot> slots_;
  std::vector<Rect> changes_;
  size_t current_ = 0;
};

} // namespace vitrine
