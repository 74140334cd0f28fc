#include "compositor/output/output_buffer_set.h"

#include <algorithm>

namespace vitrine {
namespace {

constexpr size_t maximumDamageBoxes = 16;

int64_t areaOf(const std::vector<Rect>& boxes) {
  int64_t sum = 0;
  for (const Rect& box : boxes)
    sum += int64_t{box.width} * box.height;
  return sum;
}

void addBox(std::vector<Rect>& boxes, const Rect& box) {
  // Overlapping boxes are joined, so that all are disjoint: a translucent pixel must not be drawn twice.
  Rect joined = box;
  for (bool grown = true; grown;) {
    const size_t before = boxes.size();
    std::erase_if(boxes, [&](const Rect& other) {
      if (!overlaps(other, joined)) return false;
      joined = unite(other, joined);
      return true;
    });
    grown = boxes.size() != before;
  }
  boxes.push_back(joined);
  if (boxes.size() <= maximumDamageBoxes) return;
  Rect all;
  for (const Rect& other : boxes)
    all = unite(all, other);
  boxes.assign(1, all);
}

Rect wholeOf(const DmabufBuffer& buffer) {
  const Size size = buffer.dmabuf().size();
  return {0, 0, static_cast<int32_t>(size.width), static_cast<int32_t>(size.height)};
}

} // namespace

OutputBufferSet::~OutputBufferSet() {
  for (const Slot& slot : slots_)
    wlr_buffer_drop(slot.buffer->base());
}

void OutputBufferSet::add(Dmabuf buffer) {
  DmabufBuffer* made = DmabufBuffer::create(std::move(buffer));
  slots_.push_back({made, {wholeOf(*made)}});
  changes_.assign(1, wholeOf(*made));
}

void OutputBufferSet::dropLast() {
  wlr_buffer_drop(slots_.back().buffer->base());
  slots_.pop_back();
}

void OutputBufferSet::addDamage(const Rect& box) {
  for (Slot& slot : slots_)
    addBox(slot.damage, box);
  addBox(changes_, box);
}

void OutputBufferSet::damageAll() {
  for (Slot& slot : slots_)
    slot.damage.assign(1, wholeOf(*slot.buffer));
  if (!slots_.empty()) changes_.assign(1, wholeOf(*slots_.front().buffer));
}

OutputBufferSet::Slot* OutputBufferSet::pick() {
  Slot* best = nullptr;
  for (Slot& slot : slots_) {
    if (slot.buffer->base()->n_locks > 0) continue;
    if (best == nullptr || areaOf(slot.damage) < areaOf(best->damage)) best = &slot;
  }
  return best;
}

void OutputBufferSet::drawn(Slot& slot) {
  slot.damage.clear();
  current_ = static_cast<size_t>(&slot - slots_.data());
}

} // namespace vitrine
